"""From a source to a store: every clip on the canonical skeleton at 30 fps, or refused with a reason.

Each finished clip, and its rendered frames, are kept in a folder ``.NAME.partial`` beside the store until all are done,
so that a run that was stopped goes on where it was. The store depends neither on that nor on the number of processes.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from hashlib import sha256
from importlib.metadata import version as package_version
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar
from zipfile import is_zipfile

import numpy as np
import torch

from motionclip.body import load_body
from motionclip.data.clip import Clip, Item, Source
from motionclip.data.store import (
    FPS,
    MANIFEST,
    REPORT,
    ROOT,
    SIXD,
    WINDOW,
    Entry,
    FrameCaption,
    Store,
    frames_to_render,
    render_archive,
    stored_motion,
    write_manifest,
    write_rendered_frames,
)
from motionclip.errors import DataError, FormatError, MotionClipError
from motionclip.formats.files import locked, replacing
from motionclip.gate.arrays import Arrays
from motionclip.gate.documents import DocumentError, checked, parse
from motionclip.motion import CANONICAL, Motion, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import retarget, retarget_report
from motionclip.progress import ProgressCallback

T = TypeVar("T")

#: Seconds after which the time that one process still needs is estimated, and how long that must be for other processes
#: to be started: each of them takes about three seconds to import torch.
_ESTIMATE_AFTER, _WORTH_PROCESSES = 2.0, 10.0


@dataclass(frozen=True)
class RefusedClip:
    """A clip that is not in the store, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class RetargetingErrors:
    """How well a clip was put onto the canonical skeleton.

    Attributes:
        key: name of the clip.
        mean_deg: mean angle between the directions of its limbs and the source's, degrees.
        max_deg: largest such angle, degrees.
        trunk_mean_deg: the same for the lines of hips and shoulders, and from the hips to shoulders and head.
        trunk_max_deg: largest such angle, degrees.
        heading_max_deg: largest angle between the directions that the two bodies face, degrees.
        foot_height_m: height of the lowest sole over the floor, metres.
        flips: joints that turn by more than a body can, between two frames.
        rest_pose_used: whether joints are turned from the rest pose; not where that is none of a body that stands.
    """

    key: str
    mean_deg: float
    max_deg: float
    trunk_mean_deg: float
    trunk_max_deg: float
    heading_max_deg: float
    foot_height_m: float
    flips: int
    rest_pose_used: bool = True


