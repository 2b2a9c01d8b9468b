"""The same movement in another time: faster and slower by a curve, held, reversed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from motionclip.errors import MotionError
from motionclip.motion.knots import interpolated
from motionclip.motion.motion import Motion, at_frames

#: Seconds over which a body comes to rest before a hold, and moves again after it.
_EASE = 0.3
#: Slowest and fastest that a motion can be made: beyond, it is a hold, or hardly a frame.
_SPEEDS = (0.05, 20.0)
#: Steps of a frame by which a speed curve is integrated.
_FINE = 8


def change_speed(motion: Motion, curve: Sequence[tuple[float, float]]) -> Motion:
    """Returns the motion with its speed multiplied by a curve over its own time.

    Args:
        motion: on any skeleton.
        curve: (second of the motion, factor), seconds rising; between them the factor changes evenly, and beyond it
            stays. One entry is one speed for all.

    Raises:
        MotionError: if there is no entry, seconds do not rise, or a factor is below 0.05 or above 20.
    """
    seconds, factors = [second for second, _ in curve], [factor for _, factor in curve]
    if not curve or any(later <= sooner for sooner, later in itertools.pairwise(seconds)):
        raise MotionError(f"a speed curve with the seconds {seconds}; expected one or more, rising")
    if not all(math.isfinite(second) for second in seconds) or not all(_SPEEDS[0] <= f <= _SPEEDS[1] for f in factors):
        raise MotionError(f"a speed curve with the factors {factors}; expected {_SPEEDS[0]} to {_SPEEDS[1]}")
    step = 1 / (_FINE * motion.fps)
    own = torch.arange((motion.num_frames - 1) * _FINE + 1, dtype=torch.float64) * step
    speed = interpolated(own, *torch.tensor([seconds, factors], dtype=torch.float64))
    took = torch.cat([torch.zeros(1, dtype=torch.float64), (step * 2 / (speed[1:] + speed[:-1])).cumsum(dim=0)])
    count = int(took[-1] * motion.fps + 1e-6) + 1
    shown = torch.arange(count, dtype=torch.float64) / motion.fps
    return at_frames(motion, interpolated(shown, took, own) * motion.fps, motion.fps)


def hold(motion: Motion, at: float, seconds: float) -> Motion:
    """Returns the motion with its pose at a second held for some more; it comes to rest and moves again smoothly.

    Raises:
        MotionError: if the moment is not inside of the motion, or the length is not positive.
    """
    if not (0 <= at < motion.duration and 0 < seconds < float("inf")):
        raise MotionError(
            f"the pose at {at:g} s held for {seconds:g} s in a motion of {motion.duration:.2f} s; expected a moment "
            "inside of it, and a positive length"
        )
    last = (motion.num_frames - 1) / motion.fps
    before, after = min(_EASE, 2 * at), min(_EASE, 2 * (last - at))  # half of this is what is gone meanwhile
    rest, go = at + before / 2, at + before / 2 + seconds  # when it stands, and when it moves again
    shown = torch.arange(int((go + after / 2 + last - at) * motion.fps + 1e-6) + 1, dtype=torch.float64) / motion.fps
    slowing = at - (rest - shown).clamp(0, before) ** 2 / (2 * max(before, 1e-9))
    going = at + (shown - go).clamp(0, after) ** 2 / (2 * max(after, 1e-9))
    own = torch.where(shown < rest, slowing, going)
    own = torch.where(shown < rest - before, shown, own)
    own = torch.where(shown > go + after, at + after / 2 + shown - go - after, own)
    return at_frames(motion, own * motion.fps, motion.fps)


def reverse(motion: Motion) -> Motion:
    """Returns the motion from its last frame to its first."""
    return replace(motion, rotations=motion.rotations.flip(0), root=motion.root.flip(0))
