"""The second phase: the latent prior, on latents of the finished auto-encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.model.checkpoint import Network
from motionclip.training.batches import gather
from motionclip.training.checkpoint import load_state, save_state
from motionclip.training.phase import OnStep, TrainingSet, average_of, descend, optimizer_of, seed_step, set_rate
from motionclip.training.presets import TrainConfig
from motionclip.training.run import Run
from motionclip.training.schedule import warmup_cosine

_LOG_EVERY = 50


class PriorPhase:
    """Steps of the prior on a pool of windows that is encoded once."""

    name = "prior"

    def __init__(self, config: TrainConfig, run: Run, data: TrainingSet, on_step: OnStep):
        self.config, self.run, self.data, self.on_step = config, run, data, on_step

    def fit(self, network: Network) -> None:
        """Train ``network.prior`` in place; it ends with the averaged weights."""
        config, prior = self.config, network.prior
        prior.weigh_scores(network.autoencoder.linear)
        averaged = average_of(prior, config.ema)
        optimizer = optimizer_of(prior, config.weight_decay)
        modules: dict[str, nn.Module] = {"model": prior, "averaged": averaged}
        path = self.run.state_path(self.name)
        start = load_state(path, modules, optimizer) if path.exists() else 0
        self.run.forget_after((self.name,), start)
        if start < config.prior_steps:
            latents, texts, seconds = self._pool(network.autoencoder)
        for step in range(start, config.prior_steps):
            seed_step(config.seed, 1, step)
            set_rate(optimizer, config.prior_lr * warmup_cosine(step, config.warmup, config.prior_steps))
            chosen = torch.randint(len(latents), (config.prior_batch,)).to(latents.device)
            with torch.autocast(latents.device.type, torch.bfloat16, enabled=config.bf16):
                loss = prior.loss(latents[chosen], texts[chosen], seconds[chosen])
            descend(loss, prior, optimizer, config.clip_norm)
            averaged.update_parameters(prior)
            done = step + 1
            if done % _LOG_EVERY == 0 or done == config.prior_steps:
                self.run.log(self.name, done, {"loss": loss.item()})
            if done % config.save_every == 0 or done == config.prior_steps:
                save_state(path, done, modules, optimizer)
            self.on_step(self.name, done, config.prior_steps, loss.item())
        prior.load_state_dict(averaged.module.state_dict())

    @torch.no_grad()
    def _pool(self, model: MotionAutoEncoder) -> tuple[Tensor, Tensor, Tensor]:
        """Motion latents (N, D), text latents (N, D) and lengths (N,) in seconds of windows that have words."""
        config, windows = self.config, self.data.windows
        model.eval()
        latents, texts, seconds = [], [], []
        lengths = sorted(set(config.window_seconds))
        for number in range(-(-config.prior_pool // config.batch_size)):
            frames = round(lengths[number % len(lengths)] * config.model.fps)
            draw = windows.draw(config.seed + 1, number, config.batch_size, frames, config.mirror, with_words=True)
            said = draw.text >= 0
            latents.append(model.encode(gather(windows, draw))[said])
            texts.append(model.text_head(self.data.embeddings[draw.text[said]]))
            seconds.append((draw.mask[said].sum(dim=1) / config.model.fps).to(texts[-1]))
        return torch.cat(latents), torch.cat(texts), torch.cat(seconds)
