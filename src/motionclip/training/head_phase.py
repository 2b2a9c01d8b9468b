"""The second phase: the text head, on latents of the finished auto-encoder.

What tells two sentences apart is seen where both are in the same batch. The head is small and the latents are there
already, so batches can be as large as the auto-encoder's cannot.
"""

from __future__ import annotations

import torch
from torch import nn

from motionclip.losses.objective import weighted, word_losses
from motionclip.model.checkpoint import Network
from motionclip.training.batches import rows_of
from motionclip.training.phase import Learner, OnStep, descend, seed_step, set_rate
from motionclip.training.pool import LatentPool, PoolMaker
from motionclip.training.presets import TrainConfig
from motionclip.training.run import Run
from motionclip.training.schedule import warmup_cosine


class HeadPhase:
    """Steps of the text head alone, by the losses of words."""

    name = "head"

    def __init__(self, config: TrainConfig, run: Run, pool: PoolMaker, on_step: OnStep):
        self.config, self.run, self.pool, self.on_step = config, run, pool, on_step

    def fit(self, network: Network) -> None:
        """Train the auto-encoder's text head in place, if there are steps for it; the paper's has nothing to learn."""
        config, head = self.config, network.autoencoder.text_head
        if not config.head_steps or not list(head.parameters()):
            return
        learner = Learner(self.name, head, self.run, config, ema=0.0)

        def step(number: int) -> dict[str, float]:
            return {"loss": self._step(head, self.pool(), learner.optimizer, number)}

        learner.learn(config.head_steps, step, self.on_step, save_every=config.head_steps)

    def _step(self, head: nn.Module, pool: LatentPool, optimizer: torch.optim.AdamW, step: int) -> float:
        """One step; all processes draw the batch of all of them, and each takes its share."""
        config, ranks, device = self.config, self.run.ranks, pool.latents.device
        seed_step(config.seed, 1, -1 - step)  # the steps from 0 on are the prior's
        set_rate(optimizer, config.head_lr * warmup_cosine(step, 0, config.head_steps))
        count, own = config.head_batch * ranks.size, ranks.share(config.head_batch)
        chosen = torch.randint(len(pool.latents), (count,))[own].to(device)
        words = rows_of(pool.words, chosen)
        loss = weighted(config.losses, word_losses(config.losses, pool.latents[chosen], head(words.embedding), words))
        descend(loss, head, optimizer, config.clip_norm, ranks)
        return loss.item()
