"""`Motion`, the value that all parts of the package exchange, and its placement and timing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from motionclip.errors import MotionError
from motionclip.motion import rotations as rot
from motionclip.motion.kinematics import forward_kinematics
from motionclip.motion.skeleton import CANONICAL, Skeleton

#: Frames per second that a motion may have; beyond them its times are damage.
MIN_FPS, MAX_FPS = 0.01, 100_000.0


def check_rate(fps: float) -> None:
    """Checks frames per second.

    Raises:
        MotionError: if they are out of ``MIN_FPS`` to ``MAX_FPS``.
    """
    if not MIN_FPS <= fps <= MAX_FPS:
        raise MotionError(f"a frame rate of {fps:g}; expected {MIN_FPS:g} to {MAX_FPS:,.0f} frames per second")


@dataclass(frozen=True, eq=False)
class Motion:
    """A movement of a skeleton: T frames at a fixed rate. Metres, Y up, right-handed.

    Attributes:
        rotations: (T, J, 3, 3) local rotation matrices, each relative to the parent joint.
        root: (T, 3) world position of the root joint, metres.
        fps: frames per second.
        skeleton: J joints.

    Raises:
        MotionError: on wrong shapes, no frames, NaN or infinity, or a rate out of ``MIN_FPS`` to ``MAX_FPS``.
    """

    rotations: Tensor
    root: Tensor
    fps: float
    skeleton: Skeleton

    def __post_init__(self) -> None:
        frames, joints = self.root.shape[0], self.skeleton.num_joints
        if frames == 0:
            raise MotionError("a motion has no frames; expected at least one")
        if tuple(self.root.shape) != (frames, 3) or tuple(self.rotations.shape) != (frames, joints, 3, 3):
            raise MotionError(
                f"rotations of shape {tuple(self.rotations.shape)} and root of shape {tuple(self.root.shape)}; "
                f"expected (T, {joints}, 3, 3) and (T, 3)"
            )
        if not (torch.isfinite(self.rotations).all() and torch.isfinite(self.root).all()):
            raise MotionError("a motion contains NaN or infinity; expected finite rotations and metres")
        check_rate(self.fps)

    @property
    def num_frames(self) -> int:
        return self.root.shape[0]

    @property
    def duration(self) -> float:
        """Seconds that the frames cover: T / fps."""
        return self.num_frames / self.fps

    @cached_property
    def world(self) -> tuple[Tensor, Tensor]:
        """World rotations (T, J, 3, 3) and positions (T, J, 3), metres."""
        return forward_kinematics(self.rotations, self.root, self.skeleton)

    @property
    def positions(self) -> Tensor:
        """World joint positions (T, J, 3), metres."""
        return self.world[1]

    def frames(self, start: int, stop: int) -> Motion:
        """The frames ``start`` to ``stop`` (exclusive).

        Raises:
            MotionError: if that span is empty or not inside the motion.
        """
        if not 0 <= start < stop <= self.num_frames:
            raise MotionError(f"frames {start} to {stop} of a motion of {self.num_frames}; expected a span inside it")
        return replace(self, rotations=self.rotations[start:stop], root=self.root[start:stop])


# Placement: heading, rotation about the vertical, mirror image


def heading(motion: Motion) -> Tensor:
    """Yaw (T,) in radians of the body's facing direction: 0 is +Z, positive turns towards +X.

    The facing direction is perpendicular to the line between the hips, seen from above.
    """
    positions, skeleton = motion.positions, motion.skeleton
    across = positions[:, skeleton.index("left_hip")] - positions[:, skeleton.index("right_hip")]
    return rot.yaw_of_left(across)


def horizontal(vectors: Tensor) -> Tensor:
    """Returns the vectors or positions (..., 3) with y set to 0."""
    return vectors * vectors.new_tensor([1.0, 0.0, 1.0])


def seen_from_body(positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """World positions (..., T, 24, 3) of the canonical skeleton as the body sees them.

    Returns:
        positions (..., T, 24, 3) from the ground under the pelvis, turned back by the heading of each frame; the
        headings as matrices (..., T, 3, 3), by which rows are turned back; and the turns (..., T - 1) in radians from
        frame to frame, the short way round.
    """
    left = positions[..., CANONICAL.index("left_hip"), :] - positions[..., CANONICAL.index("right_hip"), :]
    yaw = rot.yaw_of_left(left)
    facing, turns = rot.about_y(yaw), torch.diff(yaw, dim=-1)
    return (positions - horizontal(positions[..., :1, :])) @ facing, facing, torch.atan2(turns.sin(), turns.cos())


def turn(motion: Motion, angle: Tensor) -> Motion:
    """The motion turned about the world's vertical axis by ``angle`` (scalar, radians)."""
    yaw = rot.about_y(angle.to(motion.root))
    rotations = motion.rotations.clone()
    rotations[:, 0] = yaw @ rotations[:, 0]
    return replace(motion, rotations=rotations, root=motion.root @ yaw.T)


