"""The five phases of training: paraphrases, the auto-encoder, the text head, the latent prior, the matcher.

Every process of a job draws the batch of all of them and takes its share of the rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.body import load_body
from motionclip.data.paraphrases import Group
from motionclip.data.windows import WindowSet
from motionclip.encoders import TextEncoder
from motionclip.losses.alignment import ContrastConfig, TextTargets, contrastive_loss
from motionclip.losses.distributed import gathered, summed
from motionclip.losses.objective import Objective, text_objective
from motionclip.model.autoencoder import EmbeddingHead, MotionAutoencoder
from motionclip.model.checkpoint import Network
from motionclip.model.features import Batch
from motionclip.model.matcher import OTHERS, TEMPERATURE, Matcher, figures_of_windows
from motionclip.model.network import ResidualAutoencoder
from motionclip.model.prior import FlowNoise
from motionclip.model.renewal import renew_components
from motionclip.training.batches import TrainingSet, gather, rows_of, text_targets
from motionclip.training.config import TrainConfig
from motionclip.training.distributed import DistributedContext
from motionclip.training.learner import Learner, StepCallback, derived_seed, generator_for
from motionclip.training.run import RunFolder
from motionclip.training.validation import sample_sheet, validate

#: Sentences that the text encoder embeds between two calls of the callback.
_CHUNK = 1024
#: Contrast of the matcher, whose figures are held against texts at its own temperature.
_MATCHING = ContrastConfig(temperature=TEMPERATURE)
#: Windows of each length from which the PCA auto-encoder starts.
_START_WINDOWS = 768

# Paraphrases: the inner map of the text head, on sentences alone.
#
# Described motions are few, sentences about motions are many. Two sentences about the same motion are brought together
# by the losses that later bring texts and motions together, one of them in the place of the motion.


@dataclass(frozen=True)
class Paraphrases:
    """Embeddings (S, E) of sentences, group after group, with the first row (G,) and the size (G,) of each group."""

    embeddings: Tensor
    first: Tensor
    size: Tensor

    @classmethod
    def embed(cls, groups: Sequence[Group], text_encoder: TextEncoder, on_step: StepCallback) -> Paraphrases:
        """Groups of at least two sentences each, by a text encoder."""
        sentences = [sentence for group in groups for sentence in group]
        rows = []
        for start in range(0, len(sentences), _CHUNK):
            rows.append(text_encoder.encode_texts(sentences[start : start + _CHUNK]))
            on_step("sentences", min(start + _CHUNK, len(sentences)), len(sentences), None)
        size = torch.tensor([len(group) for group in groups])
        return cls(torch.cat(rows), size.cumsum(dim=0) - size, size)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Returns embeddings (count, E), twice: two different sentences of each of ``count`` groups."""
        group = torch.randint(len(self.first), (count,), generator=generator)
        size, (where, further) = self.size[group], torch.rand(2, count, generator=generator)
        one = (where * size).long()
        other = (one + 1 + (further * (size - 1)).long()) % size
        return self.embeddings[self.first[group] + one], self.embeddings[self.first[group] + other]


