"""The last phase: the latent prior, on latents of the finished auto-encoder."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionclip.body import default_body
from motionclip.data.paraphrases import Group
from motionclip.data.windows import WindowBatch
from motionclip.encoders import TextEncoder
from motionclip.losses.distributed import gathered, summed
from motionclip.losses.objective import ImageTargets, Objective, TextTargets, weighted, word_losses
from motionclip.model.autoencoder import MotionAutoencoder, TextHead
from motionclip.model.checkpoint import Network
from motionclip.model.features import Batch
from motionclip.model.network import ResidualAutoencoder
from motionclip.model.prior import FlowNoise, LatentPrior
from motionclip.training.config import TrainConfig
from motionclip.training.distributed import DistributedContext
from motionclip.training.learner import (
    Learner,
    ProgressCallback,
    TrainingSet,
    descend,
    device_of,
    gather,
    rate_factor,
    rows_of,
    seed_step,
    set_rate,
    text_targets,
    warmup_cosine,
)
from motionclip.training.run import Run
from motionclip.training.validation import sample_sheet, validate

# Windows that the finished auto-encoder encodes once, for the phases that learn from its latents.


@dataclass(frozen=True)
class LatentPool:
    """Windows with words: latents (N, D), words of N windows, and lengths (N,) in seconds."""

    latents: Tensor
    words: TextTargets
    seconds: Tensor


#: Called where a phase needs the pool, so that a run that is past it does without.
PoolMaker = Callable[[], LatentPool]


@torch.compiler.set_stance("force_eager")  # once through the pool: not worth compiling again without gradients
@torch.no_grad()
def encode_pool(
    model: MotionAutoencoder, data: TrainingSet, config: TrainConfig, ranks: DistributedContext
) -> LatentPool:
    """Each process encodes its share of the windows, and all get all."""
    model.eval()
    latents, words, seconds = [], [], []
    lengths = sorted(set(config.window_seconds))
    count, own = config.batch_size * ranks.size, ranks.share(config.batch_size)
    for number in range(-(-config.pool // count)):
        frames = round(lengths[number % len(lengths)] * config.model.fps)
        draw = data.windows.draw(config.seed + 1, number, count, frames, config.mirror, with_words=True)
        has_words = draw.text >= 0
        latents.append(gathered(model.encode(gather(data.windows, rows_of(draw, own))))[has_words])
        words.append(rows_of(text_targets(draw, data.embeddings), has_words))
        seconds.append((draw.mask[has_words].sum(dim=1) / config.model.fps).to(latents[-1]))
    targets = (torch.cat([getattr(part, name) for part in words]) for name in ("embedding", "label", "weight"))
    return LatentPool(torch.cat(latents), TextTargets(*targets), torch.cat(seconds))


# Before the other phases: the inner map of the text head, on sentences alone.
#
# Described motions are few, sentences about motions are many. Two sentences about the same motion are brought together
# by the losses that will bring sentences and motions together, one of them where the motion will stand.


#: Sentences that the text encoder embeds between two looks at the progress.
_CHUNK = 1024


@dataclass(frozen=True)
class Paraphrases:
    """Embeddings (S, E) of sentences, group behind group, with the first place (G,) and the size (G,) of each group."""

    embeddings: Tensor
    first: Tensor
    size: Tensor

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Embeddings (count, E), twice: different sentences of the same groups."""
        group = torch.randint(len(self.first), (count,))
        size, (where, further) = self.size[group], torch.rand(2, count)
        one = (where * size).long()
        other = (one + 1 + (further * (size - 1)).long()) % size
        return self.embeddings[self.first[group] + one], self.embeddings[self.first[group] + other]


def embed_paraphrases(groups: Sequence[Group], text_encoder: TextEncoder, on_step: ProgressCallback) -> Paraphrases:
    """Groups of at least two sentences each, as a text encoder sees them."""
    sentences = [sentence for group in groups for sentence in group]
    rows = []
    for start in range(0, len(sentences), _CHUNK):
        rows.append(text_encoder.encode_texts(sentences[start : start + _CHUNK]))
        on_step("sentences", min(start + _CHUNK, len(sentences)), len(sentences), None)
    size = torch.tensor([len(group) for group in groups])
    return Paraphrases(torch.cat(rows), size.cumsum(dim=0) - size, size)


