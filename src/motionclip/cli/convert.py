"""`motionclip convert`: motion files to other formats, one or as many as there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

import motionclip
from motionclip.cli.console import save_motion, say, track
from motionclip.cli.options import (
    READABLE,
    WRITABLE,
    AboutSource,
    AsfFile,
    Formats,
    RigName,
    optional,
    read_about,
)
from motionclip.errors import FormatError, MotionClipError
from motionclip.io import animations, check_writable, split_take

if TYPE_CHECKING:
    from motionclip.formats import Rig
    from motionclip.motion import Motion
    from motionclip.motion.conventions import Known

#: Refused files that are listed, and files that one process converts before a second is worth its start.
_SHOWN, _ENOUGH = 20, 8


#: What is told of a source whose rest pose is sitting, collapsed, a frame of a walk, or the like.
_NO_REST_POSE = "the rest pose is none of a body that stands; joints are turned as their positions show"


@dataclass(frozen=True)
class Change:
    """What becomes of a motion on its way.

    Attributes:
        known: what is known of the source.
        asf: skeleton of an .amc file, or None for the one beside it.
        start: first second to keep.
        end: last second to keep, or None.
        retarget: whether it is put on the canonical skeleton.
        fps: frames per second to resample to, or None.
        rig: name or file of the skeleton to write on, or None.
        in_place: whether the path over the ground is left out.
    """

    known: Known
    asf: Path | None
    start: float
    end: float | None
    retarget: bool
    fps: float | None
    rig: str | None
    in_place: bool

    def made(self, source: Path) -> tuple[Motion, tuple[str, ...]]:
        """Returns the motion of a file after the change, and what was assumed of the file and is unusual."""
        from motionclip.motion import crop, in_place, resample
        from motionclip.motion.retarget import find_humanoid, rest_pose_is_used, retarget

        motion, conventions = read_about(source, self.known, self.asf)
        unusual = conventions.unusual
        motion = crop(motion, self.start, self.end)
        if self.retarget:
            if not rest_pose_is_used(find_humanoid(motion.skeleton)):
                unusual = (*unusual, _NO_REST_POSE)
            motion = retarget(motion)
        motion = in_place(motion) if self.in_place else motion
        return (motion if self.fps is None else resample(motion, self.fps)), unusual


@dataclass(frozen=True)
class Outcome:
    """What became of one of many files: what is unusual about it, or why it was refused."""

    source: Path
    unusual: tuple[str, ...] = ()
    refused: str | None = None


def convert(
    files: Annotated[
        tuple[Path, ...],
        Positional,
        arg(
            metavar="SOURCE TARGET | SOURCE [SOURCE ...] --out DIR",
            help=f"A motion file ({READABLE}) and the file to write, whose suffix chooses the format ({WRITABLE}); or "
            "with --out any number of motion files and folders of them. docs/formats.md says what opens which.",
            help_behavior_hint="(required)",
        ),
    ],
    /,
    *,
    out: Annotated[Path | None, optional(Path, "DIR", "Folder for what many files become.")] = None,
    formats: Formats = (),
    fps: Annotated[float | None, optional(float, "FPS", default="the source's own rate")] = None,
    start: Annotated[float, arg(metavar="SECONDS")] = 0.0,
    end: Annotated[float | None, optional(float, "SECONDS", default="the end of the source")] = None,
    asf: AsfFile = None,
    retarget: bool = False,
    in_place: bool = False,
    rig: RigName = None,
    about: AboutSource,
) -> None:
    """Convert motion files to another format, rate, span or skeleton.

    With --out, files keep their names and their places below the folders that are given, each animation of a file that
    has several becomes a file, all cores convert, and files that cannot be read are listed at the end.

    Args:
        fps: Frames per second to resample to.
        start: First second to keep.
        end: Last second to keep.
        retarget: Put the motion on the canonical skeleton of 24 joints, feet on the ground.
        in_place: Leave out the path over the ground, for a game that moves the character itself.
    """
    change = Change(about.known(), asf, start, end, retarget, fps, rig, in_place)
    target_rig = None if rig is None else motionclip.load_rig(rig)
    if out is not None:
        _convert_all(_targets(files, out, formats, target_rig), change, out)
        return
    if len(files) != 2 or formats:
        raise MotionClipError(f"files: {len(files)}; expected SOURCE and TARGET, or --out DIR for any number")
    source, target = files
    check_writable(target, target_rig)
    motion, unusual = change.made(source)
    save_motion(motion, target, target_rig)
    say(*(f"note: {line}" for line in unusual))
    say(f"{target}: {motion.num_frames} frames, {motion.duration:.2f} s at {motion.fps:g} fps")


def _targets(sources: Sequence[Path], out: Path, formats: Sequence[str], rig: Rig | None) -> dict[Path, list[Path]]:
    """Returns the files to write for each motion file among the sources and below their folders.

    Raises:
        MotionClipError: if there is none, or a target would replace a source.
        FormatError: if a format cannot be written.
    """
    suffixes = [f".{name.lstrip('.')}" for name in formats or ("bvh",)]
    for suffix in suffixes:
        check_writable(out / f"motion{suffix}", rig)
    places: dict[Path, Path] = {}
    for source in sources:
        if source.is_dir():
            places |= {path: path.parent.relative_to(source) for path in _motion_files(source, out)}
        else:
            places[source] = Path()
    if not places:
        raise MotionClipError(f"no motion file; expected files or folders with files ending in {READABLE}")
    targets: dict[Path, list[Path]] = {}
    taken: set[Path] = set()
    for source, place in places.items():
        for motion, stem in _motions(source):
            number, free = 1, out / place / stem
            while free in taken:
                number += 1
                free = out / place / f"{stem}_{number}"
            taken.add(free)
            targets[motion] = [free.with_name(free.name + suffix) for suffix in suffixes]
    written = {path.resolve() for paths in targets.values() for path in paths}
    for source in places:
        if source.resolve() in written:  # itself, or through a link
            raise MotionClipError(f"{source} would be replaced by what it becomes; give another folder as --out")
    return targets


def _motions(source: Path) -> Iterator[tuple[Path, str]]:
    """Yields the motions of a file, each as it is asked for, with a name for what it becomes."""
    file, take = split_take(source)
    stem = file.name.removesuffix(file.suffix)
    names = {take: take} if take else animations(file)
    if len(names) < 2 and not take:
        yield source, stem
        return
    for asked, name in names.items():
        yield Path(f"{file}#{asked}"), f"{stem}_" + re.sub(r"[^\w.-]+", "_", name)


def _motion_files(folder: Path, out: Path) -> list[Path]:
    """The motion files below a folder, but for those that an earlier run wrote to a folder in it."""
    from motionclip.data.folder import motion_files

    written = out.resolve() if out.resolve() != folder.resolve() else None
    return [path for path in motion_files(folder) if written is None or not path.resolve().is_relative_to(written)]


def _convert_all(targets: dict[Path, list[Path]], change: Change, out: Path) -> None:
    """Converts files, and says how many, what was assumed, and which were refused.

    Raises:
        MotionClipError: if none could be converted.
    """
    from motionclip.cli.processes import in_processes

    outcomes: list[Outcome] = []
    work = [(change, source, paths) for source, paths in targets.items()]
    with track("converting") as progress:
        for outcome in in_processes(_convert_one, work, enough=_ENOUGH):
            outcomes.append(outcome)
            progress(len(outcomes), len(work))
    refused = [each for each in outcomes if each.refused is not None]
    notes: dict[str, list[Path]] = {}
    for each in outcomes:
        for line in each.unusual:
            notes.setdefault(line, []).append(each.source)
    for line, sources in notes.items():
        say(f"note: {sources[0]}{f' and {len(sources) - 1} more' if len(sources) > 1 else ''}: {line}")
    say(*(f"refused: {each.refused}" for each in refused[:_SHOWN]))
    if len(refused) > _SHOWN:
        say(f"and {len(refused) - _SHOWN} more refused")
    done = len(outcomes) - len(refused)
    if not done:
        raise MotionClipError(f"none of {len(outcomes)} files could be converted")
    say(f"{out}: {done} of {len(outcomes)} files converted")


def _convert_one(work: tuple[Change, Path, list[Path]]) -> Outcome:
    change, source, paths = work
    rig = None if change.rig is None else motionclip.load_rig(change.rig)
    try:
        motion, unusual = change.made(source)
        for path in paths:
            motionclip.write_motion(motion, path, rig)
    except FormatError as error:
        return Outcome(source, refused=str(error))
    except (MotionClipError, OSError) as error:
        return Outcome(source, refused=f"{source}: {error}")
    return Outcome(source, unusual)