@dataclass(frozen=True)
class PrepareReport:
    """What ``prepare`` made; also the content of ``report.json``.

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
    refused: tuple[RefusedClip, ...]
    retargeting: tuple[RetargetingErrors, ...]

    @property
    def minutes(self) -> float:
        return self.frames / FPS / 60

    @classmethod
    def read(cls, folder: Path) -> PrepareReport:
        """Returns the report of the store in ``folder``.

        Raises:
            DataError: if it is missing or damaged.
        """
        try:
            return parse((folder / REPORT).read_bytes(), cls)
        except (OSError, ValueError) as error:
            raise DataError(f"{folder / REPORT} is missing or damaged ({error}); prepare the store again") from error


def prepare(
    source: Source,
    out: str | Path,
    *,
    frames: int = 0,
    body: str | Path | None = None,
    workers: int = 0,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> PrepareReport:
    """Writes the store of a source; clips that a stopped run on it has finished are used.

    A store of the same source that is there already and has no rendered frames gets them, without reading the source
    again.

    Args:
        source: the data set to read.
        out: folder of the store; its parent is created.
        frames: frames to render for every two seconds of a clip (``frames_to_render``); 0 for none.
        body: file of the body to render (:func:`motionclip.body.load_body`); the default body without one.
        workers: processes; 0 for one per core if there is work for more than a few seconds, else one.
        overwrite: replace a store that is already there.
        progress: called with the number of clips done and of all, as they are done.

    Returns:
        The report that is also in the store, in ``report.json``.

    Raises:
        DataError: if ``out`` is taken or another process is preparing it, nothing could be prepared, or a process died.
        FormatError: if the body's file is none of SMPL's kinds.
    """
    out, body = Path(out), None if body is None else Path(body)
    out = out.resolve() if out.is_symlink() else out  # what a link points to is written
    if frames:  # raises on an impossible number or body before anything is read
        frames_to_render(WINDOW, frames)
        _load_body(body)
    is_store = (out / MANIFEST).is_file()
    frames_only = is_store and frames > 0 and not overwrite
    if out.exists() and not frames_only and not (overwrite and is_store):
        raise DataError(f"{out} exists; expected a new folder, or a store together with overwrite")
    parts = Parts(out.with_name(f".{out.name}.partial"), frames, body, clips=not frames_only)
    plan: list[Any]
    items: Sequence[Item] | Sequence[Entry]
    if frames_only:
        store = _store_without_frames(source, out)
        plan, items = ["pictures", store.sha256], store.entries
        make: Callable[[tuple[int, Any]], None] = partial(_render_entry, parts, out)
    else:
        plan, items = [source.spec, [_fingerprint(item) for item in source.items]], source.items
        make = partial(_prepare_item, parts)
    if parts.folder.is_symlink():  # it is emptied
        raise DataError(f"{parts.folder} is a link; expected a folder of an earlier run, or nothing: remove it")
    with locked(parts.folder / "lock", f"{out} is being prepared by another process"):
        drawn = None if body is None or not frames else [str(body.resolve()), body.stat().st_mtime_ns]
        parts.begin(json.dumps([package_version("motionclip"), drawn, *plan]))
        todo = [(number, item) for number, item in enumerate(items) if not parts.done(number)]
        # None stands for what earlier runs have done
        for done, _ in enumerate(chain([None], _do_all(make, todo, workers)), len(items) - len(todo)):
            if progress is not None:
                progress(done, len(items))
        if frames_only:
            archives = (parts.frames_path(number) for number in range(len(items)))
            write_rendered_frames(out, archives, frames, parts.body_name)
            report = PrepareReport.read(out)
        else:
            report = _assemble(source, parts, out)
    shutil.rmtree(parts.folder)  # Windows deletes no file that is open, as the lock was
    return report


@dataclass(frozen=True)
class Parts:
    """Finished clips of a preparation that is under way, each in files that are written whole or not at all.

    Attributes:
        folder: where they are kept.
        frames: frames to render for every two seconds, or 0.
        body: file of the body to render, or None for the default body.
        clips: whether the clips themselves are made, not only their rendered frames.
    """

    folder: Path
    frames: int
    body: Path | None
    clips: bool

    @property
    def body_name(self) -> str:
        """Name of the body for the manifest."""
        return "default" if self.body is None else self.body.name

    def begin(self, plan: str) -> None:
        """Empties the folder unless its content was made by the same plan, which names all that clips depend on."""
        path = self.folder / "plan.json"
        if path.is_file() and path.read_bytes() == plan.encode():
            return
        for old in self.folder.iterdir():  # of another source, of files that have changed, or of another version
            if old.is_dir():
                shutil.rmtree(old)
            elif old.name not in ("lock", path.name):
                old.unlink()
        with replacing(path) as temporary:
            temporary.write_text(plan, encoding="utf-8")

    def clip_path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"

    def frames_path(self, number: int) -> Path:
        """Path of a clip's rendered frames; those of another spacing do not stand in their way."""
        return self.folder / f"frames-{self.frames}" / f"{number:06d}.zip"

    def done(self, number: int) -> bool:
        """Whether all of clip ``number`` is there."""
        made = ([self.clip_path(number)] if self.clips else []) + ([self.frames_path(number)] if self.frames else [])
        if not all(path.is_file() for path in made) or (self.frames and not is_zipfile(made[-1])):
            return False
        try:
            if self.clips:
                self.read(number)
        except (FormatError, DocumentError) as error:
            warnings.warn(f"{error}; it is made again", RuntimeWarning, stacklevel=2)
            return False
        return True

    def write(
        self, number: int, result: RefusedClip | tuple[Entry, RetargetingErrors], motion: Motion | None = None
    ) -> None:
        """Keeps what became of clip ``number``, with its motion on the canonical skeleton unless it was refused."""
        arrays: dict[str, Any] = {}
        if motion is not None:
            arrays["sixd"] = rot.matrix_to_sixd(motion.rotations).numpy().astype(np.float32)
            arrays["root"] = motion.root.numpy().astype(np.float32)
        rows = [asdict(part) for part in (result if isinstance(result, tuple) else (result,))]
        with replacing(self.clip_path(number)) as path, path.open("wb") as file:
            np.savez(file, about=np.array(json.dumps(rows)), **arrays)

    def read(self, number: int) -> RefusedClip | tuple[Entry, RetargetingErrors]:
        """Returns what became of clip ``number``; the entry's first row is not known yet (0)."""
        with Arrays(self.clip_path(number)) as held:
            about = held.word("about")
        first, *more = parse(about, list[dict[str, Any]])
        return (checked(first, Entry), checked(more[0], RetargetingErrors)) if more else checked(first, RefusedClip)

    def array(self, number: int, name: str) -> np.ndarray:
        """Returns the rows of clip ``number`` for the store's file ``name``."""
        width = (CANONICAL.num_joints, 6) if name == SIXD else (3,)
        with Arrays(self.clip_path(number)) as held:
            return held.numbers(Path(name).stem, (None, *width)).astype(np.float32)

    def render(self, number: int, motion: Motion | None) -> None:
        """Renders frames of clip ``number``, of which there are none without a motion."""
        render_archive(self.frames_path(number), motion, self.frames, _load_body(self.body))


