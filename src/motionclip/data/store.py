"""The prepared store: motions of a data set on the canonical skeleton, as memory-mapped arrays and a manifest.

A store is a folder of four files, or five:

``sixd.npy``       (N, 24, 6) float32: local rotations as 6D (``motion.rotations``), all clips one after another.
``root.npy``       (N, 3) float32: world position of the pelvis, metres, y = 0 is the floor.
``manifest.json``  format, rate, source, hashes of the arrays, distinct texts, and one entry per clip.
``report.json``    what was refused and why, and the retargeting errors of each clip (``data.prepare``).
``frames.zip``     if asked for, rendered frames: PNG files ``ENTRY/FRAME.png``, by number of entry and frame.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from importlib.metadata import version as package_version
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any
from zipfile import ZipFile, ZipInfo

import numpy as np
import torch
from msgspec import Meta, Struct
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.data.clip import SPLITS
from motionclip.errors import DataError
from motionclip.formats.files import replacing
from motionclip.gate.arrays import open_array
from motionclip.gate.documents import Count, DocumentError, parse, parse_object
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

FORMAT, VERSION = "motionclip-store", 1

#: Frames per second of everything in a store.
FPS = 30.0

MANIFEST, REPORT, SIXD, ROOT, FRAMES = "manifest.json", "report.json", "sixd.npy", "root.npy", "frames.zip"
_ARRAYS = (SIXD, ROOT)
_RENDERED = "pictures"  # key of the rendered frames in the manifest

#: Rendered frames are counted per two seconds, the paper's window.
WINDOW = round(2 * FPS)

_ROWS = 100_000  # of an array that are checked at once
_CHUNK = 64  # frames rendered at once: all those of a long clip would fill the memory
_PNG_EFFORT = 3  # of 9: half the time of the usual 6, and no larger


@dataclass(frozen=True)
class FrameCaption:
    """A sentence about the frames ``start`` to ``end`` (exclusive) of an entry, with its action categories, if any."""

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
        category: what is done, where the data set names it.
        style: how it is done, where the data set names it.
        captions: sentences with the frames they describe, the preferred one first.
    """

    key: str
    dataset: str
    split: str
    start: int
    num_frames: int
    category: str | None = None
    style: str | None = None
    captions: tuple[FrameCaption, ...] = ()


@dataclass(frozen=True)
class RenderedFrames:
    """The manifest's description of ``frames.zip``.

    Attributes:
        per_window: rendered frames for every two seconds of a clip.
        count: rendered frames of all clips.
        size: pixels of a side.
        bytes: size of the file.
        sha256: hash of the file.
        body: name of the body's file, or ``default``.
    """

    per_window: int
    count: int
    size: Annotated[int, Meta(ge=1, le=1024)]
    bytes: int
    sha256: str
    body: str = "default"


@dataclass(frozen=True, eq=False)
class Store:
    """Prepared clips; the arrays stay on disk until their rows are read.

    Attributes:
        folder: the store's folder.
        source: the source that it was prepared from, as ``open_source`` takes it.
        entries: its clips, in the order of their rows.
        sixd: (N, 24, 6) float32, memory-mapped, read-only.
        root: (N, 3) float32, metres, memory-mapped, read-only.
        sha256: one hash of both arrays, made from those in the manifest.
        rendered_frames: description of ``frames.zip``, or None without one.
    """

    folder: Path
    source: str
    entries: tuple[Entry, ...]
    sixd: np.ndarray
    root: np.ndarray
    sha256: str
    rendered_frames: RenderedFrames | None

    @classmethod
    def open(cls, folder: str | Path, *, verify: bool = False) -> Store:
        """Returns the store in ``folder``.

        Args:
            folder: a folder written by ``prepare``.
            verify: read all files whole and compare their hashes.

        Raises:
            DataError: if it is not a store, or its files are damaged or do not fit together.
        """
        folder = Path(folder)
        manifest = _read_manifest(folder / MANIFEST)
        try:
            entries = tuple(_entry_from_json(row, manifest.texts) for row in manifest.entries)
            arrays = {name: _open_array(folder / name, manifest.arrays[name], verify) for name in _ARRAYS}
            digest = sha256("".join(manifest.arrays[name].sha256 for name in _ARRAYS).encode()).hexdigest()
        except (KeyError, IndexError) as error:
            raise DataError(
                f"{folder / MANIFEST} is damaged ({type(error).__name__}: {error}); prepare the store again"
            ) from error
        rendered = manifest.pictures
        rows = 0
        for entry in entries:  # one after another, without gaps
            if entry.start != rows or entry.num_frames < 1 or entry.split not in SPLITS:
                raise DataError(f"{folder / MANIFEST}: entry {entry.key!r} does not follow the one before it")
            rows += entry.num_frames
        if rows != len(arrays[ROOT]):
            raise DataError(f"{folder / MANIFEST}: its entries have {rows} frames and the arrays {len(arrays[ROOT])}")
        if rendered is not None:
            _check_file(folder / FRAMES, rendered.bytes, rendered.sha256, verify)
        return cls(folder, manifest.source, entries, arrays[SIXD], arrays[ROOT], digest, rendered)

    def __len__(self) -> int:
        return len(self.entries)

    def motion(self, index: int) -> Motion:
        """Returns clip ``index`` on the canonical skeleton at 30 fps, a copy of its rows."""
        entry = self.entries[index]
        rows = slice(entry.start, entry.start + entry.num_frames)
        return stored_motion(self.sixd[rows], self.root[rows])

    def split(self, name: str) -> tuple[int, ...]:
        """Returns the indices of the entries of a split.

        Raises:
            DataError: if there is no such split.
        """
        if name not in SPLITS:
            raise DataError(f"split {name!r}; expected one of {', '.join(SPLITS)}")
        return tuple(index for index, entry in enumerate(self.entries) if entry.split == name)

    def frame_images(self, frames: Iterable[tuple[int, int]]) -> Iterator[NDArray[np.uint8]]:
        """Yields the images (H, W, 3) of frames, given as (index of the entry, frame in it).

        They are read from ``frames.zip``, or rendered, to the same bytes, where the store has none.

        Raises:
            DataError: if an image is missing or damaged.
        """
        from PIL import Image

        if self.rendered_frames is None:
            for entry, group in groupby(frames, key=lambda pair: pair[0]):
                yield from _render_in_chunks(self.motion(entry), [frame for _, frame in group])
            return
        path = self.folder / FRAMES
        try:
            with ZipFile(path) as archive:
                for entry, frame in frames:
                    with archive.open(f"{entry}/{frame}.png") as file, Image.open(file) as image:
                        if image.size != (self.rendered_frames.size,) * 2:  # known before it is unpacked
                            raise ValueError(f"picture {entry}/{frame} has {image.size} pixels")
                        yield np.asarray(image.convert("RGB"))
        except Exception as error:  # a damaged picture can raise nearly anything
            raise DataError(f"{path} is damaged ({error}); prepare the store again") from error


