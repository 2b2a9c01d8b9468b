"""What the phases of training share."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from motionclip.data.windows import WindowBatch, WindowSet
from motionclip.losses.objective import ImageTargets, TextTargets
from motionclip.model.features import Batch, canonicalize, mirror_windows
from motionclip.model.prior import FlowNoise
from motionclip.training.config import TrainConfig
from motionclip.training.distributed import DistributedContext
from motionclip.training.frames import PictureTable
from motionclip.training.run import Run, load_state

# Learning rate over a run.


def warmup_cosine(step: int, warmup: int, steps: int, floor: float = 0.01) -> float:
    """Factor of the peak learning rate at ``step``: linear warm-up, then a cosine down to ``floor``.

    The warm-up takes at most a tenth of the steps.
    """
    warmup = min(warmup, steps // 10)
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def rate_factor(schedule: str, step: int, warmup: int, steps: int) -> float:
    """Factor of the peak learning rate at ``step`` of a named schedule, ``cosine`` or ``constant``."""
    return 1.0 if schedule == "constant" else warmup_cosine(step, warmup, steps)


# Draws of a window set as tensors for the model.


Rows = TypeVar("Rows", WindowBatch, ImageTargets, TextTargets, FlowNoise)


def rows_of(value: Rows, rows: slice | Tensor) -> Rows:
    """Some rows of all tensors of a value."""
    return type(value)(*(getattr(value, item.name)[rows] for item in dataclasses.fields(value)))


def gather(windows: WindowSet, draw: WindowBatch) -> Batch:
    """The windows of a draw, mirrored where it says so, each in its own frame of reference."""
    sixd, root = windows.sixd[draw.rows], windows.root[draw.rows]
    mirrored_sixd, mirrored_root = mirror_windows(sixd, root)
    flip = draw.mirrored.to(sixd.device)[:, None, None]
    sixd = torch.where(flip[..., None], mirrored_sixd, sixd)
    sixd, root = canonicalize(sixd, torch.where(flip, mirrored_root, root))
    return Batch(sixd, root, draw.mask.to(root.device))


def gather_rows(windows: WindowSet, rows: Tensor) -> Batch:
    """Whole windows of rows (B, T), each in its own frame of reference."""
    sixd, root = canonicalize(windows.sixd[rows], windows.root[rows])
    return Batch(sixd, root, torch.ones(rows.shape, dtype=torch.bool, device=root.device))


def text_targets(draw: WindowBatch, embeddings: Tensor) -> TextTargets:
    """Words of a draw from the table of all sentences' embeddings (S, E)."""
    device = embeddings.device
    text, label = draw.text.to(device), draw.label.to(device)
    return TextTargets(embeddings[text.clamp(min=0)], label, (text >= 0).float())


#: Steps between rows of a phase in the metrics.
LOG_EVERY = 50
#: Called after every step with the phase, the step, the number of steps and the loss; first, where pictures are
#: embedded, with "pictures", how many are, of how many, and None.
ProgressCallback = Callable[[str, int, int, float | None], None]
Module = TypeVar("Module", bound=nn.Module)
_Weights = tuple[Tensor, ...] | list[Tensor]


@dataclass(frozen=True)
class TrainingSet:
    """The windows of a split, the text encoder's embeddings (S, E) of all its sentences, and pictures where they are used."""

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


def descend(
    loss: Tensor, module: nn.Module, optimizer: torch.optim.AdamW, clip_norm: float, ranks: DistributedContext
) -> float:
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


class Learner(Generic[Module]):
    """A module that learns step by step in a run: its optimizer, and the average of its weights, if there is one.

    Attributes:
        optimizer: AdamW over the module.
        kept: whose weights the module ends with: the averaged one, where there is one.
    """

    def __init__(
        self, phase: str, module: Module, run: Run, config: TrainConfig, ema: float, slow: Collection[nn.Parameter] = ()
    ):
        self.phase, self.module, self.run = phase, module, run
        self.optimizer = optimizer_of(module, config.weight_decay, config.betas, slow)
        self._averaged = average_of(module, ema)
        self.kept = module if self._averaged is None else cast(Module, self._averaged.module)

    def learn(
        self,
        steps: int,
        step: Callable[[int], dict[str, float]],
        on_step: ProgressCallback,
        save_every: int,
        look: Callable[[int], None] | None = None,
    ) -> None:
        """Take the steps that the run has not taken; ``step`` returns its figures, among them the ``loss``.

        ``look`` is called after each step with the number of steps taken, and may log rows of ``validation``.

        Raises:
            ModelError: if the run's last state is damaged, or not the same on all nodes.
        """
        run = self.run
        start = self._resumed()
        run.forget_after((self.phase,) if look is None else (self.phase, "validation"), start)
        for done in range(start + 1, steps + 1):
            values = step(done - 1)
            if self._averaged is not None:
                self._averaged.update_parameters(self.module)
            if done % LOG_EVERY == 0 or done == steps:
                run.log(self.phase, done, values)
            if look is not None:
                look(done)
            if done % save_every == 0 or done == steps:
                run.save(self.phase, done, self._modules(), self.optimizer)
            on_step(self.phase, done, steps, values["loss"])
        self.module.load_state_dict(self.kept.state_dict())

    def _modules(self) -> dict[str, nn.Module]:
        averaged: dict[str, nn.Module] = {} if self._averaged is None else {"averaged": self._averaged}
        return {"model": self.module} | averaged

    def _resumed(self) -> int:
        """Load the last state, if there is one; returns its step, or 0."""
        path = self.run.state_path(self.phase)
        start = load_state(path, self._modules(), self.optimizer) if path.exists() else 0
        self.run.ranks.check_alike(str(start), f"step in {path}; put the run folder where all nodes see it")
        return start