def in_place(motion: Motion) -> Motion:
    """The motion above the spot where it begins: heights stay, the path over the ground is left out."""
    return replace(motion, root=motion.root - horizontal(motion.root - motion.root[:1]))


def canonicalize_heading(motion: Motion) -> Motion:
    """The motion turned to face +Z in frame 0 and moved to start above the origin; height is kept."""
    facing = turn(motion, -heading(motion.frames(0, 1))[0])
    return replace(facing, root=facing.root - horizontal(facing.root[0]))


def mirror(motion: Motion) -> Motion:
    """The mirror image in the plane x = 0, with left and right joints exchanged.

    Expects a skeleton whose sides are called ``left_*`` and ``right_*`` and whose rest pose is
    symmetric. A reflection S turns a rotation R into S R S.

    Raises:
        SkeletonError: if a joint has no twin on the other side.
    """
    swap = list(motion.skeleton.swapped_sides)
    sign = motion.root.new_tensor([-1.0, 1.0, 1.0])
    rotations = motion.rotations[:, swap] * sign[:, None] * sign
    return replace(motion, rotations=rotations, root=motion.root * sign)


# Timing: resampling by spherical interpolation, cropping in seconds

#: Frames of a motion, at most, that is resampled: more than two hours at 120 frames per second.
_MOST_FRAMES = 1_000_000


def resample(motion: Motion, fps: float) -> Motion:
    """The same movement at another frame rate, from its first frame to its last.

    Rotations are interpolated on the shortest arc, the root path linearly; frames are never
    merely dropped or repeated, unless the new times coincide with old ones.

    Raises:
        MotionError: if ``fps`` is out of range, or there would be more frames than memory is likely to hold.
    """
    check_rate(fps)
    if fps == motion.fps or motion.num_frames == 1:
        return replace(motion, fps=fps)
    last = motion.num_frames - 1
    if last * fps / motion.fps >= _MOST_FRAMES:
        raise MotionError(
            f"{motion.duration:.2f} s at {fps:g} frames per second are {last * fps / motion.fps:.3g} frames; "
            f"expected a rate that gives at most {_MOST_FRAMES:,}"
        )
    count = int(last * fps / motion.fps + 1e-6) + 1
    return at_frames(motion, torch.arange(count, dtype=torch.float64) * (motion.fps / fps), fps)


def at_frames(motion: Motion, frames: Tensor, fps: float) -> Motion:
    """The motion of ``fps`` that is at each of its frames where ``motion`` is at fractional frames (N,).

    Rotations are interpolated on the shortest arc, the root path linearly; beyond an end the motion stays.
    """
    before = frames.floor().long().clamp(0, max(motion.num_frames - 2, 0))
    after = (before + 1).clamp(max=motion.num_frames - 1)
    weight = (frames - before).clamp(0, 1).to(motion.root)
    root = torch.lerp(motion.root[before], motion.root[after], weight[:, None])
    turned = rot.slerp(motion.rotations[before], motion.rotations[after], weight)
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
