"""The second phase: the latent prior, on latents of the finished auto-encoder."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionclip.losses.collective import gathered, summed
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.model.checkpoint import Network
from motionclip.model.prior import FlowNoise, LatentPrior
from motionclip.model.residual import ResidualAutoEncoder
from motionclip.training.batches import gather, rows_of
from motionclip.training.phase import (
    OnStep,
    TrainingSet,
    average_of,
    descend,
    optimizer_of,
    resumed,
    seed_step,
    set_rate,
)
from motionclip.training.presets import TrainConfig
from motionclip.training.run import Run
from motionclip.training.schedule import warmup_cosine

_LOG_EVERY = 50


@dataclass(frozen=True)
class _Pool:
    """What the prior learns from: motion latents (N, D), text latents (N, D) and lengths (N,) in seconds."""

    latents: Tensor
    texts: Tensor
    seconds: Tensor


class PriorPhase:
    """Steps of the prior on a pool of windows that is encoded once."""

    name = "prior"

    def __init__(self, config: TrainConfig, run: Run, data: TrainingSet, on_step: OnStep):
        self.config, self.run, self.data, self.on_step = config, run, data, on_step

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
            pool = self._pool(network.autoencoder)
        for step in range(start, config.prior_steps):
            loss = self._step(prior, pool, optimizer, step)
            if averaged is not None:
                averaged.update_parameters(prior)
            done = step + 1
            if done % _LOG_EVERY == 0 or done == config.prior_steps:
                run.log(self.name, done, {"loss": loss})
            if done % config.save_every == 0 or done == config.prior_steps:
                run.save(self.name, done, modules, optimizer)
            self.on_step(self.name, done, config.prior_steps, loss)
        if averaged is not None:
            prior.load_state_dict(averaged.module.state_dict())

    def _step(self, prior: LatentPrior, pool: _Pool, optimizer: torch.optim.AdamW, step: int) -> float:
        """One step; all processes draw the batch of all of them, and each takes its share."""
        config, ranks, device = self.config, self.run.ranks, pool.latents.device
        seed_step(config.seed, 1, step)
        set_rate(optimizer, config.prior_lr * warmup_cosine(step, config.warmup, config.prior_steps))
        count, own = config.prior_batch * ranks.size, ranks.share(config.prior_batch)
        chosen = torch.randint(len(pool.latents), (count,))[own].to(device)
        drawn = rows_of(FlowNoise.draw(count, prior.num_scores), own).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            error = prior.loss(pool.latents[chosen], pool.texts[chosen], pool.seconds[chosen], drawn)
        loss = summed(error) / ranks.size
        descend(loss, prior, optimizer, config.clip_norm, ranks)
        return loss.item()

    @torch.compiler.set_stance("force_eager")  # once through the pool: not worth compiling again without gradients
    @torch.no_grad()
    def _pool(self, model: MotionAutoEncoder) -> _Pool:
        """Windows that have words; each process encodes its share of them, and all get all."""
        config, windows, ranks = self.config, self.data.windows, self.run.ranks
        model.eval()
        latents, texts, seconds = [], [], []
        lengths = sorted(set(config.window_seconds))
        count, own = config.batch_size * ranks.size, ranks.share(config.batch_size)
        for number in range(-(-config.prior_pool // count)):
            frames = round(lengths[number % len(lengths)] * config.model.fps)
            draw = windows.draw(config.seed + 1, number, count, frames, config.mirror, with_words=True)
            said = draw.text >= 0
            latents.append(gathered(model.encode(gather(windows, rows_of(draw, own))))[said])
            texts.append(model.text_head(self.data.embeddings[draw.text[said]]))
            seconds.append((draw.mask[said].sum(dim=1) / config.model.fps).to(texts[-1]))
        return _Pool(torch.cat(latents), torch.cat(texts), torch.cat(seconds))
