"""Tracks: parts of the body that do something else for a while, over a motion of the whole body."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch

from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.applications.text_to_motion import Source, text_to_motion
from motionclip.applications.transitions import smootherstep
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical
from motionclip.seeds import following_seed

#: Parts of the body that a track may move, each by its first joints: all that hang on them go along.
PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "upper": ("spine1",),
        "arms": ("left_collar", "right_collar"),
        "left_arm": ("left_collar",),
        "right_arm": ("right_collar",),
        "head": ("neck",),
    }
)
#: Seconds over which a part leaves the motion below and comes back to it.
FADE = 0.4


@dataclass(frozen=True, eq=False)
class Track:
    """What a part of the body does for a while.

    Attributes:
        part: one of :data:`PARTS`.
        source: words, or a motion on any human-like skeleton.
        start: second at which it leaves the motion below.
        end: second at which it is back.
        fade: seconds that each way takes.

    Raises:
        MotionError: if there is no such part, or the span is none or too short to leave and come back.
    """

    part: str
    source: Source
    start: float
    end: float
    fade: float = FADE

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise MotionError(f"a track of {self.part!r}; expected one of {', '.join(PARTS)}")
        if not (0 <= self.start < self.end < math.inf and 0 < 2 * self.fade <= self.end - self.start):
            raise MotionError(
                f"a track of {self.part} from {self.start:g} to {self.end:g} s that leaves and comes back in "
                f"{self.fade:g} s; expected a span, and at most half of it for each way"
            )


def overlay(
    model: MotionCLIP,
    below: Motion,
    tracks: Sequence[Track],
    *,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> Motion:
    """Returns a motion whose parts do what tracks say while they last; a later track lies over the ones before it.

    Args:
        model: from :func:`motionclip.load`.
        below: what the whole body does, of any length, on any human-like skeleton.
        tracks: in the order in which they lie over each other.
        seed: of what is drawn for the words of the first track; each further one has the next number.
        guidance: classifier-free guidance scale.

    Raises:
        MotionError: if a track ends after the motion, or its own motion is shorter than it.
        ModelError: if words are to last longer than the model makes.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    film = resample(on_canonical(below), model.config.fps)
    for number, track in enumerate(tracks):
        start, stop = round(track.start * film.fps), round(track.end * film.fps)
        if stop > film.num_frames:
            raise MotionError(
                f"a track of {track.part} ends at {track.end:g} s, and the motion at {film.duration:.2f} s; expected "
                "it to end before"
            )
        if isinstance(track.source, str):
            own = following_seed(seed, number)
            length = (stop - start) / film.fps
            above = text_to_motion(model, track.source, seconds=length, seed=own, guidance=guidance)
        else:
            above = resample(on_canonical(track.source), film.fps)
        if above.num_frames < stop - start:
            raise MotionError(f"a motion of {above.duration:.2f} s for a track of {track.end - track.start:g}")
        film = _laid_over(film, above, track, start, stop)
    return film


def _laid_over(film: Motion, above: Motion, track: Track, start: int, stop: int) -> Motion:
    """Returns the film with a part of the body turned as in another motion in frames ``start`` to ``stop``."""
    joints = [CANONICAL.index(name) for name in PARTS[track.part]]
    for joint, parent in enumerate(CANONICAL.parents):  # parents come before their children
        if parent in joints and joint not in joints:
            joints.append(joint)
    frames = torch.arange(stop - start)
    ramp = (torch.minimum(frames + 1, stop - start - frames) / (track.fade * film.fps)).clamp(max=1)
    weight = smootherstep(ramp)
    own = film.rotations[start:stop][:, joints]
    turns = rot.unwound(rot.matrix_to_rotvec(own.mT @ above.rotations[: stop - start][:, joints].to(own)))
    rotations = film.rotations.clone()
    rotations[start:stop, joints] = own @ rot.rotvec_to_matrix(weight[:, None, None] * turns)
    return replace(film, rotations=rotations)
