"""The prepared store: motions of a data set on the canonical skeleton, as memory-mapped arrays and a manifest.

A store is a folder of four files, or five:

``sixd.npy``       (N, 24, 6) float32: local rotations as 6D (``motion.rotations``), all clips one after another.
``root.npy``       (N, 3) float32: world position of the pelvis, metres, y = 0 is the floor.
``manifest.json``  format, rate, source, hashes of the arrays, distinct texts, and one entry per clip.
``report.json``    what was refused and why, and the retargeting errors of each clip.
``frames.zip``     pictures of single frames, where they were asked for (``data.frames``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motionclip.data.clip import SPLITS
from motionclip.errors import DataError
from motionclip.formats.files import replacing
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

FORMAT, VERSION = "motionclip-store", 1

#: Frames per second of everything in a store.
FPS = 30.0

MANIFEST, REPORT, SIXD, ROOT = "manifest.json", "report.json", "sixd.npy", "root.npy"
FRAMES = "frames.zip"


@dataclass(frozen=True)
class FrameCaption:
    """A sentence about the frames ``start`` to ``end`` (exclusive) of an entry, with the classes of what is done."""

    text: str
    start: int
    end: int
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One clip of a store.

    Attributes:
        key: name of the clip, unique inside its data set.
        dataset: for example ``cmu`` or ``bandai_namco_2``.
        split: ``train``, ``val`` or ``test``.
        start: its first row in the arrays.
        num_frames: its number of rows.
        captions: sentences with the frames they describe, the preferred one first.
        category: what is done, where the data set names it.
        style: how it is done, where the data set names it.
    """

    key: str
    dataset: str
    split: str
    start: int
    num_frames: int
    captions: tuple[FrameCaption, ...]
    category: str | None = None
    style: str | None = None


@dataclass(frozen=True)
class Pictures:
    """What the manifest says of ``frames.zip``.

    Attributes:
        per_window: pictures for every two seconds of a clip.
        count: pictures of all clips.
        size: pixels of a side.
        bytes: size of the file.
        sha256: of the file.
    """

    per_window: int
    count: int
    size: int
    bytes: int
    sha256: str


@dataclass(frozen=True, eq=False)
class Store:
    """Prepared clips; the arrays stay on disk until their rows are read.

    Attributes:
        folder: where the store lies.
        source: how its source was named when it was prepared.
        entries: its clips, in the order of their rows.
        sixd: (N, 24, 6) float32, memory-mapped, read-only.
        root: (N, 3) float32, metres, memory-mapped, read-only.
        sha256: of the two arrays, as the manifest has them, together.
        pictures: what is known of its pictures, or None if it holds none.
    """

    folder: Path
    source: str
    entries: tuple[Entry, ...]
    sixd: np.ndarray
    root: np.ndarray
    sha256: str
    pictures: Pictures | None

    @classmethod
    def open(cls, folder: str | Path, *, verify: bool = False) -> Store:
        """The store in ``folder``.

        Args:
            folder: what ``prepare`` wrote.
            verify: read the arrays whole and compare their hashes.

        Raises:
            DataError: if it is not a store, or its files are damaged or do not fit together.
        """
        folder = Path(folder)
        manifest = _read_manifest(folder / MANIFEST)
        try:
            arrays = {name: _open_array(folder, name, manifest["arrays"][name], verify) for name in (SIXD, ROOT)}
            entries = _entries(manifest)
            source = str(manifest["source"])
            digest = sha256("".join(manifest["arrays"][name]["sha256"] for name in (SIXD, ROOT)).encode()).hexdigest()
            pictures = Pictures(**manifest["pictures"]) if "pictures" in manifest else None
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise DataError(
                f"{folder / MANIFEST} is damaged ({type(error).__name__}: {error}); prepare the store again"
            ) from error
        _check_rows(folder, entries, len(arrays[ROOT]))
        if pictures is not None:
            _check_file(folder / FRAMES, pictures.bytes, pictures.sha256, verify)
        return cls(folder, source, entries, arrays[SIXD], arrays[ROOT], digest, pictures)

    def __len__(self) -> int:
        return len(self.entries)

    def motion(self, index: int) -> Motion:
        """Clip ``index`` on the canonical skeleton at 30 fps, a copy of its rows."""
        entry = self.entries[index]
        rows = slice(entry.start, entry.start + entry.num_frames)
        return stored_motion(self.sixd[rows], self.root[rows])

    def split(self, name: str) -> tuple[int, ...]:
        """Indices of the entries of a split.

        Raises:
            DataError: if there is no such split.
        """
        if name not in SPLITS:
            raise DataError(f"split {name!r}; expected one of {', '.join(SPLITS)}")
        return tuple(index for index, entry in enumerate(self.entries) if entry.split == name)


def stored_motion(sixd: np.ndarray, root: np.ndarray) -> Motion:
    """The motion of rows (T, 24, 6) and (T, 3) as a store has them, copied."""
    matrices = rot.sixd_to_matrix(torch.from_numpy(np.array(sixd)))
    return Motion(matrices, torch.from_numpy(np.array(root)), FPS, CANONICAL)


