"""The first phase: the auto-encoder and the text head."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from motionclip.body import default_body
from motionclip.losses.objective import Objective
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.training.batches import gather, padded_together, text_targets
from motionclip.training.checkpoint import load_state, save_state
from motionclip.training.phase import OnStep, TrainingSet, average_of, descend, optimizer_of, seed_step, set_rate
from motionclip.training.presets import TrainConfig
from motionclip.training.run import Run
from motionclip.training.schedule import warmup_cosine
from motionclip.training.validation import sample_sheet, validate

#: Windows of each length from which the linear path starts.
_START_WINDOWS = 768
_LOG_EVERY = 50


class AutoEncoderPhase:
    """Steps of the auto-encoder, with validation, pictures and checkpoints on the way."""

    name = "autoencoder"

    def __init__(self, config: TrainConfig, run: Run, data: TrainingSet, unseen: TrainingSet | None, on_step: OnStep):
        self.config, self.run, self.data, self.unseen, self.on_step = config, run, data, unseen, on_step

    def fit(self, model: MotionAutoEncoder) -> None:
        """Train ``model`` in place; it ends with the averaged weights."""
        config = self.config
        self._start(model)
        model.compute_dtype = torch.bfloat16 if config.bf16 else None
        averaged = average_of(model, config.ema)
        # The linear path starts at its best; full steps would shake it off before the transformers can use it.
        optimizer = optimizer_of(model, config.weight_decay, slow=model.linear)
        objective = Objective(config.losses, default_body()).to(model.feature_mean.device)
        modules: dict[str, nn.Module] = {"model": model, "averaged": averaged}
        path = self.run.state_path(self.name)
        start = load_state(path, modules, optimizer) if path.exists() else 0
        self.run.forget_after(("autoencoder", "validation"), start)
        for step in range(start, config.steps):
            values = self._step(model, objective, optimizer, step)
            averaged.update_parameters(model)
            done = step + 1
            if done % _LOG_EVERY == 0 or done == config.steps:
                self.run.log(self.name, done, values)
            if done % config.validate_every == 0 or done == config.steps:
                self._validate(cast(MotionAutoEncoder, averaged.module), done)
            if done % config.save_every == 0 or done == config.steps:
                save_state(path, done, modules, optimizer)
            self.on_step(self.name, done, config.steps, values["loss"])
        model.load_state_dict(averaged.module.state_dict())
        model.compute_dtype = None

    def _start(self, model: MotionAutoEncoder) -> None:
        """Statistics and the linear path from windows of all lengths."""
        config, windows = self.config, self.data.windows
        seed_step(config.seed, 0, -1)
        draws = [
            windows.draw(config.seed, -1 - number, _START_WINDOWS, round(seconds * config.model.fps), config.mirror)
            for number, seconds in enumerate(config.window_seconds)
        ]
        model.start_from(padded_together([gather(windows, draw) for draw in draws]))

    def _step(
        self, model: MotionAutoEncoder, objective: Objective, optimizer: torch.optim.AdamW, step: int
    ) -> dict[str, float]:
        config, windows = self.config, self.data.windows
        seed_step(config.seed, 0, step)
        seconds = config.window_seconds[int(torch.randint(len(config.window_seconds), ()))]
        draw = windows.draw(config.seed, step, config.batch_size, round(seconds * config.model.fps), config.mirror)
        noise = torch.randn(config.batch_size, config.model.latent_dim).to(model.feature_mean)
        set_rate(optimizer, config.lr * warmup_cosine(step, config.warmup, config.steps))
        total, parts = objective(model, gather(windows, draw), text_targets(draw, self.data.embeddings), noise)
        norm = descend(total, model, optimizer, config.clip_norm)
        return {"loss": total.item(), "gradient": norm} | {name: part.item() for name, part in parts.items()}

    def _validate(self, model: MotionAutoEncoder, step: int) -> None:
        if self.unseen is None:
            return
        model.eval()
        model.compute_dtype = None
        values = validate(model, self.unseen)
        if values:
            self.run.log("validation", step, values)
        sheet = sample_sheet(model, self.unseen.windows)
        if sheet is not None:
            self.run.picture("reconstruction", step, sheet)
