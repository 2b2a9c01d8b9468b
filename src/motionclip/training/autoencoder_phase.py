"""The first phase: the auto-encoder and the text head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from motionclip.body import default_body
from motionclip.data.windows import Draw
from motionclip.losses.objective import ImageTargets, Objective
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.training.batches import gather, padded_together, rows_of, text_targets
from motionclip.training.phase import Learner, OnStep, TrainingSet, descend, device_of, seed_step, set_rate
from motionclip.training.presets import TrainConfig
from motionclip.training.run import Run
from motionclip.training.schedule import rate_factor
from motionclip.training.validation import sample_sheet, validate

#: Windows of each length from which the linear path starts.
_START_WINDOWS = 768


class AutoEncoderPhase:
    """Steps of the auto-encoder, with validation, pictures and checkpoints on the way."""

    name = "autoencoder"

    def __init__(self, config: TrainConfig, run: Run, data: TrainingSet, unseen: TrainingSet | None, on_step: OnStep):
        self.config, self.run, self.data, self.unseen, self.on_step = config, run, data, unseen, on_step

    def fit(self, model: MotionAutoEncoder) -> None:
        """Train ``model`` in place; it ends with the averaged weights."""
        config, run = self.config, self.run
        self._start(model)
        run.ranks.share_weights(model)
        model.compute_dtype = torch.bfloat16 if config.bf16 else None
        learner = Learner(self.name, model, run, config, config.ema, slow=model.slow_parameters)
        if config.compile:
            model.encoder.compile()
            model.decoder.compile()
        objective = Objective(config.losses, default_body()).to(device_of(model))

        def step(number: int) -> dict[str, float]:
            return self._step(model, objective, learner.optimizer, number)

        def look(done: int) -> None:
            if done % config.validate_every == 0 or done == config.steps:
                self._validate(learner.kept, done)

        learner.learn(config.steps, step, self.on_step, config.save_every, look)
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
        """One step; all processes draw the batch of all of them, and each takes its share."""
        config, windows, ranks = self.config, self.data.windows, self.run.ranks
        seed_step(config.seed, 0, step)
        seconds = config.window_seconds[int(torch.randint(len(config.window_seconds), ()))]
        count, own = config.batch_size * ranks.size, ranks.share(config.batch_size)
        whole = windows.draw(config.seed, step, count, round(seconds * config.model.fps), config.mirror)
        noise = torch.randn(count, config.model.latent_dim)[own].to(device_of(model))
        images = self._images(whole, own)
        ranks.seed_apart()
        draw = rows_of(whole, own)
        set_rate(optimizer, config.lr * rate_factor(config.schedule, step, config.warmup, config.steps))
        texts = text_targets(draw, self.data.embeddings)
        total, parts = objective(model, gather(windows, draw), texts, images, noise)
        norm = descend(total, model, optimizer, config.clip_norm, ranks)
        return {"loss": total.item(), "gradient": norm} | {name: part.item() for name, part in parts.items()}

    def _images(self, whole: Draw, own: slice) -> ImageTargets | None:
        data, choice = self.data, self.config.frame_choice
        if data.pictures is None:
            return None
        return rows_of(data.pictures.targets(whole, data.embeddings, choice, torch.default_generator), own)

    def _validate(self, model: MotionAutoEncoder, step: int) -> None:
        if self.unseen is None or not self.run.ranks.first:
            return
        with evaluating(model):
            values = validate(model, self.unseen)
            sheet = sample_sheet(model, self.unseen.windows)
        if values:
            self.run.log("validation", step, values)
        if sheet is not None:
            self.run.picture("reconstruction", step, sheet)


@contextmanager
def evaluating(model: MotionAutoEncoder) -> Iterator[None]:
    """The model without dropout, in full precision and not compiled, and afterwards as it was."""
    training, dtype = model.training, model.compute_dtype
    model.eval()
    model.compute_dtype = None
    with torch.compiler.set_stance("force_eager"):  # other lengths of window, and few of them: not worth compiling
        yield
    model.train(training)
    model.compute_dtype = dtype
