"""From a source to a store: every clip on the canonical skeleton at 30 fps, or refused with a reason.

Each finished clip, and its pictures, are kept in a folder ``.NAME.partial`` beside the store until all are done, so
that a run that was killed goes on where it stopped, and several machines can share the work. The store's bytes do not
depend on that, nor on the number of processes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np

from motionclip.data.clip import Clip, Item, Source
from motionclip.data.frames import WINDOW, draw_part, join_parts, pictured_frames
from motionclip.data.shards import Shard, locked
from motionclip.data.store import (
    FPS,
    MANIFEST,
    REPORT,
    ROOT,
    SIXD,
    Entry,
    FrameCaption,
    Store,
    stored_motion,
    write_manifest,
)
from motionclip.data.workers import do_all
from motionclip.errors import DataError, MotionClipError
from motionclip.formats.files import replacing
from motionclip.motion import Motion, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import retarget, retarget_report
from motionclip.progress import ProgressCallback

# Finished clips of a preparation that is under way: one npz file each, written whole or not at all.
#
# The folder has a plan, which names all that the clips depend on; clips never lie in it without one.


_PLAN = "plan.json"


@dataclass(frozen=True)
class HttpError:
    """A clip that is not in the store, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class Retargeting:
    """How well a clip was put onto the canonical skeleton.

    Attributes:
        key: name of the clip.
        mean_deg: mean angle between its bones' directions and the source's, degrees.
        max_deg: largest such angle, degrees.
        foot_height_m: height of the lowest sole over the floor, metres.
        flips: joints that jump by more than a body can, between two frames.
    """

    key: str
    mean_deg: float
    max_deg: float
    foot_height_m: float
    flips: int


@dataclass(frozen=True)
class Prepared:
    """A clip that is done: its entry, whose first row is not known yet (0), and its errors."""

    entry: Entry
    errors: Retargeting


def open_parts(folder: Path, plan: str, *, shared: bool) -> None:
    """Make the folder of finished clips, or go on with the one that is there.

    Args:
        folder: where they are kept.
        plan: names all that the clips depend on.
        shared: others may be working in the folder; else, what belongs to another plan is removed.

    Raises:
        DataError: if a shared folder belongs to another plan.
    """
    path = folder / _PLAN
    if path.is_file() and path.read_text(encoding="utf-8") == plan:
        return
    if shared and path.is_file():
        raise DataError(
            f"{folder} holds parts of another source, of files that have changed since, or of another version; "
            f"delete it and run all shards again"
        )
    if not shared and folder.exists():
        discard_parts(folder)
    write_whole(path, plan.encode())


def discard_parts(folder: Path) -> None:
    """Remove the folder of finished clips, its plan last."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _PLAN:
            path.unlink()
    shutil.rmtree(folder)


def part_path(folder: Path, number: int) -> Path:
    """Where clip ``number`` is kept."""
    return folder / f"{number:06d}.npz"


def pictures_path(folder: Path, number: int, per_window: int) -> Path:
    """Where the pictures of clip ``number`` are kept; those of another spacing are not in their way."""
    return folder / f"frames-{per_window}" / f"{number:06d}.zip"


def write_part(folder: Path, number: int, result: Prepared | HttpError, motion: Motion | None = None) -> None:
    """Keep what became of clip ``number``, with its motion on the canonical skeleton where there is one."""
    with replacing(part_path(folder, number)) as path, path.open("wb") as file:
        about = np.array(json.dumps(asdict(result)))
        if motion is None:
            np.savez(file, about=about)
        else:
            sixd = rot.matrix_to_sixd(motion.rotations).numpy().astype(np.float32)
            np.savez(file, about=about, sixd=sixd, root=motion.root.numpy().astype(np.float32))


def read_part(folder: Path, number: int) -> Prepared | HttpError:
    """What became of clip ``number``."""
    with np.load(part_path(folder, number), allow_pickle=False) as held:
        about = json.loads(str(held["about"]))
    if "reason" in about:
        return HttpError(**about)
    rows = about["entry"].pop("captions")
    captions = tuple(FrameCaption(**row | {"categories": tuple(row.get("categories", ()))}) for row in rows)
    return Prepared(Entry(captions=captions, **about["entry"]), Retargeting(**about["errors"]))


def read_array(folder: Path, number: int, name: str) -> np.ndarray:
    """The array of clip ``number`` that goes into the store's file ``name``."""
    with np.load(part_path(folder, number), allow_pickle=False) as held:
        array: np.ndarray = held[Path(name).stem]
    return array


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