def write_manifest(folder: Path, source: str, entries: Sequence[Entry]) -> None:
    """Write ``manifest.json`` beside the two arrays, hashing them; the last step of making a store."""
    texts = list(dict.fromkeys(caption.text for entry in entries for caption in entry.captions))
    number = {text: index for index, text in enumerate(texts)}
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "motionclip": package_version("motionclip"),
        "source": source,
        "fps": FPS,
        "skeleton": _skeleton(),
        "arrays": {name: _describe(folder / name) for name in (SIXD, ROOT)},
        "texts": texts,
        "entries": [_row(entry, number) for entry in entries],
    }
    _write(folder, manifest)


def list_pictures(folder: Path, per_window: int, count: int, size: int) -> None:
    """Name ``frames.zip`` in the manifest of a store, hashing it: from then on it belongs to the store."""
    path = folder / FRAMES
    manifest = _read_manifest(folder / MANIFEST)
    pictures = Pictures(per_window, count, size, path.stat().st_size, _hash(path))
    last = {name: manifest.pop(name) for name in ("texts", "entries")}
    _write(folder, manifest | {"pictures": asdict(pictures)} | last)


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest: one text and one entry a line."""
    head = {name: value for name, value in manifest.items() if name not in ("texts", "entries")}
    text = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    for name in ("texts", "entries"):
        rows = [json.dumps(row, ensure_ascii=False) for row in manifest[name]]
        text += f',\n "{name}": [\n' + ",\n".join(rows) + "\n ]"
    with replacing(folder / MANIFEST) as path:
        path.write_text(text + "\n}\n", encoding="utf-8")


def _row(entry: Entry, number: dict[str, int]) -> dict[str, Any]:
    return {
        "key": entry.key,
        "dataset": entry.dataset,
        "split": entry.split,
        "start": entry.start,
        "num_frames": entry.num_frames,
        "category": entry.category,
        "style": entry.style,
        "captions": [_caption_row(caption, number) for caption in entry.captions],
    }


def _caption_row(caption: FrameCaption, number: dict[str, int]) -> list[Any]:
    row: list[Any] = [number[caption.text], caption.start, caption.end]
    return [*row, list(caption.categories)] if caption.categories else row


def _skeleton() -> dict[str, list[float]]:
    return {name: offset.tolist() for name, offset in zip(CANONICAL.names, CANONICAL.offsets, strict=True)}


def _describe(path: Path) -> dict[str, Any]:
    array = np.load(path, mmap_mode="r")
    return {"shape": list(array.shape), "dtype": str(array.dtype), "bytes": path.stat().st_size, "sha256": _hash(path)}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _read_manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"{path} is missing; expected a folder made by `motionclip prepare SOURCE --out {path.parent}`")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        kind = (manifest["format"], manifest["version"], manifest["fps"], manifest["skeleton"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged ({type(error).__name__}: {error}); prepare the store again") from error
    if kind[:3] != (FORMAT, VERSION, FPS):
        raise DataError(
            f"{path} is {kind[0]!r} version {kind[1]} at {kind[2]} fps; "
            f"expected {FORMAT!r} version {VERSION} at {FPS:g} fps"
        )
    if kind[3] != _skeleton():
        raise DataError(f"{path} was prepared for another skeleton than this version's; prepare the store again")
    return manifest


def _open_array(folder: Path, name: str, told: dict[str, Any], verify: bool) -> np.ndarray:
    path = folder / name
    _check_file(path, told["bytes"], told["sha256"], verify)
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if list(array.shape) != told["shape"] or str(array.dtype) != told["dtype"]:
        raise DataError(f"{path} is {array.dtype} {array.shape}; expected {told['dtype']} {tuple(told['shape'])}")
    return array


def _check_file(path: Path, size: int, digest: str, verify: bool) -> None:
    """A file of the store must be there and have its size, and with ``verify`` its hash."""
    if not path.is_file():
        raise DataError(f"{path} is missing; prepare the store again")
    if path.stat().st_size != size:
        raise DataError(f"{path} has {path.stat().st_size} bytes; expected {size}: prepare the store again")
    if verify and _hash(path) != digest:
        raise DataError(f"{path} is damaged: its SHA-256 is not the manifest's; prepare the store again")


def _entries(manifest: dict[str, Any]) -> tuple[Entry, ...]:
    texts: list[str] = manifest["texts"]
    return tuple(
        Entry(
            key=row["key"],
            dataset=row["dataset"],
            split=row["split"],
            start=row["start"],
            num_frames=row["num_frames"],
            captions=tuple(_caption(texts, *caption) for caption in row["captions"]),
            category=row["category"],
            style=row["style"],
        )
        for row in manifest["entries"]
    )


def _caption(texts: list[str], number: int, start: int, end: int, categories: Sequence[str] = ()) -> FrameCaption:
    return FrameCaption(texts[number], start, end, tuple(categories))


def _check_rows(folder: Path, entries: Sequence[Entry], rows: int) -> None:
    """Entries must follow one another without gaps and fill the arrays."""
    expected = 0
    for entry in entries:
        if entry.start != expected or entry.num_frames < 1 or entry.split not in SPLITS:
            raise DataError(f"{folder / MANIFEST}: entry {entry.key!r} does not follow the one before it")
        expected += entry.num_frames
    if expected != rows:
        raise DataError(f"{folder / MANIFEST}: its entries have {expected} frames and the arrays {rows}")
