"""The last phase: the latent prior, on latents of the finished auto-encoder."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from motionclip.losses.collective import summed
from motionclip.model.checkpoint import Network
from motionclip.model.prior import FlowNoise, LatentPrior
from motionclip.model.residual import ResidualAutoEncoder
from motionclip.training.batches import rows_of
from motionclip.training.phase import Learner, OnStep, descend, seed_step, set_rate
from motionclip.training.pool import LatentPool, PoolMaker
from motionclip.training.presets import TrainConfig
from motionclip.training.run import Run
from motionclip.training.schedule import warmup_cosine


class PriorPhase:
    """Steps of the prior on a pool of windows that is encoded once."""

    name = "prior"

    def __init__(self, config: TrainConfig, run: Run, pool: PoolMaker, on_step: OnStep):
        self.config, self.run, self.pool, self.on_step = config, run, pool, on_step

    def fit(self, network: Network) -> None:
        """Train ``network.prior`` in place, if there is one; it ends with the averaged weights."""
        if network.prior is None or not isinstance(network.autoencoder, ResidualAutoEncoder):
            return
        config, prior, head = self.config, network.prior, network.autoencoder.text_head
        prior.weigh_scores(network.autoencoder.linear)
        learner = Learner(self.name, prior, self.run, config, config.ema)

        @functools.cache
        @torch.no_grad()
        def texts() -> Tensor:
            return head(self.pool().words.embedding)

        def step(number: int) -> dict[str, float]:
            return {"loss": self._step(prior, self.pool(), texts(), learner.optimizer, number)}

        learner.learn(config.prior_steps, step, self.on_step, config.save_every)

    def _step(
        self, prior: LatentPrior, pool: LatentPool, texts: Tensor, optimizer: torch.optim.AdamW, step: int
    ) -> float:
        """One step; all processes draw the batch of all of them, and each takes its share."""
        config, ranks, device = self.config, self.run.ranks, pool.latents.device
        seed_step(config.seed, 1, step)
        set_rate(optimizer, config.prior_lr * warmup_cosine(step, config.warmup, config.prior_steps))
        count, own = config.prior_batch * ranks.size, ranks.share(config.prior_batch)
        chosen = torch.randint(len(pool.latents), (count,))[own].to(device)
        drawn = rows_of(FlowNoise.draw(count, prior.num_scores), own).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            error = prior.loss(pool.latents[chosen], texts[chosen], pool.seconds[chosen], drawn)
        loss = summed(error) / ranks.size
        descend(loss, prior, optimizer, config.clip_norm, ranks)
        return loss.item()
