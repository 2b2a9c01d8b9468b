"""A library of motions, a folder of files or a prepared store, and its index: latents of windows, kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.applications.search.index import NEAREST, IndexFile, Record, Table
from motionclip.applications.search.nearest import Nearest, open_nearest
from motionclip.applications.windows import WindowEmbeddings, embed_windows
from motionclip.data.store import MANIFEST, Store
from motionclip.encoders import cache_folder
from motionclip.errors import DataError, MotionClipError
from motionclip.formats.files import locked
from motionclip.io import is_motion_file, read_motion
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback

#: Seconds of a window, and from one window to the next; windows may overlap their neighbours, not more.
WINDOW, HOP = 4.0, 2.0

#: Files that are encoded together, and rows after which what is done is kept.
_FILES, _KEEP_EVERY = 32, 1024


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
class Unreadable:
    """A file that could not be read, and why."""

    name: str
    problem: str


@dataclass(frozen=True)
class Place:
    """A window: the file and its seconds there."""

    file: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class LibraryIndex:
    """What is searched.

    Attributes:
        library: the folder or store.
        files: names of the files that could be read.
        latents: (N, D) float32, unit: the windows, one file's after another's; memory-mapped.
        nearest: finds the nearest of them.
        unreadable: files that could not be read.
    """

    library: Path
    files: tuple[str, ...]
    latents: NDArray[np.float32]
    nearest: Nearest
    unreadable: tuple[Unreadable, ...]
    _firsts: NDArray[np.int64]  # (F,) the first row of each file
    _rows: NDArray[Any]

    def __len__(self) -> int:
        return len(self.latents)

    def place(self, row: int) -> Place:
        """Where a row is."""
        file = int(np.searchsorted(self._firsts, row, side="right")) - 1
        return Place(self.files[file], float(self._rows["start"][row]), float(self._rows["end"][row]))


def index_library(
    model: MotionCLIP,
    library: str | Path,
    *,
    folder: str | Path | None = None,
    progress: ProgressCallback | None = None,
) -> LibraryIndex:
    """The index of a library, read from where it is kept and brought up to date.

    Only files that are new or have another size or time of change than before are read. A run that is stopped goes on
    where it was. The index belongs to the model's weights: another model has another.

    Args:
        model: encodes the motions.
        library: a folder with motion files in it or below, or a store made by ``prepare``.
        folder: where the index is kept; a folder of the cache by default.
        progress: is told how many files are done, of all that are to be read.

    Raises:
        DataError: if the library is no folder, its store is damaged, or another process is at the index.
    """
    library = Path(library)
    items = library_items(library)
    if folder is None:
        key = sha256(f"{library.resolve()}\n{model.fingerprint}\n{WINDOW} {HOP}".encode()).hexdigest()[:24]
        folder = cache_folder() / "libraries" / key
    folder = Path(folder)
    with locked(folder / "lock", f"the index of {library} is being written by another process"):
        shelf = IndexFile(folder, model.config.latent_dim)
        _read_new(model, shelf, items, progress)
        shelf.merge({item.name: item.stamp for item in items})
        nearest = open_nearest(shelf.table.latents, shelf.table.rows["id"], folder / NEAREST)
    return _index(library, shelf.table, nearest)


def library_items(library: Path) -> list[LibraryItem]:
    """The motions of a library, by name; hidden files are left out.

    Raises:
        DataError: if it is neither a folder nor a sound store.
    """
    if not library.is_dir():
        raise DataError(f"{library} is not a folder; expected one with motion files, or a prepared store")
    if (library / MANIFEST).is_file():
        return list(_store_items(Store.open(library)))
    found = sorted(path for path in library.rglob("*") if is_motion_file(path.name) and path.is_file())
    inside = [(path, path.relative_to(library)) for path in found]
    return [_file_item(path, name) for path, name in inside if not any(part.startswith(".") for part in name.parts)]


def _file_item(path: Path, name: Path) -> LibraryItem:
    about = path.stat()
    return LibraryItem(name.as_posix(), f"{about.st_size}-{about.st_mtime_ns}", partial(read_motion, path))


def _store_items(store: Store) -> Iterator[LibraryItem]:
    for number, entry in enumerate(store.entries):
        stamp = f"{store.sha256[:32]}-{entry.start}-{entry.num_frames}"
        yield LibraryItem(f"{entry.dataset}/{entry.key}", stamp, partial(store.motion, number))


def _read_new(
    model: MotionCLIP, shelf: IndexFile, items: Sequence[LibraryItem], progress: ProgressCallback | None
) -> None:
    """Read the items that the shelf does not hold, and keep them there every now and then."""
    known = shelf.records
    new = [item for item in items if item.name not in known or known[item.name].stamp != item.stamp]
    records: list[Record] = []
    done: list[WindowEmbeddings] = []
    for first in range(0, len(new), _FILES):
        chunk = new[first : first + _FILES]
        for record, windowed in _encode(model, chunk):
            records.append(record)
            done += [] if windowed is None else [windowed]
        if sum(record.count for record in records) >= _KEEP_EVERY or first + _FILES >= len(new):
            _put(shelf, records, done, model.config.latent_dim)
            records, done = [], []
        if progress is not None:
            progress(first + len(chunk), len(new))


def _encode(model: MotionCLIP, items: Sequence[LibraryItem]) -> Iterator[tuple[Record, WindowEmbeddings | None]]:
    """A record of each item, and its windows if it could be read."""
    read = [_read(item) for item in items]
    windowed = iter(embed_windows(model, [motion for motion in read if isinstance(motion, Motion)], WINDOW, HOP))
    for item, motion in zip(items, read, strict=True):
        if isinstance(motion, Motion):
            own = next(windowed)
            yield Record(item.name, item.stamp, len(own.latents)), own
        else:
            yield Record(item.name, item.stamp, 0, motion), None


def _read(item: LibraryItem) -> Motion | str:
    """The motion on the canonical skeleton, or why there is none."""
    try:
        return on_canonical(item.read())
    except MotionClipError as error:
        return str(error)


def _put(shelf: IndexFile, records: Sequence[Record], done: Sequence[WindowEmbeddings], dim: int) -> None:
    latents = torch.cat([torch.empty(0, dim), *(windowed.latents for windowed in done)])
    spans = torch.cat([torch.empty(0, 2, dtype=torch.float64), *(windowed.spans for windowed in done)])
    shelf.put(records, latents.numpy(), spans.numpy())


def _index(library: Path, table: Table, nearest: Nearest) -> LibraryIndex:
    readable = np.array([not record.problem for record in table.records], bool)
    counts = table.counts[readable]
    return LibraryIndex(
        library,
        tuple(record.name for record in table.records if not record.problem),
        table.latents,
        nearest,
        tuple(Unreadable(record.name, record.problem) for record in table.records if record.problem),
        np.cumsum(counts) - counts,
        table.rows,
    )