def train_on_paraphrases(
    network: Network, run: RunFolder, groups: Sequence[Group], text_encoder: TextEncoder, on_step: StepCallback
) -> None:
    """Train the inner map of the text head in place, if there are steps and sentences; the paper's head has no map."""
    config, distributed, head = run.config, run.distributed, network.autoencoder.text_head
    if not config.paraphrase.steps or not groups or not isinstance(head, EmbeddingHead):
        return
    inner, device = head.paraphrase.requires_grad_(True), head.paraphrase.weight.device

    @functools.cache  # embedded when the first step asks for them: a run that is past this phase does without
    def embedded() -> Paraphrases:
        with distributed.in_turn():
            return Paraphrases.embed(groups, text_encoder, on_step)

    def loss(generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        count, own = distributed.shares(config.paraphrase.batch_size)
        one, other = (rows[own].to(device) for rows in embedded().draw(count, generator))
        everyone = torch.ones(len(one), device=device)
        targets = TextTargets(other, torch.full_like(everyone, -1), everyone)
        return text_objective(config.losses, config.contrast, inner(one), inner(other), targets), {}

    Learner("paraphrase", inner, run, on_step).learn(loss)
    inner.requires_grad_(False)


# The auto-encoder with its heads, on windows.


def take_components(network: Network, config: TrainConfig, windows: WindowSet) -> None:
    """Begin the auto-encoder at PCA of training windows, in place; one that was trained only where it is asked for."""
    if config.start is not None and not config.new_components:
        return
    torch.manual_seed(derived_seed(config.seed, "start"))  # torch.pca_lowrank takes no generator
    generator = generator_for(config.seed, "start")
    frames = [round(seconds * config.model.fps) for seconds in config.windows.seconds]
    draws = [windows.draw(generator, _START_WINDOWS, count, config.windows.mirror) for count in frames]
    batch = Batch.padded([gather(windows, draw) for draw in draws])
    if config.start is None:
        network.autoencoder.start_from(batch)
    else:
        renew_components(network, batch)


def train_autoencoder(
    model: MotionAutoencoder, run: RunFolder, data: TrainingSet, unseen: TrainingSet | None, on_step: StepCallback
) -> None:
    """Train the auto-encoder in place, with validation on the way; it ends with the averaged weights."""
    config, distributed, windows = run.config, run.distributed, data.windows
    mirror, fps = config.windows.mirror, config.model.fps
    distributed.share_weights(model)
    model.compute_dtype = torch.bfloat16 if config.bf16 else None
    learner = Learner("autoencoder", model, run, on_step, slow=model.slow_parameters)
    if config.compile:
        model.encoder.compile()
        model.decoder.compile()
    device = next(model.parameters()).device
    objective = Objective(config.losses, load_body(config.body), config.contrast, config.autoencoder.latent_noise).to(
        device
    )

    def loss(generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        seconds = config.windows.seconds[int(torch.randint(len(config.windows.seconds), (), generator=generator))]
        count, own = distributed.shares(config.autoencoder.batch_size)
        whole = windows.draw(generator, count, round(seconds * fps), mirror)
        noise = torch.randn(count, config.model.latent_dim, generator=generator)[own].to(device)
        images = None
        if data.frames is not None:
            images = rows_of(data.frames.targets(whole, data.embeddings, config.windows.frame_choice, generator), own)
        draw = rows_of(whole, own)
        return objective(model, gather(windows, draw), text_targets(draw, data.embeddings), images, noise)

    def look(done: int) -> None:
        is_due = done % config.validate_every == 0 or done == config.autoencoder.steps
        if not is_due or unseen is None or not distributed.first:
            return
        with _evaluating(learner.kept):
            values = validate(learner.kept, unseen)
            sheet = sample_sheet(learner.kept, unseen.windows)
        if values:
            run.log("validation", done, values)
        if sheet is not None:
            run.log_image("reconstruction", done, sheet)

    learner.learn(loss, look)
    model.compute_dtype = None


@contextmanager
def _evaluating(model: MotionAutoencoder) -> Iterator[None]:
    """The model without dropout, in full precision and not compiled, and afterwards as it was."""
    training, dtype = model.training, model.compute_dtype
    model.eval()
    model.compute_dtype = None
    with torch.compiler.set_stance("force_eager"):  # other lengths of window, and few of them: not worth compiling
        yield
    model.train(training)
    model.compute_dtype = dtype


# The text head and the prior, on latents of windows that the finished auto-encoder encodes once, and the matcher, on
# figures of the same windows.


@dataclass(frozen=True)
class EncodedWindows:
    """N windows with texts: their codes (N, D), latents or figures, texts, and lengths (N,) in seconds."""

    codes: Tensor
    texts: TextTargets
    seconds: Tensor


@torch.compiler.set_stance("force_eager")  # once through the windows: not worth compiling again without gradients
@torch.no_grad()
def encode_windows(
    encode: Callable[[Batch], Tensor], data: TrainingSet, config: TrainConfig, distributed: DistributedContext
) -> EncodedWindows:
    """Returns about ``encoded_windows`` windows, the same ones for every ``encode``: a batch to its codes (B, D).

    Each process encodes its share of them, and all get all.
    """
    codes, texts, seconds = [], [], []
    lengths = sorted(set(config.windows.seconds))
    count, own = distributed.shares(config.autoencoder.batch_size)
    for number in range(-(-config.encoded_windows // count)):
        frames = round(lengths[number % len(lengths)] * config.model.fps)
        generator = generator_for(config.seed, "encoded windows", number)
        draw = data.windows.draw(generator, count, frames, config.windows.mirror, with_words=True)
        has_text = draw.text >= 0
        codes.append(gathered(encode(gather(data.windows, rows_of(draw, own))))[has_text])
        texts.append(rows_of(text_targets(draw, data.embeddings), has_text))
        seconds.append((draw.mask[has_text].sum(dim=1) / config.model.fps).to(codes[-1].device))
    targets = (torch.cat([getattr(part, name) for part in texts]) for name in ("embedding", "label", "weight"))
    return EncodedWindows(torch.cat(codes), TextTargets(*targets), torch.cat(seconds))


def train_head(network: Network, run: RunFolder, encoded: Callable[[], EncodedWindows], on_step: StepCallback) -> None:
    """Train the text head alone in place, if there are steps for it; the paper's has nothing to learn.

    What tells two sentences apart is seen where both are in the same batch. The head is small and the latents are
    known, so its batches can be larger than the auto-encoder's.

    ``encoded`` is called where a step needs it, so that a run that is past this phase does without.
    """
    config, distributed, head = run.config, run.distributed, network.autoencoder.text_head
    if not config.head.steps or not list(head.parameters()):
        return

    def loss(generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        known = encoded()
        count, own = distributed.shares(config.head.batch_size)
        chosen = torch.randint(len(known.codes), (count,), generator=generator)[own].to(known.codes.device)
        texts = rows_of(known.texts, chosen)
        latents = known.codes[chosen]
        return text_objective(config.losses, config.contrast, latents, head(texts.embedding), texts), {}

    Learner("head", head, run, on_step).learn(loss)


def train_prior(network: Network, run: RunFolder, encoded: Callable[[], EncodedWindows], on_step: StepCallback) -> None:
    """Train the latent prior in place, if the network has one; it ends with the averaged weights."""
    config, distributed, prior, autoencoder = run.config, run.distributed, network.prior, network.autoencoder
    if prior is None or not isinstance(autoencoder, ResidualAutoencoder):
        return
    prior.weigh_coefficients(autoencoder.linear)

    @functools.cache
    @torch.no_grad()
    def text_latents() -> Tensor:
        return autoencoder.text_head(encoded().texts.embedding)

    def loss(generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        known, texts = encoded(), text_latents()
        device = known.codes.device
        count, own = distributed.shares(config.prior.batch_size)
        chosen = torch.randint(len(known.codes), (count,), generator=generator)[own].to(device)
        noise = rows_of(FlowNoise.draw(count, prior.num_coefficients, generator), own).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            error = prior.loss(known.codes[chosen], texts[chosen], known.seconds[chosen], noise)
        return summed(error) / distributed.size, {}

    Learner("prior", prior, run, on_step).learn(loss)


def codes_of_windows(windows: Batch, fps: float) -> Tensor:
    """Returns the matcher's figures (B, F) of windows, in half precision, which is half the memory."""
    return figures_of_windows(windows, fps).half()


def train_matcher(
    network: Network, run: RunFolder, encoded: Callable[[], EncodedWindows], on_step: StepCallback
) -> Matcher | None:
    """Returns a matcher trained on figures of recorded windows and their texts' latents; None without steps for it."""
    config, distributed, text_head = run.config, run.distributed, network.autoencoder.text_head
    if not config.matcher.steps:
        return None
    known = encoded()
    device, count = known.codes.device, len(known.codes)
    with torch.no_grad():
        words = text_head(known.texts.embedding)
    torch.manual_seed(derived_seed(config.seed, "matcher"))
    matcher = Matcher(config.model.latent_dim).to(device)
    matcher.start_from(known.codes.float())
    distributed.share_weights(matcher)

    def loss(generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        size, own = distributed.shares(config.matcher.batch_size)
        chosen = torch.randint(count, (size,), generator=generator)[own].to(device)
        motion, text = matcher.embed_figures(known.codes[chosen].float()), matcher.embed_text(words[chosen])
        return contrastive_loss(motion, text, rows_of(known.texts, chosen), _MATCHING), {}

    Learner("matcher", matcher, run, on_step).learn(loss)
    matcher.eval()
    others = torch.randint(count, (OTHERS,), generator=generator_for(config.seed, "matcher's others"))
    matcher.compare_with(words[others.to(device)])
    return matcher
