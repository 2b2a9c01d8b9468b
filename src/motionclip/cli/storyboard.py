"""`motionclip storyboard`: texts and motions, one after the other, become one motion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Struct
from tyro.conf import Positional, arg

import motionclip
from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_OVERLAP
from motionclip.cli.console import save_motion, say, track, write_sheet
from motionclip.cli.constraints import errors_in_words
from motionclip.cli.options import Guidance, Model, OutFile, Picture, Seed, check_picture, read_source, read_text
from motionclip.cli.story import STORIES, Story, read_story
from motionclip.errors import FormatError
from motionclip.gate.documents import DocumentError, checked, parse
from motionclip.io import check_writable

if TYPE_CHECKING:
    from motionclip.motion import Motion

#: Seconds of a row in the picture of a storyboard.
_ROW_SECONDS = 4


def storyboard(
    shots: Annotated[tuple[str, ...], Positional, arg(metavar="SHOT [SHOT ...]", help_behavior_hint="(required)")],
    /,
    *,
    out: OutFile = Path("film.bvh"),
    picture: Picture = None,
    overlap: Annotated[float, arg(metavar="SECONDS")] = DEFAULT_OVERLAP,
    seed: Seed = 0,
    guidance: Guidance = DEFAULT_GUIDANCE,
    options: Model,
) -> None:
    """Make one continuous motion of texts and motions with durations, of any length.

    Args:
        shots: What happens, in order: "a person walks:4" for four seconds, take.bvh or take.bvh:3, a .txt file with one
            of these in each line, or a .json list of them. Or one .yaml file: a story, with paths, poses and pins in
            its shots, and tracks that parts of the body follow.
        picture: Also draw it, a row for every four seconds.
        overlap: Seconds of the transition from one shot to the next.
    """
    from motionclip.applications.storyboard import film  # which imports torch

    check_writable(out)
    check_picture(picture)
    is_story = len(shots) == 1 and Path(shots[0]).suffix.lower() in STORIES
    story = read_story(Path(shots[0])) if is_story else Story(read_shots(shots), [], [])
    model, how = options.load(), dict[str, Any](seed=seed, guidance=guidance)
    with track("pieces") as on_piece:
        made = film(model, story.shots, constraints=story.constraints, overlap=overlap, on_piece=on_piece, **how)
    say(*errors_in_words(made.constraints, made.errors))
    motion = motionclip.overlay(model, made.motion, story.tracks, **how)
    save_motion(motion, out)
    say(f"{out}: {motion.duration:.2f} s")
    if picture is not None:
        _draw(motion, picture)
        say(picture)


def read_shots(arguments: Sequence[str]) -> list[motionclip.Shot]:
    """Returns the shots of arguments: each a text or a motion file, with or without `:SECONDS`, or a list in a file.

    A .txt file has one in each line; blank lines and those that begin with # are left out. A .json file is a list of
    strings of that kind, or of objects with "what" and, if wanted, "seconds". A motion file that a list names is
    relative to the list.

    Raises:
        FormatError: if a file is missing, damaged, or not such a list.
        MotionError: if a length is not positive, or longer than the motion.
    """
    shots = []
    for argument in arguments:
        path = Path(argument)
        if path.suffix.lower() == ".txt":
            lines = [line.strip() for line in read_text(path).splitlines()]
            entries = [_split(line) for line in lines if line and not line.startswith("#")]
        elif path.suffix.lower() == ".json":
            entries = _read_json(path)
        else:
            path, entries = Path(), [_split(argument)]
        for what, seconds in entries:
            source = read_source(what, path.parent)
            shots.append(motionclip.Shot(source, seconds))
    return shots


def _split(text: str) -> tuple[str, float | None]:
    """Returns what stands before the last colon and the number behind it, or all of it and None."""
    what, colon, number = text.rpartition(":")
    try:
        seconds = float(number)
    except ValueError:
        return text.strip(), None
    return (what.strip(), seconds) if colon and math.isfinite(seconds) else (text.strip(), None)


def _read_json(path: Path) -> list[tuple[str, float | None]]:
    try:
        listed = parse(read_text(path), list[Any])
    except DocumentError as error:
        raise FormatError(path, str(error), 'a list such as ["a person walks:4"]') from error
    return [_read_shot(path, number, entry) for number, entry in enumerate(listed, 1)]


def _read_shot(path: Path, number: int, entry: object) -> tuple[str, float | None]:
    if isinstance(entry, str):
        return _split(entry)
    try:
        shot = checked(entry, _ListedShot)
    except DocumentError as error:
        expected = '"a person walks:4" or {"what": "a person walks", "seconds": 4}'
        raise FormatError(path, f"shot {number}: {error}", expected) from error
    return shot.what, shot.seconds


class _ListedShot(Struct, forbid_unknown_fields=True):
    """A shot of a list."""

    what: str
    seconds: float | None = None


def _draw(film: Motion, picture: Path) -> None:
    """Writes a film strip for every four seconds."""
    frames = round(_ROW_SECONDS * film.fps)
    starts = range(0, film.num_frames, frames)
    rows = [film.frames(start, min(start + frames, film.num_frames)) for start in starts]
    seconds = [start / film.fps for start in starts]
    titles = [f"{start:g} to {min(start + _ROW_SECONDS, film.duration):.4g} s" for start in seconds]
    write_sheet(rows, titles, picture, columns=1, cell=(700, 144), poses=12)
