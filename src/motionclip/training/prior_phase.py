"""The last phase: the latent prior, on latents of the finished auto-encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motionclip.losses.collective import summed
from motionclip.model.checkpoint import Network
from motionclip.model.prior import FlowNoise, LatentPrior
from motionclip.model.residual import ResidualAutoEncoder
from motionclip.training.batches import rows_of
from motionclip.training.phase import (
    LOG_EVERY,
    OnStep,
    average_of,
    descend,
    optimizer_of,
    resumed,
    seed_step,
    set_rate,
)
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
        config, prior, run = self.config, network.prior, self.run
        prior.weigh_scores(network.autoencoder.linear)
        averaged = average_of(prior, config.ema)
        optimizer = optimizer_of(prior, config.weight_decay, config.betas)
        modules: dict[str, nn.Module] = {"model": prior}
        if averaged is not None:
            modules["averaged"] = averaged
        start = resumed(run, self.name, modules, optimizer)
        run.forget_after((self.name,), start)
        if start < config.prior_steps:
            pool = self.pool()
            with torch.no_grad():
                texts = network.autoencoder.text_head(pool.words.embedding)
        for step in range(start, config.prior_steps):
            loss = self._step(prior, pool, texts, optimizer, step)
            if averaged is not None:
                averaged.update_parameters(prior)
            done = step + 1
            if done % LOG_EVERY == 0 or done == config.prior_steps:
                run.log(self.name, done, {"loss": loss})
            if done % config.save_every == 0 or done == config.prior_steps:
                run.save(self.name, done, modules, optimizer)
            self.on_step(self.name, done, config.prior_steps, loss)
        if averaged is not None:
            prior.load_state_dict(averaged.module.state_dict())

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
