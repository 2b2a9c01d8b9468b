"""The loop that all phases of training share: draw, descend, average, log, save, resume."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection
from typing import Generic, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from motionclip.training.config import PhaseConfig
from motionclip.training.distributed import DistributedContext
from motionclip.training.run import RunFolder, load_state

#: Called after every step with the phase, the step, the number of steps and the loss; where sentences or rendered
#: frames are embedded, with "sentences" or "frames", how many are done, of how many, and None.
StepCallback = Callable[[str, int, int, float | None], None]
#: Returns the loss (scalar) of a step and its parts by name; all that is random in it comes from the generator.
StepLoss = Callable[[torch.Generator], tuple[Tensor, dict[str, Tensor]]]
Module = TypeVar("Module", bound=nn.Module)
_Weights = tuple[Tensor, ...] | list[Tensor]

#: Steps between rows of a phase in the metrics.
LOG_EVERY = 50


def derived_seed(seed: int, *purpose: str | int) -> int:
    """Returns a seed that depends on the run's seed and a purpose, such as a phase and a step, and on nothing else."""
    digest = hashlib.sha256("/".join(map(str, (seed, *purpose))).encode()).digest()
    return int.from_bytes(digest[:4])  # torch's generator on the CPU keeps 32 bits of a seed


def generator_for(seed: int, *purpose: str | int) -> torch.Generator:
    """Returns a generator on the CPU, seeded by :func:`derived_seed`."""
    return torch.Generator().manual_seed(derived_seed(seed, *purpose))


def warmup_cosine(step: int, warmup: int, steps: int, floor: float = 0.01) -> float:
    """Returns the factor of the peak learning rate at ``step``: linear warm-up, then a cosine down to ``floor``.

    The warm-up takes at most a tenth of the steps.
    """
    warmup = min(warmup, steps // 10)
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def optimizer_of(module: nn.Module, config: PhaseConfig, slow: Collection[nn.Parameter] = ()) -> torch.optim.AdamW:
    """Returns AdamW over a module, whose ``slow`` parameters take a tenth of the learning rate."""
    held = set(slow)
    groups = [
        {"params": [p for p in module.parameters() if p not in held], "share": 1.0},
        {"params": [p for p in module.parameters() if p in held], "share": 0.1},
    ]
    filled = [group for group in groups if group["params"]]
    return torch.optim.AdamW(filled, weight_decay=config.weight_decay, betas=config.betas, fused=True)


def average_of(module: nn.Module, decay: float) -> AveragedModel | None:
    """Returns a copy of a module that follows the moving average of its weights; None without decay.

    After n steps the decay is (1 + n) / (10 + n) at most: with all of it from the start, what a short run keeps would
    be mostly the weights that it began with.
    """

    def follow(averaged: _Weights, current: _Weights, count: Tensor | int) -> None:
        torch._foreach_lerp_(averaged, current, max(1 - decay, 9 / (10 + float(count))))

    return AveragedModel(module, multi_avg_fn=follow) if decay else None


def descend(
    loss: Tensor,
    module: nn.Module,
    optimizer: torch.optim.AdamW,
    clip_norm: float,
    distributed: DistributedContext,
) -> float:
    """Take one step down a loss of all processes; returns the gradient's norm before it was clipped.

    It is not clipped at ``clip_norm`` 0.
    """
    loss.backward()
    distributed.sum_gradients(module)
    gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if clip_norm:
        nn.utils.clip_grads_with_norm_(module.parameters(), clip_norm, norm)
    optimizer.step()
    optimizer.zero_grad()  # here, so that none are held while the next batch goes forth
    return norm.item()


class Learner(Generic[Module]):
    """Trains a module in a phase of a run.

    Args:
        phase: its name, which is that of its configuration.
        module: what learns.
        run: the run folder, for metrics and checkpoints.
        on_step: called after every step.
        slow: parameters that take a tenth of the learning rate.

    Attributes:
        kept: whose weights the module ends with: the averaged one, where there is one.
    """

    def __init__(
        self,
        phase: str,
        module: Module,
        run: RunFolder,
        on_step: StepCallback,
        slow: Collection[nn.Parameter] = (),
    ):
        self.phase, self.module, self.run, self.on_step = phase, module, run, on_step
        self.config: PhaseConfig = getattr(run.config, phase)
        self._optimizer = optimizer_of(module, self.config, slow)
        self._averaged = average_of(module, self.config.ema)
        self.kept = module if self._averaged is None else cast(Module, self._averaged.module)

    def learn(self, loss: StepLoss, look: Callable[[int], None] | None = None) -> None:
        """Take the steps that the run has not taken.

        ``look`` is called after each step with the number of steps taken, and may log rows of ``validation``.

        Raises:
            ModelError: if the run's last state is damaged, or not the same on all nodes.
        """
        run, steps = self.run, self.config.steps
        start = self._resumed()
        run.forget_after((self.phase,) if look is None else (self.phase, "validation"), start)
        for done in range(start + 1, steps + 1):
            values = self._step(done - 1, loss)
            if self._averaged is not None:
                self._averaged.update_parameters(self.module)
            if done % LOG_EVERY == 0 or done == steps:
                run.log(self.phase, done, values)
            if look is not None:
                look(done)
            if done % run.config.save_every == 0 or done == steps:
                run.save(self.phase, done, self._modules(), self._optimizer)
            self.on_step(self.phase, done, steps, values["loss"])
        self.module.load_state_dict(self.kept.state_dict())

    def _step(self, step: int, loss: StepLoss) -> dict[str, float]:
        config, seed, distributed = self.config, self.run.config.seed, self.run.distributed
        is_constant = config.schedule == "constant"
        rate = config.lr * (1.0 if is_constant else warmup_cosine(step, config.warmup, config.steps))
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["share"]
        # Dropout takes no generator: it is seeded here, differently in each process, for each has other windows.
        torch.manual_seed(derived_seed(seed, self.phase, step, "dropout", distributed.rank))
        total, parts = loss(generator_for(seed, self.phase, step))
        norm = descend(total, self.module, self._optimizer, config.clip_norm, distributed)
        return {"loss": total.item(), "gradient": norm} | {name: part.item() for name, part in parts.items()}

    def _modules(self) -> dict[str, nn.Module]:
        averaged: dict[str, nn.Module] = {} if self._averaged is None else {"averaged": self._averaged}
        return {"model": self.module} | averaged

    def _resumed(self) -> int:
        """Load the last state, if there is one; returns its step, or 0."""
        path = self.run.state_path(self.phase)
        start = load_state(path, self._modules(), self._optimizer) if path.exists() else 0
        self.run.distributed.check_alike(str(start), f"step in {path}; put the run folder where all nodes see it")
        return start
