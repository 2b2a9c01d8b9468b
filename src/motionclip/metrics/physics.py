"""Whether a motion could be: feet that slide, feet below the floor."""

from __future__ import annotations

import torch
from torch import Tensor


def foot_skate(feet: Tensor, contacts: Tensor, fps: float) -> float:
    """Mean horizontal speed, cm/s, of feet (T, F, 3) in metres while they stand (contacts (T, F)); 0 if none does."""
    speed = torch.linalg.vector_norm(torch.diff(feet[..., [0, 2]], dim=0), dim=-1) * fps * 100
    standing = contacts[1:] & contacts[:-1]
    return (speed * standing).sum().item() / max(int(standing.sum()), 1)


def penetration(feet: Tensor) -> float:
    """Mean depth, cm, of the lowest of the sole points (T, F, 3) below the floor y = 0."""
    return (-feet[..., 1].amin(dim=1)).clamp(min=0).mean().item() * 100
