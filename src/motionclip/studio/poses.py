"""A motion as a page draws it: where each joint of the body is in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from motionclip.body import Body
from motionclip.motion import Motion
from motionclip.motion.rotations import matrix_to_quat

#: Seconds over which the path is averaged that the view follows, so that a step does not sway it.
_FOLLOW = 1.0


@dataclass(frozen=True, eq=False)
class Poses:
    """The joints of the default body in T frames. World: metres, Y up.

    Attributes:
        quats: (T, J, 4) world rotations, unit quaternions (w, x, y, z).
        positions: (T, J, 3) world positions, metres.
        path: (T, 2) x and z of the place on the ground that a view should look at, metres.
        fps: frames per second.
    """

    quats: NDArray
    positions: NDArray
    path: NDArray
    fps: float


def poses_of(body: Body, motion: Motion) -> Poses:
    """The poses of a body in a motion.

    Raises:
        SkeletonError: if the motion's skeleton cannot be matched to the body's.
    """
    fitted = body.fitted(motion)
    rotations, positions = fitted.world
    quats = matrix_to_quat(rotations).roll(1, dims=-1)  # (x, y, z, w) to (w, x, y, z)
    path = _smooth(fitted.root[:, [0, 2]].float(), round(_FOLLOW * fitted.fps))
    return Poses(
        quats.double().numpy(force=True), positions.double().numpy(force=True), path.numpy(force=True), fitted.fps
    )


def _smooth(path: Tensor, width: int) -> Tensor:
    """Moving average (T, 2) over ``width`` frames of a path (T, 2) that stands still before and after."""
    half = min(width // 2, len(path))
    padded = torch.cat([path[:1].expand(half, 2), path, path[-1:].expand(half, 2)])
    return F.avg_pool1d(padded.T[None], 2 * half + 1, stride=1)[0].T
