"""Foot contacts, detected from the height and speed of joints."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.errors import MotionError
from motionclip.motion.skeleton import ANKLE_HEIGHT, CANONICAL, FOOT_HEIGHT, Skeleton

#: Order of the joints in what ``foot_contacts`` returns.
CONTACT_JOINTS = ("left_ankle", "left_foot", "right_ankle", "right_foot")
#: Where they are in the canonical skeleton.
CONTACT_INDICES = CANONICAL.indices(CONTACT_JOINTS)
#: Frames over which a soft contact comes and goes, so that holding a foot does not jerk the body.
_SOFT = 5
_REST_HEIGHTS = (ANKLE_HEIGHT, FOOT_HEIGHT, ANKLE_HEIGHT, FOOT_HEIGHT)


def foot_contacts(
    positions: Tensor, fps: float, *, clearance: float = 0.05, speed: float = 0.5, skeleton: Skeleton = CANONICAL
) -> Tensor:
    """Returns which of ``CONTACT_JOINTS`` touch the floor in each frame, (..., T, 4) booleans.

    A joint touches the floor if it is at most ``clearance`` above its height when standing and moves
    slower than ``speed``. Speed is taken over both neighbouring frames.

    Args:
        positions: (..., T, J, 3) world joint positions, metres, y = 0 the floor.
        fps: frames per second.
        clearance: metres.
        speed: metres per second.
        skeleton: J joints with the canonical names.

    Returns:
        (..., T, 4) booleans.

    Raises:
        MotionError: if the positions are not (..., T, J, 3) with at least one frame.
        SkeletonError: if the skeleton lacks one of the four joints.
    """
    if positions.dim() < 3 or positions.shape[-3] == 0 or tuple(positions.shape[-2:]) != (skeleton.num_joints, 3):
        raise MotionError(
            f"positions of shape {tuple(positions.shape)}; expected (..., T, {skeleton.num_joints}, 3), T at least 1"
        )
    feet = positions[..., skeleton.indices(CONTACT_JOINTS), :]  # (..., T, 4, 3)
    low = feet[..., 1] < feet.new_tensor(_REST_HEIGHTS) + clearance
    return low & (_speeds(feet, fps) < speed)


def soft_contacts(positions: Tensor, fps: float) -> Tensor:
    """Returns how surely (T, 4), 0 to 1, feet touch the floor, coming and going over several frames.

    Arguments and errors as of :func:`foot_contacts`, of one motion (T, 24, 3) on the canonical skeleton.
    """
    touching = foot_contacts(positions, fps).to(positions).T  # (4, T)
    return F.avg_pool1d(touching, _SOFT, stride=1, padding=_SOFT // 2, count_include_pad=False).T


def contact_spans(positions: Tensor, fps: float, skeleton: Skeleton = CANONICAL) -> dict[str, list[list[float]]]:
    """Returns for each of ``CONTACT_JOINTS`` the spans, from and to a second, in which it touches the floor.

    Arguments and errors as of :func:`foot_contacts`, of one motion (T, J, 3).
    """
    touching = foot_contacts(positions, fps, skeleton=skeleton)
    return {
        name: [[round(start / fps, 4), round(stop / fps, 4)] for start, stop in runs(own)]
        for name, own in zip(CONTACT_JOINTS, touching.T, strict=True)
    }


def runs(flags: Tensor) -> Iterator[tuple[int, int]]:
    """Yields the first index of each run of truth in flags (T,), and the one after its last."""
    edges = torch.diff(F.pad(flags.int(), (1, 1))).nonzero()[:, 0].tolist()
    yield from zip(edges[::2], edges[1::2], strict=True)


def _speeds(points: Tensor, fps: float) -> Tensor:
    """Speeds (..., T, K) in m/s of points (..., T, K, 3): central differences, one-sided at the ends."""
    if points.shape[-3] == 1:
        return points.new_zeros(points.shape[:-1])
    return torch.gradient(points, dim=-3)[0].norm(dim=-1) * fps
