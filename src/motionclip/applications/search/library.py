"""A library of motions, a folder of files or a prepared store, and its index, brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from motionclip.applications.search.index import Block, Entry, IndexFolder
from motionclip.applications.windows import embed_windows
from motionclip.data.folder import motion_files
from motionclip.data.store import MANIFEST, Store
from motionclip.encoders import cache_folder
from motionclip.errors import DataError, MotionClipError
from motionclip.io import read_motion
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback

#: Seconds of a window, and from one window to the next. `search` relies on windows overlapping their neighbours alone.
WINDOW, HOP = 4.0, 2.0

#: Motions that are encoded together, and windows after which a block is written.
_MOTIONS, _WINDOWS_PER_BLOCK = 32, 1024


@dataclass(frozen=True)
class LibraryItem:
    """A motion of a library.

    Attributes:
        name: path of the file relative to the folder, or key of the store's clip.
        stamp: changes when the motion does.
        read: reads it; MotionClipError if it cannot.
    """

    name: str
    stamp: str
    read: Callable[[], Motion]


@dataclass(frozen=True)
class WindowSpan:
    """Where a window is: the motion's name in the library, and the window's first and last second there."""

    file: str
    start: float
    end: float


class LibraryIndex:
    """The window embeddings of a library.

    Attributes:
        library: the folder or store.
        files: names of the motions that could be read.
        unreadable: entries of those that could not, each with its problem.
        embeddings: (N, J) float32, unit: the windows, one motion's after another's; memory-mapped.
    """

    def __init__(self, library: Path, block: Block):
        self.library = library
        self.files = tuple(entry.name for entry in block.entries if not entry.problem)
        self.unreadable = tuple(entry for entry in block.entries if entry.problem)
        self.embeddings: Tensor = block.embeddings
        self._names = tuple(entry.name for entry in block.entries)
        self._entry_of = torch.arange(len(block.entries)).repeat_interleave(block.counts)  # (N,)
        self._spans = block.spans

    def __len__(self) -> int:
        """The number of windows."""
        return len(self.embeddings)

    def span(self, row: int) -> WindowSpan:
        """Returns where the window of a row of ``embeddings`` is."""
        start, end = self._spans[row].tolist()
        return WindowSpan(self._names[int(self._entry_of[row])], start, end)


def index_library(
    model: MotionCLIP,
    library: str | Path,
    *,
    folder: str | Path | None = None,
    progress: ProgressCallback | None = None,
) -> LibraryIndex:
    """Returns the index of a library, after bringing it up to date on disk.

    Only motions that are new, or have another size or time of change than before, are read. A run that is stopped goes
    on where it was. An index belongs to the weights of a model: another model has another.

    Args:
        model: encodes the motions.
        library: a folder with motion files in it or below, or a store made by ``prepare``.
        folder: where the index is kept; a folder of the cache by default.
        progress: called with the number of motions that have been read, and of all that are to be read.

    Raises:
        DataError: if the library is no folder, or its store is damaged.
    """
    library = Path(library)
    items = library_items(library)
    if folder is None:
        key = sha256(f"{library.resolve()}\n{model.fingerprint}\n{WINDOW} {HOP}".encode()).hexdigest()[:24]
        folder = cache_folder() / "libraries" / key
    index = IndexFolder(Path(folder), model.joint_dim)
    known = index.entries
    _encode(model, index, [i for i in items if i.name not in known or known[i.name].stamp != i.stamp], progress)
    return LibraryIndex(library, index.merge({item.name: item.stamp for item in items}))


def library_items(library: Path) -> list[LibraryItem]:
    """Returns the motions of a library in order of their names; hidden files are left out.

    Raises:
        DataError: if it is neither a folder nor a sound store.
    """
    if not library.is_dir():
        raise DataError(f"{library} is not a folder; expected one with motion files, or a prepared store")
    items = []
    if (library / MANIFEST).is_file():
        store = Store.open(library)
        for number, entry in enumerate(store.entries):
            stamp = f"{store.sha256[:32]}-{entry.start}-{entry.num_frames}"
            items.append(LibraryItem(f"{entry.dataset}/{entry.key}", stamp, partial(store.motion, number)))
        return items
    for path in motion_files(library):
        name = path.relative_to(library)
        if not any(part.startswith(".") for part in name.parts):
            stamp = f"{path.stat().st_size}-{path.stat().st_mtime_ns}"
            items.append(LibraryItem(name.as_posix(), stamp, partial(read_motion, path)))
    return items


def _encode(
    model: MotionCLIP, index: IndexFolder, items: Sequence[LibraryItem], progress: ProgressCallback | None
) -> None:
    """Adds motions to the index, a block every now and then."""
    entries: list[Entry] = []
    embeddings, spans = [torch.empty(0, model.joint_dim)], [torch.empty(0, 2)]
    for first in range(0, len(items), _MOTIONS):
        chunk = items[first : first + _MOTIONS]
        read = [_read(item) for item in chunk]
        encoded = iter(embed_windows(model, [motion for motion in read if isinstance(motion, Motion)], WINDOW, HOP))
        for item, motion in zip(chunk, read, strict=True):
            if isinstance(motion, str):
                entries.append(Entry(item.name, item.stamp, 0, motion))
                continue
            windows = next(encoded)
            entries.append(Entry(item.name, item.stamp, len(windows.embeddings)))
            embeddings.append(windows.embeddings)
            spans.append(windows.spans.float())
        if sum(entry.count for entry in entries) >= _WINDOWS_PER_BLOCK or first + _MOTIONS >= len(items):
            index.add(Block(tuple(entries), torch.cat(embeddings), torch.cat(spans)))
            entries, embeddings, spans = [], embeddings[:1], spans[:1]
        if progress is not None:
            progress(first + len(chunk), len(items))


def _read(item: LibraryItem) -> Motion | str:
    """Returns the motion on the canonical skeleton, or why it cannot be read."""
    try:
        return on_canonical(item.read())
    except MotionClipError as error:
        return str(error)
