"""Where a body stands, which way it faces, and its mirror image."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from motionclip.motion import rotations as rot
from motionclip.motion.motion import Motion


def heading(motion: Motion) -> Tensor:
    """Yaw (T,) in radians of the body's facing direction: 0 is +Z, positive turns towards +X.

    The facing direction is perpendicular to the line between the hips, seen from above.
    """
    positions, skeleton = motion.positions, motion.skeleton
    across = positions[:, skeleton.index("left_hip")] - positions[:, skeleton.index("right_hip")]
    return rot.yaw_of_left(across)


def horizontal(vectors: Tensor) -> Tensor:
    """The vectors or places (..., 3) without their height: y is 0."""
    return vectors * vectors.new_tensor([1.0, 0.0, 1.0])


def turn(motion: Motion, angle: Tensor) -> Motion:
    """The motion turned about the world's vertical axis by ``angle`` (scalar, radians)."""
    yaw = rot.about_y(angle.to(motion.root))
    rotations = motion.rotations.clone()
    rotations[:, 0] = yaw @ rotations[:, 0]
    return replace(motion, rotations=rotations, root=motion.root @ yaw.T)


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