#: Once per process, not per clip.
_load_body = lru_cache(maxsize=1)(load_body)


def _do_all(make: Callable[[T], None], todo: Sequence[T], workers: int) -> Iterator[None]:
    """Does each piece of work and yields once for each that is done; ``workers`` as in :func:`prepare`.

    Raises:
        DataError: if a process died.
    """
    cores, start, done = os.cpu_count() or 1, time.perf_counter(), 0
    for done, item in enumerate(todo):
        elapsed = time.perf_counter() - start
        left = elapsed / max(done, 1) * (len(todo) - done)
        if workers > 1 or (not workers and cores > 1 and elapsed > _ESTIMATE_AFTER and left > _WORTH_PROCESSES):
            break
        make(item)
        yield
    else:
        return
    # one thread each: the tensors of a clip are small, and there is a process per core
    context, threads = get_context("spawn"), torch.set_num_threads
    with ProcessPoolExecutor(workers or cores, context, initializer=threads, initargs=(1,)) as pool:
        try:
            yield from pool.map(make, todo[done:], chunksize=4)
        except BrokenProcessPool as error:
            raise DataError(
                "a worker process died (out of memory?); run the same command again to go on, with fewer workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _prepare_item(parts: Parts, work: tuple[int, Item]) -> None:
    """Keeps the prepared clip of one item, or the reason why there is none, and its rendered frames."""
    number, item = work
    if not parts.clip_path(number).is_file():
        try:
            clip = item.read()
            motion, errors = _retargeted(clip)
        except MotionClipError as error:
            parts.write(number, RefusedClip(item.key, f"{type(error).__name__}: {error}"))
        else:
            parts.write(number, (_entry(clip, motion), errors), motion)
    if parts.frames:
        # from the arrays that the store will have, so that frames rendered from it later are the same
        refused = isinstance(parts.read(number), RefusedClip)
        arrays = (parts.array(number, SIXD), parts.array(number, ROOT)) if not refused else None
        parts.render(number, stored_motion(*arrays) if arrays else None)


def _retargeted(clip: Clip) -> tuple[Motion, RetargetingErrors]:
    """Returns the clip's motion on the canonical skeleton at 30 fps, and how well that went."""
    source = resample(clip.motion, FPS)
    motion = retarget(source)
    report = retarget_report(source, motion)
    limbs = round(report.limb_mean, 4), round(report.limb_max, 4)
    trunk = round(report.trunk_mean, 4), round(report.trunk_max, 4)
    heading, feet = round(report.heading_max, 4), round(report.foot_height, 5)
    return motion, RetargetingErrors(clip.key, *limbs, *trunk, heading, feet, report.flips, report.rest_pose_used)


def _entry(clip: Clip, motion: Motion) -> Entry:
    """Returns the entry of a clip whose ``motion`` is prepared; each caption spans at least one frame."""
    captions = []
    for caption in clip.captions:
        start = min(round(caption.start * motion.fps), motion.num_frames - 1)
        end = min(max(round(caption.end * motion.fps), start + 1), motion.num_frames)
        captions.append(FrameCaption(caption.text, start, end, caption.categories))
    about = (clip.key, clip.dataset, clip.split, 0, motion.num_frames, clip.category, clip.style)
    return Entry(*about, captions=tuple(captions))


def _render_entry(parts: Parts, folder: Path, work: tuple[int, Entry]) -> None:
    """Renders frames of one entry of the store in ``folder``."""
    number, entry = work
    rows = slice(entry.start, entry.start + entry.num_frames)
    sixd, root = (np.load(folder / name, mmap_mode="r", allow_pickle=False)[rows] for name in (SIXD, ROOT))
    parts.render(number, stored_motion(sixd, root))


def _assemble(source: Source, parts: Parts, out: Path) -> PrepareReport:
    """Puts the finished clips together into the store ``out``, replacing one that is there; returns its report."""
    refused, kept = [], {}
    for number in range(len(source.items)):
        result = parts.read(number)
        if isinstance(result, RefusedClip):
            refused.append(result)
        else:
            kept[number] = result
    if not kept:
        first = f"; the first: {refused[0].key}: {refused[0].reason}" if refused else ""
        raise DataError(f"nothing of {source.spec} could be prepared ({len(refused)} clips refused{first})")
    folder = parts.folder / "store"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in (SIXD, ROOT):
        with replacing(folder / name) as path:
            np.save(path, np.concatenate([parts.array(number, name) for number in kept]))
    entries, rows = [], 0
    for entry, _ in kept.values():
        entries.append(replace(entry, start=rows))
        rows += entry.num_frames
    write_manifest(folder, source.spec, entries)
    if parts.frames:
        write_rendered_frames(folder, (parts.frames_path(number) for number in kept), parts.frames, parts.body_name)
    splits = [entry.split for entry in entries]
    report = PrepareReport(
        source=source.spec,
        clips=len(entries),
        frames=rows,
        captions=sum(len(entry.captions) for entry in entries),
        texts=len({caption.text for entry in entries for caption in entry.captions}),
        splits={name: splits.count(name) for name in dict.fromkeys(splits)},
        refused=tuple(refused),
        retargeting=tuple(errors for _, errors in kept.values()),
    )
    with replacing(folder / REPORT) as path:
        path.write_text(json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    Store.open(folder)  # raises if the files do not fit together
    if out.exists():
        shutil.rmtree(out)
    folder.rename(out)
    return report


def _fingerprint(item: Item) -> list[Any]:
    """Returns what changes with an item: a hash of all that its source knows of it and, for a file, size and time."""
    known = sha256(repr(item).encode()).hexdigest()
    if item.path is None or not item.path.is_file():
        return [item.key, known]
    stat = item.path.stat()
    return [item.key, known, stat.st_size, stat.st_mtime_ns]


def _store_without_frames(source: Source, out: Path) -> Store:
    """Returns the store in ``out`` if it is of that source and has no rendered frames."""
    store = Store.open(out)
    if store.rendered_frames is not None:
        raise DataError(
            f"{out} has {store.rendered_frames.per_window} rendered frames for every two seconds already; "
            f"expected a store without them, or overwrite to prepare it anew"
        )
    held = {entry.key for entry in store.entries} | {clip.key for clip in PrepareReport.read(out).refused}
    if store.source != source.spec or held != {item.key for item in source.items}:
        raise DataError(
            f"{out} was prepared from {store.source} and does not hold the clips that {source.spec} has now; "
            f"rendered frames can be added with the same source, overwrite prepares it anew"
        )
    return store
