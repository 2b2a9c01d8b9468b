"""Rotation rates of decoded motions, limited to what a body can do.

In a fast spin the decoder may not know which way the body faces at a frame. The columns of the root's matrix then
shrink towards their mean, and the heading that they still give can jump. And where a position is uncertain, a short
bone that is aligned with it, such as a hand's, can point anywhere.

Shapes: B windows, T frames, F paths, the 24 joints of the canonical skeleton; local rotation matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.compiler import is_exporting

from motionclip.motion import rotations as rot

#: Highest rotation rate of the root, radians per second: a quick pirouette is about two turns a second.
MAX_ROOT_RATE = 13.0
#: Highest rotation rate of any other joint against its parent, radians per second: a snap of the wrist.
MAX_JOINT_RATE = 20.0

#: The next of the values that follow a path: of the last one, of the path's next, and NumPy or torch to compute with.
_Step = Callable[[Any, Any, ModuleType], Any]


def limit_root_rotation_rate(rotations: Tensor, fps: float) -> Tensor:
    """Returns rotations (B, T, 24, 3, 3) whose root turns by at most ``MAX_ROOT_RATE``; slower windows are unchanged.

    Yaw follows the decoded yaw at a limited rate, once from the first frame on and once from the last frame back; the
    mean of the two turns a jump into a turn around its moment. Then the whole rotation follows at a limited rate.
    """
    most = MAX_ROOT_RATE / fps

    def limited(root: Tensor) -> Tensor:
        yaw = _unwrap(rot.yaw_of_left(root[..., 0]))[..., None]  # (F, T, 1)
        mean = (_follow(yaw, most) + _follow(yaw.flip(1), most).flip(1)) / 2
        return _follow_rotations(rot.about_y((mean - yaw)[..., 0]) @ root, most)

    root = _where_fast(rotations[:, :, 0], most, limited)
    return torch.cat([root[:, :, None], rotations[:, :, 1:]], dim=2)


def limit_joint_rotation_rate(rotations: Tensor, fps: float) -> Tensor:
    """Returns rotations (B, T, 24, 3, 3) whose joints below the root turn by at most ``MAX_JOINT_RATE``.

    A joint that is faster follows its decoded rotation from the first frame on, lagging behind; others are unchanged.
    """
    most = MAX_JOINT_RATE / fps
    local = rotations[:, :, 1:].transpose(1, 2)  # (B, 23, T, 3, 3)
    limited = _where_fast(local.flatten(0, 1), most, lambda fast: _follow_rotations(fast, most))
    return torch.cat([rotations[:, :, :1], limited.reshape(local.shape).transpose(1, 2)], dim=2)


def _where_fast(paths: Tensor, most: float, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns rotations (F, T, 3, 3), changed in paths that turn by more than ``most`` radians in any frame.

    Few do, and only those are computed; but a graph that is exported has no branches.
    """
    fast = (rot.geodesic_angle(paths[:, 1:], paths[:, :-1]) > most).any(dim=1)
    if is_exporting():
        return torch.where(fast[:, None, None, None], change(paths), paths)
    if not fast.any():
        return paths
    result = paths.clone()
    result[fast] = change(paths[fast])
    return result


def _unwrap(angles: Tensor) -> Tensor:
    """Returns angles (F, T), radians, plus whole turns, so that no step is longer than half a turn."""
    steps = torch.remainder(torch.diff(angles, dim=1) + math.pi, 2 * math.pi) - math.pi
    return torch.cat([angles[:, :1], angles[:, :1] + steps.cumsum(dim=1)], dim=1)


def _follow(path: Tensor, most: float) -> Tensor:
    """Returns angles (F, T, 1) that follow a path from its first frame by at most ``most`` radians per frame."""
    return _followed(path, lambda before, target, xp: before + xp.clip(target - before, -most, most))


def _follow_rotations(path: Tensor, most: float) -> Tensor:
    """Returns rotations (F, T, 3, 3) that follow a path from its first frame by at most ``most`` radians per frame."""

    def step(before: Any, target: Any, xp: ModuleType) -> Any:
        cosine = (before * target).sum(-1)[..., None]  # of half the angle, but for its sign
        half = xp.arccos(xp.clip(xp.abs(cosine), 0, 1))
        behind = 2 * half > most
        # spherical linear interpolation (Shoemake 1985), as far as one frame may take it
        ahead = math.sin(most / 2) * xp.sign(cosine) * target
        moved = (xp.sin(half - most / 2) * before + ahead) / xp.where(behind, xp.sin(half), xp.ones_like(half))
        return xp.where(behind, moved, target)

    quats = rot.matrix_to_quat(path)
    followed = _followed(quats, step)
    moved = (followed != quats).any(dim=-1)[..., None, None]
    return torch.where(moved, rot.quat_to_matrix(followed), path)


def _followed(path: Tensor, step: _Step) -> Tensor:
    """Returns values (F, T, C) that begin as a path (F, T, C) and go on by steps.

    On so few numbers NumPy takes a tenth of PyTorch's time; a graph that is exported has a scan.
    """
    if is_exporting():
        from torch._higher_order_ops.scan import scan

        def both(before: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
            now = step(before, target, torch)
            return now, now.clone()

        _, rest = scan(both, path[:, 0].contiguous(), path[:, 1:].transpose(0, 1).contiguous())
        return torch.cat([path[:, :1], rest.transpose(0, 1)], dim=1)
    wanted = path.double().cpu().numpy()
    followed = wanted.copy()
    for frame in range(1, wanted.shape[1]):
        followed[:, frame] = step(followed[:, frame - 1], wanted[:, frame], np)
    return torch.from_numpy(followed).to(path)
