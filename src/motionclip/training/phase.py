"""What the phases of training share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from motionclip.data.windows import WindowSet
from motionclip.training.checkpoint import load_state
from motionclip.training.distributed import Ranks
from motionclip.training.pictures import PictureTable
from motionclip.training.run import Run

#: Steps between rows of a phase in the metrics.
LOG_EVERY = 50
#: Called after every step with the phase, the step, the number of steps and the loss; first, where pictures are
#: embedded, with "pictures", how many are, of how many, and None.
OnStep = Callable[[str, int, int, float | None], None]
_Weights = tuple[Tensor, ...] | list[Tensor]


@dataclass(frozen=True)
class TrainingSet:
    """The windows of a split, the tower's embeddings (S, E) of all its sentences, and pictures where they are used."""

    windows: WindowSet
    embeddings: Tensor
    pictures: PictureTable | None = None


def device_of(module: nn.Module) -> torch.device:
    """Where a module computes."""
    return next(module.parameters()).device


def seed_step(seed: int, phase: int, step: int) -> None:
    """Make all that is random in a step depend on seed, phase and step alone."""
    torch.manual_seed((seed * 2 + phase + 1) * 1_000_000_007 + step)


def optimizer_of(
    module: nn.Module, weight_decay: float, betas: tuple[float, float], slow: Collection[nn.Parameter] = ()
) -> torch.optim.AdamW:
    """AdamW over a module, whose ``slow`` parameters take steps of a tenth."""
    held = set(slow)
    groups = [
        {"params": [p for p in module.parameters() if p not in held], "share": 1.0},
        {"params": [p for p in module.parameters() if p in held], "share": 0.1},
    ]
    filled = [group for group in groups if group["params"]]
    return torch.optim.AdamW(filled, weight_decay=weight_decay, betas=betas, fused=True)


def set_rate(optimizer: torch.optim.AdamW, rate: float) -> None:
    """Set the learning rate of each group to its share of ``rate``."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def average_of(module: nn.Module, decay: float) -> AveragedModel | None:
    """A copy of a module that follows the moving average of its weights; none without decay.

    After n steps the decay is (1 + n) / (10 + n) at most: with all of it from the start, what a short run keeps would
    be mostly the weights that it began with.
    """

    def follow(averaged: _Weights, current: _Weights, count: Tensor | int) -> None:
        torch._foreach_lerp_(averaged, current, max(1 - decay, 9 / (10 + float(count))))

    return AveragedModel(module, multi_avg_fn=follow) if decay else None


def resumed(run: Run, phase: str, modules: dict[str, nn.Module], optimizer: torch.optim.AdamW) -> int:
    """Load the last state of a phase, if there is one; returns its step, or 0.

    Raises:
        ModelError: if it is damaged, or not the same on all nodes.
    """
    path = run.state_path(phase)
    start = load_state(path, modules, optimizer) if path.exists() else 0
    run.ranks.check_alike(str(start), f"step in {path}; put the run folder where all nodes see it")
    return start


def descend(loss: Tensor, module: nn.Module, optimizer: torch.optim.AdamW, clip_norm: float, ranks: Ranks) -> float:
    """One step down a loss of all processes; returns the gradient's norm before it was clipped (not at all, at 0)."""
    loss.backward()
    ranks.sum_gradients(module)
    gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if clip_norm:
        nn.utils.clip_grads_with_norm_(module.parameters(), clip_norm, norm)
    optimizer.step()
    optimizer.zero_grad()  # here, so that none are held while the next batch goes forth
    return norm.item()
