"""Bodies of the requests that direct: paths, poses, pins, tracks, takes, loops, changes without words.

World: metres, seconds, Y up; a motion starts above the origin and faces +Z, unless its path says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from motionclip import Pin, PoseAt, RootPath
from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_OVERLAP, DEFAULT_TAKES
from motionclip.applications.direct import Constraint
from motionclip.applications.tracks import FADE
from motionclip.motion import CANONICAL
from motionclip.server import limits
from motionclip.server.schemas import (
    FilePart,
    Guidance,
    LongSeconds,
    MotionRequest,
    RequestBody,
    SampledRequest,
    Second,
    Seconds,
    Seed,
    Text,
    TextOrFile,
    example,
)
from motionclip.server.uploads import Form

Metres = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Degrees = Annotated[float, Field(ge=-36000, le=36000, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=0.05, le=20, allow_inf_nan=False)]
#: The skeleton checks it: a Literal of all names would be written out here.
Joint = Annotated[str, Field(max_length=64, json_schema_extra={"enum": list(CANONICAL.names)})]


class PosePart(FilePart):
    """A full pose at a time: that of a motion file at a second of its own."""

    at: Second = Field(0.0, description="Second of the file.")
    seconds: Second = Field(description="Second at which the motion is to have the pose.")
    placed: bool = Field(False, description="Where it stands in its file; else wherever the body is.")


class PinPart(RequestBody):
    """A joint at a place, at a time or over a span, and pointing somewhere."""

    joint: Joint = Field(description="Of the canonical skeleton.")
    place: tuple[Metres | None, Metres | None, Metres | None] = Field(
        (None, None, None),
        description="x, y, z; null is free at a moment, and held over a span. Of feet, y is the sole's.",
    )
    start: Second
    end: Second | None = Field(None, description="That of `start`, for a moment, if not given.")
    direction: tuple[Metres, Metres, Metres] | None = Field(
        None, description="Where the fingers, the toes or the face point; of hands, feet and the head."
    )


class Constraints(RequestBody):
    """What a motion is asked beside the words."""

    path: list[list[Metres]] | None = Field(
        None,
        min_length=2,
        max_length=limits.MAX_POINTS,
        description="[x, z] or [x, z, second] of the pelvis over the floor, joined by a smooth curve.",
    )
    facing: Degrees | list[Degrees] | None = Field(
        0.0, description="Degrees to the left of the path's direction; or the heading at each point; null is free."
    )
    poses: list[PosePart] = Field([], max_length=limits.MAX_FILES)
    pins: list[PinPart] = Field([], max_length=limits.MAX_PINS)

    def read(self, form: Form[Any]) -> list[Constraint]:
        """Returns the constraints, with the poses of a form's files.

        Raises:
            MotionError: if no body could do one of them.
        """
        path = [] if self.path is None else [RootPath.of(self.path, self.facing)]
        poses = [PoseAt.of(each.seconds, form.motion(each), each.at, placed=each.placed) for each in self.poses]
        pins = [Pin(each.joint, each.place, each.start, each.end, each.direction) for each in self.pins]
        return [*path, *poses, *pins]


class DirectRequest(Constraints, SampledRequest):
    """A motion that follows a path, goes through poses and reaches places."""

    model_config = example(source="a person walks", seconds=2, path=[[0, 0], [0.2, 1], [0, 2]])

    source: TextOrFile
    seconds: LongSeconds | None = Field(None, description="As for /generate; the length of a given motion.")


class CandidatesRequest(SampledRequest):
    """Several takes of a sentence, the best first."""

    model_config = example(text="a person waves", count=4, keep=2, seconds=2)

    text: Text
    count: int = Field(DEFAULT_TAKES, ge=1, le=limits.MAX_TAKES, description="Takes that are drawn.")
    keep: int = Field(3, ge=1, le=limits.MAX_TAKES, description="Takes that are returned.")
    archive: Literal[".bvh", ".glb", ".npz"] = Field(".bvh", description="What an answer of application/zip holds.")


class StoryboardShot(Constraints):
    """What is done, and for how long: 4 s for words, and the whole of a motion, if not given.

    Its constraints are in seconds of the shot, and in metres from where it starts, z ahead and x to the left.
    """

    source: TextOrFile
    seconds: LongSeconds | None = None


class TrackPart(RequestBody):
    """What a part of the body does for a while."""

    part: Literal["upper", "arms", "left_arm", "right_arm", "head"]
    source: TextOrFile
    start: Second
    end: Second
    fade: float = Field(FADE, gt=0, le=5, allow_inf_nan=False, description="Seconds of each way in and out.")


class StoryboardRequest(Constraints):
    """One motion that does one thing after the other; parts of the body may do something else meanwhile.

    Its own constraints are in seconds of all, in the world.
    """

    model_config = example(
        shots=[{"source": "a person walks", "seconds": 2}, {"source": "a person stands", "seconds": 2}],
        tracks=[{"part": "right_arm", "source": "a person waves", "start": 1, "end": 3}],
    )

    shots: list[StoryboardShot] = Field(min_length=1, max_length=limits.MAX_SHOTS)
    tracks: list[TrackPart] = Field([], max_length=limits.MAX_SHOTS)
    overlap: float = Field(DEFAULT_OVERLAP, gt=0, le=5, allow_inf_nan=False, description="Seconds of each transition.")
    seed: Seed = 0
    guidance: Guidance = DEFAULT_GUIDANCE


class LoopRequest(RequestBody):
    """The cycle of a motion that closes best."""

    model_config = example(source="a person walks", cycles=2)

    source: TextOrFile
    cycles: int = Field(1, ge=1, le=limits.MAX_STEPS, description="How often it is gone through.")
    in_place: bool = Field(False, description="Without the path over the ground.")
    seconds: Seconds | None = Field(None, description="Of what words become; its cycle is shorter.")
    seed: Seed = 0
    guidance: Guidance = DEFAULT_GUIDANCE


class RetimeRequest(MotionRequest):
    """An uploaded motion with changes that need no words, made in this order."""

    model_config = example(crop=[0.2, 1.8], mirror=True, speed=[[0, 1], [1, 0.5]])

    crop: tuple[Second, Second] | None = Field(None, description="Seconds of the part that is kept.")
    reverse: bool = Field(False, description="From the last frame to the first.")
    mirror: bool = Field(False, description="Left and right exchanged.")
    speed: list[tuple[Second, Factor]] = Field(
        [], max_length=limits.MAX_POINTS, description="[second, factor] of a curve; one entry is one speed for all."
    )
    hold: list[tuple[Second, Seconds]] = Field(
        [], max_length=limits.MAX_GAPS, description="[at, seconds]: the pose at a second, held for some more."
    )
    then: list[FilePart] = Field([], max_length=limits.MAX_FILES, description="What follows, blended.")
    in_place: bool = Field(False, description="Without the path over the ground.")
