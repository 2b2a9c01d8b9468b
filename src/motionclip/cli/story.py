"""Stories in YAML: shots with paths, poses and pins, and tracks that parts of the body follow.

docs/applications/direct.md has one, and docs/story.schema.json is their JSON schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

import motionclip
from motionclip.cli.options import read_source, read_text
from motionclip.errors import FormatError
from motionclip.gate.documents import DocumentError, Name, Number, parse_yaml

if TYPE_CHECKING:
    from motionclip.applications.direct import Constraint

#: Suffixes of stories.
STORIES = (".yaml", ".yml")
_Few = Meta(max_length=1000)
_Row = Annotated[list[Number], Meta(min_length=2, max_length=3)]


class PoseEntry(Struct, forbid_unknown_fields=True):
    """A full pose at a second of the shot: that of a file at a second of its own."""

    file: Name
    seconds: Number
    at: Number = 0.0


class PinEntry(Struct, forbid_unknown_fields=True):
    """A joint at a place, from a second of the shot on, and pointing somewhere."""

    joint: Name
    start: Number
    end: Number | None = None
    place: tuple[Number | None, Number | None, Number | None] = (None, None, None)
    direction: tuple[Number, Number, Number] | None = None


class TrackEntry(Struct, forbid_unknown_fields=True):
    """What a part of the body does for a while."""

    part: Name
    what: Name
    start: Number
    end: Number
    fade: Number | None = None


class ConstraintEntries(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a shot or the whole story is asked beside the words."""

    path: Annotated[list[_Row], _Few] | None = None
    facing: Number | Annotated[list[Number], _Few] | None = 0.0
    poses: Annotated[list[PoseEntry], _Few] | None = None
    pins: Annotated[list[PinEntry], _Few] | None = None


class ShotEntry(ConstraintEntries, kw_only=True):
    """Words or a motion file, and how long it takes."""

    what: Name
    seconds: Number | None = None


class StoryEntries(ConstraintEntries, kw_only=True):
    """The keys of a story."""

    shots: Annotated[list[ShotEntry], Meta(min_length=1, max_length=1000)]
    tracks: Annotated[list[TrackEntry], _Few] | None = None


@dataclass(frozen=True)
class Story:
    """What a story says: its shots, the constraints on all of it, and its tracks."""

    shots: list[motionclip.Shot]
    constraints: list[Constraint]
    tracks: list[motionclip.Track]


def read_story(path: Path) -> Story:
    """Returns what a story says; files that it names are relative to it.

    Raises:
        FormatError: if it cannot be read, or is no such story.
        MotionError, SkeletonError: if a shot or a track cannot be made.
    """
    try:
        story: StoryEntries = parse_yaml(read_text(path), StoryEntries)
    except DocumentError as error:
        raise FormatError(path, str(error), "a story as docs/applications/direct.md describes it") from error
    folder = path.parent
    shots = [
        motionclip.Shot(read_source(each.what, folder), each.seconds, tuple(_constraints(each, folder)))
        for each in story.shots
    ]
    return Story(shots, _constraints(story, folder), [_track(each, folder) for each in story.tracks or ()])


def _constraints(asked: ConstraintEntries, folder: Path) -> list[Constraint]:
    found: list[Constraint] = []
    if asked.path:
        found.append(motionclip.RootPath.of(asked.path, asked.facing))
    for pose in asked.poses or ():
        found.append(motionclip.PoseAt.of(pose.seconds, motionclip.read_motion(folder / pose.file), pose.at))
    for pin in asked.pins or ():
        found.append(motionclip.Pin(pin.joint, pin.place, pin.start, pin.end, pin.direction))
    return found


def _track(entry: TrackEntry, folder: Path) -> motionclip.Track:
    fade = {} if entry.fade is None else {"fade": entry.fade}
    return motionclip.Track(entry.part, read_source(entry.what, folder), entry.start, entry.end, **fade)
