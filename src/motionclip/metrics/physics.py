"""Whether a motion could be: feet that slide, feet below the floor."""

from __future__ import annotations

import torch
from torch import Tensor


def floor_speeds(feet: Tensor, low: Tensor, fps: float) -> Tensor:
    """Horizontal speeds (N,), cm/s, of feet (T, F, 3) in metres wherever low (T, F) holds in two frames on end.

    Their mean is the foot skate. Contact is told by height alone: a rule with speed in it would
    not see the feet that slide fastest.
    """
    speed = torch.linalg.vector_norm(torch.diff(feet[..., [0, 2]], dim=0), dim=-1) * fps * 100
    return speed[low[1:] & low[:-1]]


def penetration(feet: Tensor) -> float:
    """Mean depth, cm, of the lowest of the sole points (T, F, 3) below the floor y = 0."""
    return (-feet[..., 1].amin(dim=1)).clamp(min=0).mean().item() * 100