def stored_motion(sixd: np.ndarray, root: np.ndarray) -> Motion:
    """Returns the motion of a store's rows (T, 24, 6) and (T, 3), copied."""
    matrices = rot.sixd_to_matrix(torch.from_numpy(np.array(sixd)))
    return Motion(matrices, torch.from_numpy(np.array(root)), FPS, CANONICAL)


def frames_to_render(num_frames: int, per_window: int) -> list[int]:
    """Returns the frames of a clip that are rendered: evenly spaced, at most ``WINDOW / per_window`` frames apart.

    So each run of two seconds has at least one, and a clip of any length too.

    Raises:
        DataError: if a window has no such number of frames.
    """
    if not 1 <= per_window <= WINDOW:
        raise DataError(f"{per_window} rendered frames for every two seconds; expected 1 to {WINDOW}")
    count = min(math.ceil(num_frames * per_window / WINDOW), num_frames)
    return [(2 * number + 1) * num_frames // (2 * count) for number in range(count)]


def render_archive(path: Path, motion: Motion | None, per_window: int, body: Body | None) -> None:
    """Renders frames of a clip into a zip file of ``FRAME.png`` files, which is empty without a motion."""
    from PIL import Image

    with replacing(path) as temporary, ZipFile(temporary, "w") as archive:
        if motion is not None:
            frames = frames_to_render(motion.num_frames, per_window)
            for frame, image in zip(frames, _render_in_chunks(motion, frames, body), strict=True):
                png = io.BytesIO()
                Image.fromarray(image).save(png, "PNG", compress_level=_PNG_EFFORT)
                archive.writestr(f"{frame}.png", png.getvalue())


def _render_in_chunks(motion: Motion, frames: Sequence[int], body: Body | None = None) -> Iterator[NDArray[np.uint8]]:
    """Yields the images (H, W, 3) of frames of a motion, rendered a few at a time."""
    from motionclip.render import render_clip_frames  # here, as few users of a store render: it loads SciPy

    for start in range(0, len(frames), _CHUNK):
        yield from render_clip_frames(motion, frames[start : start + _CHUNK], body=body)


def write_manifest(folder: Path, source: str, entries: Sequence[Entry]) -> None:
    """Writes ``manifest.json`` beside the two arrays, hashing them; the last step of making a store."""
    texts = list(dict.fromkeys(caption.text for entry in entries for caption in entry.captions))
    number = {text: index for index, text in enumerate(texts)}
    arrays = {}
    for name in _ARRAYS:
        array, size = np.load(folder / name, mmap_mode="r"), (folder / name).stat().st_size
        about = {"shape": list(array.shape), "dtype": str(array.dtype), "bytes": size}
        arrays[name] = {**about, "sha256": _hash(folder / name)}
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "motionclip": package_version("motionclip"),
        "source": source,
        "fps": FPS,
        "skeleton": _skeleton(),
        "arrays": arrays,
        "texts": texts,
        "entries": [_entry_to_json(entry, number) for entry in entries],
    }
    _write_json(folder, manifest)


