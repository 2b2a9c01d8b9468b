"""The prepared store: motions of a data set on the canonical skeleton, as memory-mapped arrays and a manifest.

A store is a folder of four files:

``sixd.npy``       (N, 24, 6) float32: local rotations as 6D (``motion.rotations``), all clips one after another.
``root.npy``       (N, 3) float32: world position of the pelvis, metres, y = 0 is the floor.
``manifest.json``  format, rate, source, hashes of the arrays, distinct texts, and one entry per clip.
``report.json``    what was refused and why, and the retargeting errors of each clip.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motionclip.data.clip import SPLITS
from motionclip.errors import DataError
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

FORMAT, VERSION = "motionclip-store", 1

#: Frames per second of everything in a store.
FPS = 30.0

MANIFEST, REPORT, SIXD, ROOT = "manifest.json", "report.json", "sixd.npy", "root.npy"


@dataclass(frozen=True)
class FrameCaption:
    """A sentence about the frames ``start`` to ``end`` (exclusive) of an entry."""

    text: str
    start: int
    end: int


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


@dataclass(frozen=True, eq=False)
class Store:
    """Prepared clips; the arrays stay on disk until their rows are read.

    Attributes:
        folder: where the store lies.
        source: how its source was named when it was prepared.
        entries: its clips, in the order of their rows.
        sixd: (N, 24, 6) float32, memory-mapped, read-only.
        root: (N, 3) float32, metres, memory-mapped, read-only.
    """

    folder: Path
    source: str
    entries: tuple[Entry, ...]
    sixd: np.ndarray
    root: np.ndarray

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
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise DataError(
                f"{folder / MANIFEST} is damaged ({type(error).__name__}: {error}); prepare the store again"
            ) from error
        _check_rows(folder, entries, len(arrays[ROOT]))
        return cls(folder, source, entries, arrays[SIXD], arrays[ROOT])

    def __len__(self) -> int:
        return len(self.entries)

    def motion(self, index: int) -> Motion:
        """Clip ``index`` on the canonical skeleton at 30 fps, a copy of its rows."""
        entry = self.entries[index]
        rows = slice(entry.start, entry.start + entry.num_frames)
        sixd = torch.from_numpy(np.array(self.sixd[rows]))
        root = torch.from_numpy(np.array(self.root[rows]))
        return Motion(rot.sixd_to_matrix(sixd), root, FPS, CANONICAL)

    def split(self, name: str) -> tuple[int, ...]:
        """Indices of the entries of a split.

        Raises:
            DataError: if there is no such split.
        """
        if name not in SPLITS:
            raise DataError(f"split {name!r}; expected one of {', '.join(SPLITS)}")
        return tuple(index for index, entry in enumerate(self.entries) if entry.split == name)


def write_manifest(folder: Path, source: str, entries: Sequence[Entry]) -> None:
    """Write ``manifest.json`` beside the two arrays, hashing them; the last step of making a store."""
    texts = list(dict.fromkeys(caption.text for entry in entries for caption in entry.captions))
    number = {text: index for index, text in enumerate(texts)}
    head = {
        "format": FORMAT,
        "version": VERSION,
        "motionclip": package_version("motionclip"),
        "source": source,
        "fps": FPS,
        "skeleton": _skeleton(),
        "arrays": {name: _describe(folder / name) for name in (SIXD, ROOT)},
    }
    lines = [json.dumps(_row(entry, number), ensure_ascii=False) for entry in entries]
    text = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    text += ',\n "texts": [\n' + ",\n".join(json.dumps(text, ensure_ascii=False) for text in texts) + "\n ]"
    text += ',\n "entries": [\n' + ",\n".join(lines) + "\n ]\n}\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _row(entry: Entry, number: dict[str, int]) -> dict[str, Any]:
    return {
        "key": entry.key,
        "dataset": entry.dataset,
        "split": entry.split,
        "start": entry.start,
        "num_frames": entry.num_frames,
        "category": entry.category,
        "style": entry.style,
        "captions": [[number[caption.text], caption.start, caption.end] for caption in entry.captions],
    }


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
    if not path.is_file():
        raise DataError(f"{path} is missing; prepare the store again")
    if path.stat().st_size != told["bytes"]:
        raise DataError(f"{path} has {path.stat().st_size} bytes; expected {told['bytes']}: prepare the store again")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if list(array.shape) != told["shape"] or str(array.dtype) != told["dtype"]:
        raise DataError(f"{path} is {array.dtype} {array.shape}; expected {told['dtype']} {tuple(told['shape'])}")
    if verify and _hash(path) != told["sha256"]:
        raise DataError(f"{path} is damaged: its SHA-256 is not the manifest's; prepare the store again")
    return array


def _entries(manifest: dict[str, Any]) -> tuple[Entry, ...]:
    texts: list[str] = manifest["texts"]
    return tuple(
        Entry(
            key=row["key"],
            dataset=row["dataset"],
            split=row["split"],
            start=row["start"],
            num_frames=row["num_frames"],
            captions=tuple(FrameCaption(texts[number], start, end) for number, start, end in row["captions"]),
            category=row["category"],
            style=row["style"],
        )
        for row in manifest["entries"]
    )


def _check_rows(folder: Path, entries: Sequence[Entry], rows: int) -> None:
    """Entries must follow one another without gaps and fill the arrays."""
    expected = 0
    for entry in entries:
        if entry.start != expected or entry.num_frames < 1 or entry.split not in SPLITS:
            raise DataError(f"{folder / MANIFEST}: entry {entry.key!r} does not follow the one before it")
        expected += entry.num_frames
    if expected != rows:
        raise DataError(f"{folder / MANIFEST}: its entries have {expected} frames and the arrays {rows}")
