"""Bodies that turn no faster than bodies do.

The decoder gives the heading of the root as two columns of a matrix. In a fast spin it may not know
when the body faces which way, the columns shrink towards their mean, and the heading that they
still name can jump from one frame to the next.
"""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.motion import rotations as rot

#: Fastest turn of the root, radians per second: a quick pirouette is about two turns a second.
FASTEST_TURN = 13.0


def limit_turning(sixd: Tensor, fps: float) -> Tensor:
    """6D rotations (B, T, 24, 6) whose root turns by at most ``FASTEST_TURN``; others are returned as they are.

    The root follows its path from the first frame on, and from the last frame back, each time
    lagging behind where the path is too fast; midway between the two, a jump becomes a turn
    around the moment at which it was.
    """
    root, most = rot.sixd_to_matrix(sixd[:, :, 0]), FASTEST_TURN / fps
    steps = rot.geodesic_angle(root[:, 1:], root[:, :-1])
    fast = (steps > most).any(dim=1) if steps.shape[1] else steps.new_zeros(len(sixd), dtype=torch.bool)
    if not fast.any():
        return sixd
    ahead = _follow(root[fast], most)
    back = _follow(root[fast].flip(1), most).flip(1)
    midway = rot.slerp(ahead, back, torch.full((len(ahead),), 0.5).to(ahead))
    steady = sixd.clone()
    # Where the two are half a turn apart, midway itself may change sides.
    steady[fast, :, 0] = rot.matrix_to_sixd(_follow(midway, most))
    return steady


def _follow(path: Tensor, most: float) -> Tensor:
    """Rotations (B, T, 3, 3) that follow a path from its first frame by at most ``most`` radians per frame."""
    current, followed = path[:, 0], [path[:, 0]]
    for target in path.unbind(dim=1)[1:]:
        step = rot.matrix_to_rotvec(current.mT @ target)
        angle = step.norm(dim=-1, keepdim=True)
        current = current @ rot.rotvec_to_matrix(step * (most / angle.clamp(min=1e-9)).clamp(max=1.0))
        followed.append(current)
    return torch.stack(followed, dim=1)