# What a preparation made, and ``report.json``.


@dataclass(frozen=True)
class PrepareReport:
    """What ``prepare`` made.

    Attributes:
        source: how the source was named.
        clips: number of clips in the store.
        frames: number of frames in the store, at 30 fps.
        captions: number of captions, counted once per clip.
        texts: number of distinct sentences.
        splits: number of clips of each split that occurs.
        refused: clips that were left out.
        retargeting: errors of each clip in the store.
    """

    source: str
    clips: int
    frames: int
    captions: int
    texts: int
    splits: dict[str, int]
    refused: tuple[HttpError, ...]
    retargeting: tuple[Retargeting, ...]

    @property
    def minutes(self) -> float:
        return self.frames / FPS / 60


def report_of(
    source: str, entries: Sequence[Entry], refused: tuple[HttpError, ...], errors: Sequence[Retargeting]
) -> PrepareReport:
    """The report on the entries of a store and on what was left out."""
    splits = [entry.split for entry in entries]
    return PrepareReport(
        source=source,
        clips=len(entries),
        frames=sum(entry.num_frames for entry in entries),
        captions=sum(len(entry.captions) for entry in entries),
        texts=len({caption.text for entry in entries for caption in entry.captions}),
        splits={name: splits.count(name) for name in dict.fromkeys(splits)},
        refused=refused,
        retargeting=tuple(errors),
    )


