"""What the phases of training share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from motionclip.data.windows import WindowSet

#: Called after every step with the phase, the step, the number of steps and the loss.
OnStep = Callable[[str, int, int, float], None]


@dataclass(frozen=True)
class TrainingSet:
    """The windows of a split, and the tower's embeddings (S, E) of all its sentences."""

    windows: WindowSet
    embeddings: Tensor


def seed_step(seed: int, phase: int, step: int) -> None:
    """Make all that is random in a step depend on seed, phase and step alone."""
    torch.manual_seed((seed * 2 + phase + 1) * 1_000_000_007 + step)


def optimizer_of(module: nn.Module, weight_decay: float, slow: nn.Module | None = None) -> torch.optim.AdamW:
    """AdamW over a module, whose ``slow`` part takes steps of a tenth."""
    held = set(slow.parameters()) if slow is not None else set()
    groups = [
        {"params": [p for p in module.parameters() if p not in held], "share": 1.0},
        {"params": [p for p in module.parameters() if p in held], "share": 0.1},
    ]
    return torch.optim.AdamW(groups, weight_decay=weight_decay, betas=(0.9, 0.99))


def set_rate(optimizer: torch.optim.AdamW, rate: float) -> None:
    """Set the learning rate of each group to its share of ``rate``."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def average_of(module: nn.Module, decay: float) -> AveragedModel:
    """A copy of a module that follows the moving average of its weights."""
    return AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(decay))


def descend(loss: Tensor, module: nn.Module, optimizer: torch.optim.AdamW, clip_norm: float) -> float:
    """One step down a loss; returns the norm of the gradient before it was clipped."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(module.parameters(), clip_norm)
    optimizer.step()
    return norm.item()
