"""Stories in YAML: shots with paths, poses and pins, and tracks that parts of the body follow.

docs/applications/direct.md has one, and docs/story.schema.json is their JSON schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import motionclip
from motionclip.cli.options import read_source, read_text
from motionclip.errors import FormatError

if TYPE_CHECKING:
    from motionclip.applications.direct import Constraint

#: Suffixes of stories.
STORIES = (".yaml", ".yml")
_ASKED = ("path", "facing", "poses", "pins")
_STORY, _SHOT = ("shots", *_ASKED, "tracks"), ("what", "seconds", *_ASKED)
_POSE, _PIN = ("file", "at", "seconds"), ("joint", "place", "start", "end", "direction")
_TRACK = ("part", "what", "start", "end", "fade")


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
        MotionError: if a shot or a track cannot be made.
    """
    import yaml

    try:
        story = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise FormatError(path, f"this is not YAML: {error}", "a story with shots") from error
    if not isinstance(story, dict) or not set(story) <= set(_STORY) or not isinstance(story.get("shots"), list):
        raise FormatError(path, "this is no story", f"a list of `shots`, and, if wanted, {', '.join(_STORY[1:])}")
    try:
        return Story(
            [_shot(entry, path.parent) for entry in story["shots"]],
            _constraints(story, path.parent),
            [_track(entry, path.parent) for entry in story.get("tracks") or []],
        )
    except (LookupError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise FormatError(path, what, "a story as docs/applications/direct.md describes it") from error


def _known(entry: Any, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(entry, dict) or not set(entry) <= set(keys):
        raise ValueError(f"{entry!r} has other keys than {', '.join(keys)}")
    return entry


def _shot(entry: Any, folder: Path) -> motionclip.Shot:
    shot = _known(entry, _SHOT)
    seconds = None if shot.get("seconds") is None else float(shot["seconds"])
    return motionclip.Shot(read_source(str(shot["what"]), folder), seconds, tuple(_constraints(shot, folder)))


def _constraints(shot: Mapping[str, Any], folder: Path) -> list[Constraint]:
    found: list[Constraint] = []
    if shot.get("path"):
        rows = [[float(number) for number in row] for row in shot["path"]]
        found.append(motionclip.RootPath.of(rows, _facing(shot.get("facing", 0.0))))
    for entry in shot.get("poses") or []:
        pose = _known(entry, _POSE)
        motion = motionclip.read_motion(folder / str(pose["file"]))
        found.append(motionclip.PoseAt.of(float(pose["seconds"]), motion, float(pose.get("at", 0))))
    for entry in shot.get("pins") or []:
        pin = _known(entry, _PIN)
        x, y, z = (None if value is None else float(value) for value in pin.get("place") or [None] * 3)
        end = None if pin.get("end") is None else float(pin["end"])
        ahead = None if pin.get("direction") is None else tuple(map(float, pin["direction"]))
        found.append(motionclip.Pin(str(pin["joint"]), (x, y, z), float(pin["start"]), end, ahead))  # type: ignore[arg-type]  # Pin counts them
    return found


def _facing(value: Any) -> float | list[float] | None:
    return [float(each) for each in value] if isinstance(value, list) else None if value is None else float(value)


def _track(entry: Any, folder: Path) -> motionclip.Track:
    track = _known(entry, _TRACK)
    fade = {} if track.get("fade") is None else {"fade": float(track["fade"])}
    what = read_source(str(track["what"]), folder)
    return motionclip.Track(str(track["part"]), what, float(track["start"]), float(track["end"]), **fade)
