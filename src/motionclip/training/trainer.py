"""Training: the auto-encoder with its text head, then the latent prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from motionclip.body import default_body
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.losses.objective import Objective
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.model.checkpoint import Network, save_network
from motionclip.towers import CachedTower, TextTower
from motionclip.training.batches import gather, padded_together, text_targets
from motionclip.training.checkpoint import load_state, save_state
from motionclip.training.presets import TrainConfig
from motionclip.training.run import Run
from motionclip.training.schedule import warmup_cosine
from motionclip.training.validation import sample_sheet, validate

#: Called after every step with the phase, the step, the number of steps and the loss.
OnStep = Callable[[str, int, int, float], None]


def train(
    config: TrainConfig,
    stores: Sequence[Store],
    out: Path,
    tower: TextTower,
    *,
    resume: bool = False,
    device: str = "cpu",
    on_step: OnStep = lambda phase, step, steps, loss: None,
) -> Path:
    """Train a model; returns the folder of the finished model, ``out/model``.

    A run that was stopped and resumes gives the same losses as one that was not: all that is
    random depends on the seed and the step.

    Raises:
        DataError: if the stores have no training clips.
        ModelError: if ``out`` holds another run, or its state is damaged.
    """
    run = Run(out, config, [str(store.folder) for store in stores], resume=resume)
    fps = config.model.fps
    sets = {
        split: WindowSet(stores, split, config.dataset_weights, round(config.min_seconds * fps))
        for split in ("train", "val")
    }
    cached = CachedTower(tower)
    embeddings = {split: cached.encode_texts(windows.texts).to(device) for split, windows in sets.items()}
    for windows in sets.values():
        windows.sixd, windows.root = windows.sixd.to(device), windows.root.to(device)
    torch.manual_seed(config.seed)
    network = Network(config.model).to(device)
    _AutoEncoderPhase(config, run, sets, embeddings, on_step).fit(network.autoencoder)
    _PriorPhase(config, run, sets["train"], embeddings["train"], on_step).fit(network)
    save_network(network, out / "model")
    return out / "model"


_START_WINDOWS = 768


def _optimizer(module: nn.Module, weight_decay: float, slow: nn.Module | None = None) -> torch.optim.AdamW:
    """AdamW over a module, whose ``slow`` part takes steps of a tenth."""
    held = set(slow.parameters()) if slow is not None else set()
    groups = [
        {"params": [p for p in module.parameters() if p not in held], "share": 1.0},
        {"params": [p for p in module.parameters() if p in held], "share": 0.1},
    ]
    return torch.optim.AdamW(groups, weight_decay=weight_decay, betas=(0.9, 0.99))


def _set_rate(optimizer: torch.optim.AdamW, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def _average(module: nn.Module, decay: float) -> AveragedModel:
    return AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(decay))


class _AutoEncoderPhase:
    """Steps of the auto-encoder, with validation, pictures and checkpoints on the way."""

    name = "autoencoder"

    def __init__(
        self, config: TrainConfig, run: Run, sets: dict[str, WindowSet], embeddings: dict[str, Tensor], on_step: OnStep
    ):
        self.config, self.run, self.sets, self.embeddings, self.on_step = config, run, sets, embeddings, on_step

    def fit(self, model: MotionAutoEncoder) -> None:
        """Train ``model`` in place; it ends with the averaged weights."""
        self._start(model)
        model.compute_dtype = torch.bfloat16 if self.config.bf16 else None
        averaged = _average(model, self.config.ema)
        # The linear path starts at its best; full steps would shake it off before the transformers can use it.
        optimizer = _optimizer(model, self.config.weight_decay, slow=model.linear)
        objective = Objective(self.config.losses, default_body()).to(model.feature_mean.device)
        modules: dict[str, nn.Module] = {"model": model, "averaged": averaged}
        path = self.run.state_path(self.name)
        start = load_state(path, modules, optimizer) if path.exists() else 0
        self.run.forget_after(self.name, start)
        for step in range(start, self.config.steps):
            values = self._step(model, objective, optimizer, step)
            averaged.update_parameters(model)
            done = step + 1
            if done % 50 == 0 or done == self.config.steps:
                self.run.log(self.name, done, values)
            if done % self.config.validate_every == 0 or done == self.config.steps:
                self._validate(cast(MotionAutoEncoder, averaged.module), done)
            if done % self.config.save_every == 0 or done == self.config.steps:
                save_state(path, done, modules, optimizer)
            self.on_step(self.name, done, self.config.steps, values["loss"])
        model.load_state_dict(averaged.module.state_dict())
        model.compute_dtype = None

    def _start(self, model: MotionAutoEncoder) -> None:
        """Statistics and the linear path from windows of all lengths."""
        config, windows = self.config, self.sets["train"]
        longest = max(config.window_seconds)
        draws = [
            windows.draw(config.seed, -1 - number, _START_WINDOWS, round(seconds * config.model.fps), config.mirror)
            for number, seconds in enumerate(config.window_seconds)
        ]
        batches = [gather(windows, draw) for draw in draws]
        model.start_from(padded_together(batches, round(longest * config.model.fps)))

    def _step(
        self, model: MotionAutoEncoder, objective: Objective, optimizer: torch.optim.AdamW, step: int
    ) -> dict[str, float]:
        config, windows = self.config, self.sets["train"]
        torch.manual_seed(config.seed * 1_000_003 + step)  # dropout and noise
        seconds = config.window_seconds[int(torch.randint(len(config.window_seconds), ()))]
        draw = windows.draw(config.seed, step, config.batch_size, round(seconds * config.model.fps), config.mirror)
        noise = torch.randn(config.batch_size, config.model.latent_dim).to(model.feature_mean)
        texts = text_targets(draw, self.embeddings["train"])
        _set_rate(optimizer, config.lr * warmup_cosine(step, config.warmup, config.steps))
        total, parts = objective(model, gather(windows, draw), texts, noise)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        optimizer.step()
        return {"loss": total.item(), "gradient": norm.item()} | {name: part.item() for name, part in parts.items()}

    def _validate(self, model: MotionAutoEncoder, step: int) -> None:
        model.eval()
        model.compute_dtype = None
        self.run.log("validation", step, validate(model, self.sets["val"], self.embeddings["val"]))
        self.run.picture("reconstruction", step, sample_sheet(model, self.sets["val"]))


class _PriorPhase:
    """Steps of the latent prior on latents of the finished auto-encoder."""

    name = "prior"

    def __init__(self, config: TrainConfig, run: Run, windows: WindowSet, embeddings: Tensor, on_step: OnStep):
        self.config, self.run, self.windows, self.embeddings, self.on_step = config, run, windows, embeddings, on_step

    def fit(self, network: Network) -> None:
        """Train ``network.prior`` in place; it ends with the averaged weights."""
        config, prior = self.config, network.prior
        latents, texts, seconds = self._pool(network.autoencoder)
        averaged = _average(prior, config.ema)
        optimizer = _optimizer(prior, config.weight_decay)
        modules: dict[str, nn.Module] = {"model": prior, "averaged": averaged}
        path = self.run.state_path(self.name)
        start = load_state(path, modules, optimizer) if path.exists() else 0
        self.run.forget_after(self.name, start)
        for step in range(start, config.prior_steps):
            torch.manual_seed(config.seed * 1_000_003 + config.steps + step)
            chosen = torch.randint(len(latents), (config.prior_batch,)).to(latents.device)
            _set_rate(optimizer, config.prior_lr * warmup_cosine(step, config.warmup, config.prior_steps))
            with torch.autocast(latents.device.type, torch.bfloat16, enabled=config.bf16):
                loss = prior.loss(latents[chosen], texts[chosen], seconds[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(prior.parameters(), config.clip_norm)
            optimizer.step()
            averaged.update_parameters(prior)
            done = step + 1
            if done % 50 == 0 or done == config.prior_steps:
                self.run.log(self.name, done, {"loss": loss.item()})
            if done % config.save_every == 0 or done == config.prior_steps:
                save_state(path, done, modules, optimizer)
            self.on_step(self.name, done, config.prior_steps, loss.item())
        prior.load_state_dict(averaged.module.state_dict())

    @torch.no_grad()
    def _pool(self, model: MotionAutoEncoder) -> tuple[Tensor, Tensor, Tensor]:
        """Motion latents (N, D), text latents (N, D) and lengths (N,) in seconds of windows that have words."""
        config = self.config
        model.eval()
        latents, texts, seconds = [], [], []
        lengths = sorted(set(config.window_seconds))
        rounds = -(-config.prior_pool // config.batch_size)
        for number in range(rounds):
            frames = round(lengths[number % len(lengths)] * config.model.fps)
            draw = self.windows.draw(config.seed + 1, number, config.batch_size, frames, config.mirror)
            said = draw.text >= 0
            latents.append(model.encode(gather(self.windows, draw))[said])
            texts.append(model.text_head(self.embeddings[draw.text[said]]))
            seconds.append(draw.mask[said].sum(dim=1) / config.model.fps)
        return torch.cat(latents), torch.cat(texts), torch.cat(seconds).to(texts[0])