class ParaphrasePhase:
    """Steps of the text head's inner map by the losses of words, between sentences."""

    name = "paraphrases"

    def __init__(
        self,
        config: TrainConfig,
        run: Run,
        groups: Sequence[Group],
        text_encoder: TextEncoder,
        on_step: ProgressCallback,
    ):
        self.config, self.run, self.groups, self.text_encoder, self.on_step = config, run, groups, text_encoder, on_step

    def fit(self, network: Network) -> None:
        """Train the map in place, if there are steps and sentences for it; the paper's head has none."""
        config, head = self.config, network.autoencoder.text_head
        if not config.paraphrase_steps or not self.groups or not isinstance(head, TextHead):
            return
        inner = head.paraphrase.requires_grad_(True)
        learner = Learner(self.name, inner, self.run, config, ema=0.0)

        def step(number: int) -> dict[str, float]:
            return {"loss": self._step(inner, self._embedded, learner.optimizer, number)}

        learner.learn(config.paraphrase_steps, step, self.on_step, save_every=config.paraphrase_steps)
        inner.requires_grad_(False)

    @functools.cached_property
    def _embedded(self) -> Paraphrases:
        """Embedded when the first step asks for them: a run that is past this phase does without."""
        with self.run.ranks.in_turn():
            return embed_paraphrases(self.groups, self.text_encoder, self.on_step)

    def _step(self, inner: nn.Module, paraphrases: Paraphrases, optimizer: torch.optim.AdamW, step: int) -> float:
        """One step; all processes draw the batch of all of them, and each takes its share."""
        config, ranks, device = self.config, self.run.ranks, device_of(inner)
        seed_step(config.seed, 0, -1 - step)  # the steps from 0 on are the auto-encoder's
        set_rate(optimizer, config.head_lr * warmup_cosine(step, 0, config.paraphrase_steps))
        drawn = paraphrases.draw(config.head_batch * ranks.size)
        one, other = (rows[ranks.share(config.head_batch)].to(device) for rows in drawn)
        everyone = torch.ones(len(one), device=device)
        words = TextTargets(other, torch.full_like(everyone, -1), everyone)
        loss = weighted(config.losses, word_losses(config.losses, inner(one), inner(other), words))
        descend(loss, inner, optimizer, config.clip_norm, ranks)
        return loss.item()


# The first phase: the auto-encoder and the text head.


#: Windows of each length from which the linear path starts.
_START_WINDOWS = 768


class AutoencoderPhase:
    """Steps of the auto-encoder, with validation, pictures and checkpoints on the way."""

    name = "autoencoder"

    def __init__(
        self, config: TrainConfig, run: Run, data: TrainingSet, unseen: TrainingSet | None, on_step: ProgressCallback
    ):
        self.config, self.run, self.data, self.unseen, self.on_step = config, run, data, unseen, on_step

    def fit(self, model: MotionAutoencoder) -> None:
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

    def _start(self, model: MotionAutoencoder) -> None:
        """Statistics and the linear path from windows of all lengths."""
        config, windows = self.config, self.data.windows
        seed_step(config.seed, 0, -1)
        draws = [
            windows.draw(config.seed, -1 - number, _START_WINDOWS, round(seconds * config.model.fps), config.mirror)
            for number, seconds in enumerate(config.window_seconds)
        ]
        model.start_from(Batch.padded([gather(windows, draw) for draw in draws]))

    def _step(
        self, model: MotionAutoencoder, objective: Objective, optimizer: torch.optim.AdamW, step: int
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

    def _images(self, whole: WindowBatch, own: slice) -> ImageTargets | None:
        data, choice = self.data, self.config.frame_choice
        if data.pictures is None:
            return None
        return rows_of(data.pictures.targets(whole, data.embeddings, choice, torch.default_generator), own)

    def _validate(self, model: MotionAutoencoder, step: int) -> None:
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
def evaluating(model: MotionAutoencoder) -> Iterator[None]:
    """The model without dropout, in full precision and not compiled, and afterwards as it was."""
    training, dtype = model.training, model.compute_dtype
    model.eval()
    model.compute_dtype = None
    with torch.compiler.set_stance("force_eager"):  # other lengths of window, and few of them: not worth compiling
        yield
    model.train(training)
    model.compute_dtype = dtype


# The second phase: the text head, on latents of the finished auto-encoder.
#
# What tells two sentences apart is seen where both are in the same batch. The head is small and the latents are there
# already, so batches can be as large as the auto-encoder's cannot.


class HeadPhase:
    """Steps of the text head alone, by the losses of words."""

    name = "head"

    def __init__(self, config: TrainConfig, run: Run, pool: PoolMaker, on_step: ProgressCallback):
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


class PriorPhase:
    """Steps of the prior on a pool of windows that is encoded once."""

    name = "prior"

    def __init__(self, config: TrainConfig, run: Run, pool: PoolMaker, on_step: ProgressCallback):
        self.config, self.run, self.pool, self.on_step = config, run, pool, on_step

    def fit(self, network: Network) -> None:
        """Train ``network.prior`` in place, if there is one; it ends with the averaged weights."""
        if network.prior is None or not isinstance(network.autoencoder, ResidualAutoencoder):
            return
        config, prior, head = self.config, network.prior, network.autoencoder.text_head
        prior.weigh_coefficients(network.autoencoder.linear)
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
        drawn = rows_of(FlowNoise.draw(count, prior.num_coefficients), own).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            error = prior.loss(pool.latents[chosen], texts[chosen], pool.seconds[chosen], drawn)
        loss = summed(error) / ranks.size
        descend(loss, prior, optimizer, config.clip_norm, ranks)
        return loss.item()