def write_report(folder: Path, report: PrepareReport) -> None:
    """Write ``report.json`` into a store."""
    write_whole(folder / REPORT, (json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n").encode())


def read_report(folder: Path) -> PrepareReport:
    """The report of a store.

    Raises:
        DataError: if it is missing or damaged.
    """
    try:
        told = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        refused = tuple(HttpError(**row) for row in told.pop("refused"))
        retargeting = tuple(Retargeting(**row) for row in told.pop("retargeting"))
        return PrepareReport(refused=refused, retargeting=retargeting, **told)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / REPORT} is missing or damaged ({error}); prepare the store again") from error


def prepare(
    source: Source,
    out: str | Path,
    *,
    frames: int = 0,
    workers: int = 0,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> PrepareReport:
    """Write the store of a source; what earlier runs on it, or on shares of it, have finished is used.

    A store of the same source that is there already and has no pictures gets them, without reading the source again.

    Args:
        source: what to read.
        out: folder of the store; its parent is created.
        frames: pictures for every two seconds of a clip, see ``data.frames``; 0 means none.
        workers: processes; 0 means one per core, 1 means this one.
        overwrite: replace a store that is already there.
        progress: called with the number of clips done and of all, as they are done.

    Returns:
        The report that is also in the store, in ``report.json``.

    Raises:
        DataError: if ``out`` is taken or being made by another process, nothing could be prepared, or a process died.
    """
    job = _job(source, Path(out), frames, overwrite)
    with locked(job.out, job.parts, None):
        open_parts(job.parts, job.plan, shared=False)
        _do(job, job.works, workers, progress)
        report = job.finish()
        discard_parts(job.parts)
    return report


def prepare_shard(
    source: Source,
    out: str | Path,
    shard: Shard,
    *,
    frames: int = 0,
    workers: int = 0,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> None:
    """Do one share of what ``prepare`` with the same arguments has to do, and leave the result beside ``out``.

    Shares may run at the same time, on one machine or on several with a common file system. ``prepare`` puts the
    finished parts together, and makes those that are missing.

    Raises:
        DataError: if ``out`` is taken, the same share or the whole is being worked on, the folder of parts belongs to
            other input, or a process died.
    """
    job = _job(source, Path(out), frames, overwrite)
    with locked(job.out, job.parts, shard):
        open_parts(job.parts, job.plan, shared=True)
        _do(job, shard.of(job.works), workers, progress)


@dataclass(frozen=True)
class _Job:
    """What a run has to do.

    Attributes:
        out: the store.
        parts: where finished parts are kept.
        plan: tells whether parts that lie there are still of use.
        works: pieces of work, each with its number.
        make: does one of them; what of it is done already stays as it is.
        files: the files of a finished piece of work, by its number.
        finish: puts the finished parts together.
    """

    out: Path
    parts: Path
    plan: str
    works: Sequence[tuple[int, Any]]
    make: Callable[[tuple[int, Any]], None]
    files: Callable[[int], Sequence[Path]]
    finish: Callable[[], PrepareReport]


def _job(source: Source, out: Path, frames: int, overwrite: bool) -> _Job:
    if frames:
        pictured_frames(WINDOW, frames)  # refuses what is no number of pictures, before anything is read
    is_store = (out / MANIFEST).is_file()
    if is_store and frames and not overwrite:
        return _new_pictures(_without_pictures(source, out), frames)
    if out.exists() and not (overwrite and is_store):
        raise DataError(f"{out} exists; expected a new folder, or a store together with overwrite")
    return _new_store(source, out, frames)


def _parts_folder(out: Path) -> Path:
    return out.with_name(f".{out.name}.partial")


def _new_store(source: Source, out: Path, frames: int) -> _Job:
    """The job of preparing every clip of a source, and its pictures if any are wanted."""
    parts = _parts_folder(out)

    def files(number: int) -> list[Path]:
        return [part_path(parts, number)] + ([pictures_path(parts, number, frames)] if frames else [])

    def finish() -> PrepareReport:
        folder = parts / "store"
        shutil.rmtree(folder, ignore_errors=True)
        report = _assemble(source, parts, folder, frames)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
        return report

    plan = json.dumps([package_version("motionclip"), source.spec, [_mark(item) for item in source.items]])
    return _Job(out, parts, plan, list(enumerate(source.items)), partial(_make_part, parts, frames), files, finish)


def _mark(item: Item) -> list[Any]:
    """What tells that an item is still the same: all that its source knows of it and, for a file, size and time."""
    known = sha256(repr(item).encode()).hexdigest()
    if item.path is None or not item.path.is_file():
        return [item.key, known]
    stat = item.path.stat()
    return [item.key, known, stat.st_size, stat.st_mtime_ns]


def _new_pictures(store: Store, frames: int) -> _Job:
    """The job of drawing the pictures of a store that has none."""
    parts = _parts_folder(store.folder)

    def files(number: int) -> list[Path]:
        return [pictures_path(parts, number, frames)]

    def finish() -> PrepareReport:
        join_parts(store.folder, (pictures_path(parts, number, frames) for number in range(len(store))), frames)
        return read_report(store.folder)

    plan = json.dumps([package_version("motionclip"), "pictures", store.sha256])
    make = partial(_draw_entry, store.folder, parts, frames)
    return _Job(store.folder, parts, plan, list(enumerate(store.entries)), make, files, finish)


def _without_pictures(source: Source, out: Path) -> Store:
    """The store in ``out``, if it is of that source and has no pictures."""
    store = Store.open(out)
    if store.pictures is not None:
        raise DataError(
            f"{out} has {store.pictures.per_window} pictures for every two seconds already; "
            f"expected a store without pictures, or overwrite to prepare it anew"
        )
    refused = [refusal.key for refusal in read_report(out).refused]
    held = {entry.key for entry in store.entries} | set(refused)
    if store.source != source.spec or held != {item.key for item in source.items}:
        raise DataError(
            f"{out} was prepared from {store.source} and does not hold the clips that {source.spec} has now; "
            f"pictures can be added with the same source, overwrite prepares it anew"
        )
    return store


def _do(job: _Job, works: Sequence[tuple[int, Any]], workers: int, progress: ProgressCallback | None) -> None:
    """Do those of some pieces of work that are not done."""
    todo = [work for work in works if not all(path.is_file() for path in job.files(work[0]))]
    done = len(works) - len(todo)
    if progress is not None:
        progress(done, len(works))
    for count, _ in enumerate(do_all(job.make, todo, workers or os.cpu_count() or 1), done + 1):
        if progress is not None:
            progress(count, len(works))


def canonical_clip(clip: Clip) -> tuple[Clip, Retargeting]:
    """The clip on the canonical skeleton at 30 fps with its feet on the floor, and how well that went.

    Raises:
        SkeletonError: if joints that the canonical skeleton needs are missing.
    """
    source = resample(clip.motion, FPS)
    target = retarget(source)
    told = retarget_report(source, target)
    errors = Retargeting(
        clip.key,
        round(float(told.bone_direction_error_deg_mean), 4),
        round(float(told.bone_direction_error_deg_max), 4),
        round(float(told.foot_height_m), 5),
        int(told.flips),
    )
    moved = Clip(clip.key, clip.dataset, clip.split, target, clip.captions, clip.category, clip.style)
    return moved, errors


def frame_captions(clip: Clip) -> tuple[FrameCaption, ...]:
    """The clip's captions with their spans in frames of its motion, each at least one frame long."""
    frames = clip.motion.num_frames
    spans = []
    for caption in clip.captions:
        start = min(round(caption.start * clip.motion.fps), frames - 1)
        end = min(max(round(caption.end * clip.motion.fps), start + 1), frames)
        spans.append(FrameCaption(caption.text, start, end, caption.categories))
    return tuple(spans)


def _make_part(parts: Path, frames: int, work: tuple[int, Item]) -> None:
    """Prepare one item with its pictures and keep the result, or the reason why there is none."""
    number, item = work
    if not part_path(parts, number).is_file():
        _make_clip(parts, number, item)
    if frames:
        refused = isinstance(read_part(parts, number), HttpError)
        # As the store will have it, so that pictures drawn from a store are the same.
        motion = None if refused else stored_motion(*(read_array(parts, number, name) for name in (SIXD, ROOT)))
        draw_part(pictures_path(parts, number, frames), motion, frames)


def _make_clip(parts: Path, number: int, item: Item) -> None:
    try:
        clip, errors = canonical_clip(item.read())
    except MotionClipError as error:
        write_part(parts, number, HttpError(item.key, f"{type(error).__name__}: {error}"))
        return
    entry = Entry(
        key=clip.key,
        dataset=clip.dataset,
        split=clip.split,
        start=0,
        num_frames=clip.motion.num_frames,
        captions=frame_captions(clip),
        category=clip.category,
        style=clip.style,
    )
    write_part(parts, number, Prepared(entry, errors), clip.motion)


def _draw_entry(folder: Path, parts: Path, frames: int, work: tuple[int, Entry]) -> None:
    """Draw the pictures of one entry of a store."""
    number, entry = work
    rows = slice(entry.start, entry.start + entry.num_frames)
    sixd, root = (np.load(folder / name, mmap_mode="r", allow_pickle=False)[rows] for name in (SIXD, ROOT))
    draw_part(pictures_path(parts, number, frames), stored_motion(sixd, root), frames)


def _assemble(source: Source, parts: Path, folder: Path, frames: int) -> PrepareReport:
    """Put the finished clips together into a store in ``folder``."""
    folder.mkdir()
    results = [read_part(parts, number) for number in range(len(source.items))]
    refused = tuple(result for result in results if isinstance(result, HttpError))
    kept = {number: result for number, result in enumerate(results) if isinstance(result, Prepared)}
    if not kept:
        told = f"; the first: {refused[0].key}: {refused[0].reason}" if refused else ""
        raise DataError(f"nothing of {source.spec} could be prepared ({len(refused)} clips refused{told})")
    for name in (SIXD, ROOT):
        np.save(folder / name, np.concatenate([read_array(parts, number, name) for number in kept]))
    entries = _placed([result.entry for result in kept.values()])
    write_manifest(folder, source.spec, entries)
    if frames:
        join_parts(folder, (pictures_path(parts, number, frames) for number in kept), frames)
    report = report_of(source.spec, entries, refused, [result.errors for result in kept.values()])
    write_report(folder, report)
    Store.open(folder)
    return report


def _placed(entries: Iterable[Entry]) -> list[Entry]:
    """The entries one after another."""
    placed, start = [], 0
    for entry in entries:
        placed.append(replace(entry, start=start))
        start += entry.num_frames
    return placed
