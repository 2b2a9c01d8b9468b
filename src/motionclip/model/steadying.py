"""Bodies that turn no faster than bodies do.

The decoder gives the heading of the root as two columns of a matrix. In a fast spin it may not know
when the body faces which way, the columns shrink towards their mean, and the heading that they
still name can jump from one frame to the next. And where the decoder is unsure of a place, a short bone that is aimed
at it, such as a hand, may point anywhere.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from motionclip.motion import rotations as rot

#: Fastest turn of the root, radians per second: a quick pirouette is about two turns a second.
FASTEST_TURN = 13.0
#: Fastest turn of any other joint against the one above it, radians per second: a snap of the wrist.
FASTEST_SWING = 20.0


def limit_heading(rotations: Tensor, fps: float) -> Tensor:
    """Local rotations (B, T, 24, 3, 3), those whose root turns too fast with its yaw slowed; others as they are.

    The yaw follows its path from the first frame on, and from the last frame back, each time lagging
    behind where the path is too fast; midway between the two, a jump becomes a turn around the moment
    at which it was. The lean then follows its own path, as fast.
    """
    root, most = rotations[:, :, 0], FASTEST_TURN / fps
    if root.shape[1] < 2:
        return rotations
    fast = (rot.geodesic_angle(root[:, 1:], root[:, :-1]) > most).any(dim=1)
    if not fast.any():
        return rotations
    yaw = _unwrapped(rot.yaw_of_left(root[fast, :, :, 0]))  # (F, T)
    slowed = (_follow(yaw, most) + _follow(yaw.flip(1), most).flip(1)) / 2
    steady = rotations.clone()
    steady[fast, :, 0] = _follow_rotations(rot.about_y(slowed - yaw) @ root[fast], most)
    return steady


def limit_swings(rotations: Tensor, fps: float) -> Tensor:
    """Local rotations (B, T, 24, 3, 3), joints below the root on their own path, lagging where it is too fast."""
    local, most = rotations[:, :, 1:].transpose(1, 2), FASTEST_SWING / fps  # (B, 23, T, 3, 3)
    fast = (rot.geodesic_angle(local[:, :, 1:], local[:, :, :-1]) > most).any(dim=2)
    if not fast.any():
        return rotations
    steady = rotations.clone()
    paths = steady[:, :, 1:].transpose(1, 2)  # a view: what is written there is in ``steady``
    paths[fast] = _follow_rotations(local[fast], most)
    return steady


def _unwrapped(angles: Tensor) -> Tensor:
    """Angles (F, T) with whole turns added, so that no step is longer than half a turn."""
    steps = torch.remainder(torch.diff(angles, dim=1) + math.pi, 2 * math.pi) - math.pi
    return torch.cat([angles[:, :1], angles[:, :1] + steps.cumsum(dim=1)], dim=1)


def _follow(path: Tensor, most: float) -> Tensor:
    """Angles (F, T) that follow a path from its first frame by at most ``most`` radians per frame."""
    followed = [path[:, 0]]
    for target in path.unbind(dim=1)[1:]:
        followed.append(followed[-1] + (target - followed[-1]).clamp(-most, most))
    return torch.stack(followed, dim=1)


def _follow_rotations(path: Tensor, most: float) -> Tensor:
    """Rotations (F, T, 3, 3) that follow a path from its first frame by at most ``most`` radians per frame."""
    followed = path.clone()
    is_fast = (rot.geodesic_angle(path[:, 1:], path[:, :-1]) > most).any(dim=0).tolist()
    lags = False
    for frame, fast in enumerate(is_fast, start=1):
        if lags or fast:  # elsewhere it is where the path is
            step = rot.matrix_to_rotvec(followed[:, frame - 1].mT @ path[:, frame])
            followed[:, frame] = followed[:, frame - 1] @ rot.rotvec_to_matrix(rot.limit_angle(step, most))
            lags = bool((step.norm(dim=-1) > most).any())
    return followed
