"""From a source to a store: every clip on the canonical skeleton at 30 fps, or refused with a reason.

Each finished clip is kept in a folder ``.NAME.partial`` beside the store until all are done, so that a
run that was killed goes on where it stopped; the store's bytes do not depend on that, nor on the
number of processes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from importlib.metadata import version as package_version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motionclip.data.clip import Clip
from motionclip.data.parts import (
    Prepared,
    Refusal,
    Retargeting,
    part_path,
    read_array,
    read_part,
    write_part,
    write_whole,
)
from motionclip.data.source import Item, Source
from motionclip.data.store import FPS, MANIFEST, REPORT, ROOT, SIXD, Entry, FrameCaption, Store, write_manifest
from motionclip.errors import DataError, MotionClipError
from motionclip.motion import resample
from motionclip.motion.retarget import retarget, retarget_report

try:
    import fcntl
except ImportError:  # not on Windows, where two runs at once are not kept apart
    fcntl = None  # type: ignore[assignment]

_PLAN = "plan.json"


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
    refused: tuple[Refusal, ...]
    retargeting: tuple[Retargeting, ...]

    @property
    def minutes(self) -> float:
        return self.frames / FPS / 60


def prepare(
    source: Source,
    out: str | Path,
    *,
    workers: int = 0,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> PrepareReport:
    """Write the store of a source.

    Args:
        source: what to read.
        out: folder of the store; its parent is created.
        workers: processes; 0 means one per core, 1 means this one.
        overwrite: replace a store that is already there.
        progress: called with the number of clips done and of all, as they are done.

    Returns:
        The report that is also written to ``report.json`` in the store.

    Raises:
        DataError: if ``out`` is taken or being made by another process, nothing could be prepared, or a process died.
    """
    out = Path(out)
    if out.exists() and not (overwrite and (out / MANIFEST).is_file()):
        raise DataError(f"{out} exists; expected a new folder, or a store together with overwrite")
    parts = out.with_name(f".{out.name}.partial")
    with _alone(out):
        _open_parts(source, parts)
        _make_parts(source.items, parts, workers or os.cpu_count() or 1, progress)
        report = _assemble(source, parts, parts / "store")
        if out.exists():
            shutil.rmtree(out)
        (parts / "store").rename(out)
        shutil.rmtree(parts)
    return report


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep a second run out while one is making ``out``; a lock dies with its process, however that ends."""
    out.parent.mkdir(parents=True, exist_ok=True)
    path = out.with_name(f".{out.name}.lock")
    with path.open("w") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataError(f"{out} is being prepared by another process; wait for it or stop it") from None
        yield
        path.unlink()


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
        spans.append(FrameCaption(caption.text, start, end))
    return tuple(spans)


def _open_parts(source: Source, folder: Path) -> None:
    """Make the folder of finished clips; what an older run of another source left there is removed."""
    plan = json.dumps([package_version("motionclip"), source.spec, [_mark(item) for item in source.items]])
    path = folder / _PLAN
    if not path.is_file() or path.read_text(encoding="utf-8") != plan:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_whole(path, plan.encode())
    shutil.rmtree(folder / "store", ignore_errors=True)


def _mark(item: Item) -> list[Any]:
    """What tells that an item is still the same: all that its source knows of it and, for a file, size and time."""
    known = sha256(repr(item).encode()).hexdigest()
    if item.path is None or not item.path.is_file():
        return [item.key, known]
    stat = item.path.stat()
    return [item.key, known, stat.st_size, stat.st_mtime_ns]


def _make_parts(items: Sequence[Item], parts: Path, workers: int, progress: Callable[[int, int], None] | None) -> None:
    todo = [(number, item) for number, item in enumerate(items) if not part_path(parts, number).is_file()]
    done = len(items) - len(todo)
    if progress is not None:
        progress(done, len(items))
    for count, _ in enumerate(_run(partial(_make_part, parts), todo, workers), done + 1):
        if progress is not None:
            progress(count, len(items))


def _run(make: Callable[[tuple[int, Item]], None], todo: Sequence[tuple[int, Item]], workers: int) -> Iterator[None]:
    """Do each piece of work, in this process or in several."""
    if workers == 1 or len(todo) < 2:
        yield from map(make, todo)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,))
    with pool:
        try:
            yield from pool.map(make, todo, chunksize=4)
        except BrokenProcessPool as error:
            raise DataError(
                "a worker process died (out of memory?); run the same command again to go on, with fewer workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _make_part(parts: Path, work: tuple[int, Item]) -> None:
    """Prepare one item and keep the result, or the reason why there is none."""
    number, item = work
    try:
        clip, errors = canonical_clip(item.read())
    except MotionClipError as error:
        write_part(parts, number, Refusal(item.key, f"{type(error).__name__}: {error}"))
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


def _assemble(source: Source, parts: Path, folder: Path) -> PrepareReport:
    """Put the finished clips together into a store in ``folder``."""
    folder.mkdir()
    results = [read_part(parts, number) for number in range(len(source.items))]
    refused = tuple(result for result in results if isinstance(result, Refusal))
    kept = {number: result for number, result in enumerate(results) if isinstance(result, Prepared)}
    if not kept:
        told = f"; the first: {refused[0].key}: {refused[0].reason}" if refused else ""
        raise DataError(f"nothing of {source.spec} could be prepared ({len(refused)} clips refused{told})")
    for name in (SIXD, ROOT):
        np.save(folder / name, np.concatenate([read_array(parts, number, name) for number in kept]))
    entries = _placed([result.entry for result in kept.values()])
    write_manifest(folder, source.spec, entries)
    report = _report(source.spec, entries, refused, [result.errors for result in kept.values()])
    write_whole(folder / REPORT, (json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n").encode())
    Store.open(folder)
    return report


def _placed(entries: Iterable[Entry]) -> list[Entry]:
    """The entries one after another."""
    placed, start = [], 0
    for entry in entries:
        placed.append(replace(entry, start=start))
        start += entry.num_frames
    return placed


def _report(
    source: str, entries: Sequence[Entry], refused: tuple[Refusal, ...], errors: Sequence[Retargeting]
) -> PrepareReport:
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
