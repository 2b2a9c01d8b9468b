"""Time: resampling by spherical interpolation, and cropping in seconds."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from motionclip.errors import MotionError
from motionclip.motion import rotations as rot
from motionclip.motion.motion import Motion


def resample(motion: Motion, fps: float) -> Motion:
    """The same movement at another frame rate, from its first frame to its last.

    Rotations are interpolated on the shortest arc, the root path linearly; frames are never
    merely dropped or repeated, unless the new instants coincide with old ones.

    Raises:
        MotionError: if ``fps`` is not positive.
    """
    if not 0 < fps < float("inf"):
        raise MotionError(f"cannot resample to {fps} frames per second; expected a positive number")
    if fps == motion.fps or motion.num_frames == 1:
        return replace(motion, fps=fps)
    last = motion.num_frames - 1
    count = int(last * fps / motion.fps + 1e-6) + 1
    instants = torch.arange(count, dtype=torch.float64) * (motion.fps / fps)  # in source frames
    before = instants.floor().long().clamp(max=last - 1)
    weight = (instants - before).clamp(0, 1).to(motion.root)
    root = torch.lerp(motion.root[before], motion.root[before + 1], weight[:, None])
    turned = rot.slerp(motion.rotations[before], motion.rotations[before + 1], weight)
    return Motion(turned, root, fps, motion.skeleton)


def crop(motion: Motion, start: float, end: float | None = None) -> Motion:
    """The span from ``start`` to ``end``, in seconds, to the nearest frame; up to the last if ``end`` is None.

    Raises:
        MotionError: if no frame lies in the span.
    """
    end = motion.duration if end is None else end
    finite = math.isfinite(start) and math.isfinite(end)
    first = max(round(start * motion.fps), 0) if finite else 0
    stop = min(round(end * motion.fps), motion.num_frames) if finite else 0
    if first >= stop:
        raise MotionError(f"no frame lies between {start} s and {end} s of a motion of {motion.duration:.2f} s")
    return motion.frames(first, stop)