def write_rendered_frames(folder: Path, archives: Iterable[Path], per_window: int, body: str) -> None:
    """Joins the archives of all entries (:func:`render_archive`) into ``frames.zip``; lists it in the manifest."""
    from motionclip.render.clip_frames import SIZE

    count, path = 0, folder / FRAMES
    with replacing(path) as temporary, ZipFile(temporary, "w") as joined:
        for entry, archive in enumerate(archives):
            with ZipFile(archive) as part:
                for name in part.namelist():
                    member = ZipInfo(f"{entry}/{name}")  # without date, and the same on every system
                    member.create_system = 3
                    joined.writestr(member, part.read(name))
                    count += 1
    manifest = parse_object((folder / MANIFEST).read_bytes())
    rendered = RenderedFrames(per_window, count, SIZE, path.stat().st_size, _hash(path), body)
    _write_json(folder, manifest | {_RENDERED: asdict(rendered)})


def _write_json(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Writes the manifest with one line for each text and each entry."""
    head = {name: value for name, value in manifest.items() if name not in ("texts", "entries")}
    text = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    for name in ("texts", "entries"):
        rows = [json.dumps(row, ensure_ascii=False) for row in manifest[name]]
        text += f',\n "{name}": [\n' + ",\n".join(rows) + "\n ]"
    with replacing(folder / MANIFEST) as path:
        path.write_text(text + "\n}\n", encoding="utf-8")


def _entry_to_json(entry: Entry, number: Mapping[str, int]) -> dict[str, Any]:
    """Returns an entry's row in the manifest; its captions are [number of the text, start, end, categories if any]."""
    captions = [
        [number[c.text], c.start, c.end, *([list(c.categories)] if c.categories else [])] for c in entry.captions
    ]
    return vars(entry) | {"captions": captions}


def _entry_from_json(row: _EntryRow, texts: Sequence[str]) -> Entry:
    captions = (FrameCaption(texts[each.text], each.start, each.end, each.categories) for each in row.captions)
    return Entry(row.key, row.dataset, row.split, row.start, row.num_frames, row.category, row.style, tuple(captions))


class _CaptionRow(Struct, array_like=True):
    """A caption in the manifest: the number of its text, its frames, and its categories if any."""

    text: Count
    start: Count
    end: Count
    categories: tuple[str, ...] = ()


class _EntryRow(Struct):
    """An entry in the manifest."""

    key: str
    dataset: str
    split: str
    start: Count
    num_frames: Count
    captions: list[_CaptionRow]
    category: str | None = None
    style: str | None = None


class _ArrayRow(Struct):
    """An array in the manifest."""

    shape: tuple[Count, ...]
    dtype: str
    bytes: int
    sha256: str


class _Manifest(Struct):
    """``manifest.json``."""

    format: str
    version: int
    fps: float
    skeleton: dict[str, tuple[float, float, float]]
    source: str
    arrays: dict[str, _ArrayRow]
    texts: list[str]
    entries: list[_EntryRow]
    pictures: RenderedFrames | None = None


def _skeleton() -> dict[str, list[float]]:
    return {name: offset.tolist() for name, offset in zip(CANONICAL.names, CANONICAL.offsets, strict=True)}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _read_manifest(path: Path) -> _Manifest:
    """Returns the manifest, of this format, frame rate and skeleton."""
    if not path.is_file():
        raise DataError(f"{path} is missing; expected a folder made by `motionclip prepare SOURCE --out {path.parent}`")
    try:
        manifest = parse(path.read_bytes(), _Manifest)
    except DocumentError as error:
        raise DataError(f"{path} is damaged ({error}); prepare the store again") from error
    kind = (manifest.format, manifest.version, manifest.fps)
    if kind != (FORMAT, VERSION, FPS):
        raise DataError(
            f"{path} is {kind[0]!r} version {kind[1]} at {kind[2]} fps; "
            f"expected {FORMAT!r} version {VERSION} at {FPS:g} fps"
        )
    if {name: list(offset) for name, offset in manifest.skeleton.items()} != _skeleton():
        raise DataError(f"{path} was prepared for another skeleton than this version's; prepare the store again")
    return manifest


def _open_array(path: Path, expected: _ArrayRow, verify: bool) -> np.ndarray:
    _check_file(path, expected.bytes, expected.sha256, verify)
    widths = {SIXD: (CANONICAL.num_joints, 6), ROOT: (3,)}
    try:
        array = open_array(path, (expected.shape[0] if expected.shape else 0, *widths[path.name]), "float32")
    except ValueError as error:
        raise DataError(f"{error}; prepare the store again") from error
    for start in range(0, len(array), _ROWS):
        if not np.isfinite(array[start : start + _ROWS]).all():
            raise DataError(f"{path} contains NaN or infinity; prepare the store again")
    return array


def _check_file(path: Path, size: int, digest: str, verify: bool) -> None:
    """Raises a DataError if a file is missing, or has another size or, with ``verify``, another hash."""
    if not path.is_file():
        raise DataError(f"{path} is missing; prepare the store again")
    if path.stat().st_size != size:
        raise DataError(f"{path} has {path.stat().st_size} bytes; expected {size}: prepare the store again")
    if verify and _hash(path) != digest:
        raise DataError(f"{path} is damaged: its SHA-256 is not the manifest's; prepare the store again")
