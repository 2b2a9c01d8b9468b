"""Training of the evaluator (:mod:`motionclip.metrics.evaluator`): minutes on two cores, so a stopped run starts anew.

It shares nothing with the model: other networks, weights, seed and losses. The classifier has cross-entropy; the
text-motion pair has the sigmoid loss of Zhai et al., "Sigmoid Loss for Language Image Pre-Training", ICCV 2023, a
binary classification of each pair of a motion and a sentence of the batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.data.store import FPS, Store
from motionclip.data.windows import WindowBatch, WindowSet
from motionclip.encoders import TextEncoder
from motionclip.metrics.evaluator import EvaluatorConfig, EvaluatorNetwork
from motionclip.model.features import Batch
from motionclip.training.batches import gather
from motionclip.training.learner import StepCallback, generator_for, warmup_cosine

_LEAST_FRAMES = 21
#: Longest windows in frames, in turn from step to step, because evaluated motions may be short.
_LENGTHS = (180, 120, 60)
_WARMUP = 50
_CLIP_NORM = 1.0
#: Class of a window that is left out of the loss, such as a mirror image whose content is not among the classes.
_NO_CLASS = -100
#: Initial scale and offset of the sigmoid loss, as in its paper.
_SCALE, _OFFSET = 10.0, -10.0


@dataclass(frozen=True)
class EvaluatorSettings:
    """Settings of the evaluator's training.

    Attributes:
        classifier_steps: steps of the classifier.
        pair_steps: steps of the text-motion pair.
        batch_size: windows per step.
        lr: peak learning rate of AdamW.
        weight_decay: of AdamW.
        seed: of weights and draws; the shipped models have others.
    """

    classifier_steps: int = 600
    pair_steps: int = 800
    batch_size: int = 64
    lr: float = 2e-3
    weight_decay: float = 0.05
    seed: int = 1729


def train_evaluator(
    stores: Sequence[Store],
    text_encoder: TextEncoder,
    settings: EvaluatorSettings | None = None,
    on_step: StepCallback = lambda phase, step, steps, loss: None,
) -> EvaluatorNetwork:
    """Returns networks trained on the ``train`` split of the stores; the same call gives the same weights.

    The classifier is of the data set with named content and style that has most clips.

    Raises:
        DataError: if the stores have no clips to train on.
    """
    settings = settings or EvaluatorSettings()
    windows = WindowSet(stores, "train", _shares(stores), _LEAST_FRAMES)
    config = _config(windows, text_encoder)
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        network = EvaluatorNetwork(config)
        if network.classifier is not None:
            own = {segment.dataset: 0.0 for segment in windows.segments} | {config.dataset: 1.0}
            labelled = WindowSet(stores, "train", own, _LEAST_FRAMES)
            _train_classifier(network, labelled, settings, on_step)
        _train_pair(network, windows, text_encoder.encode_texts(windows.texts), settings, on_step)
    return network.eval()


def _shares(stores: Sequence[Store]) -> dict[str, float]:
    """Returns how often a second of each data set is drawn: a data set then counts by the square root of its length."""
    frames: Counter[str] = Counter()
    for store in stores:
        for entry in store.entries:
            frames[entry.dataset] += entry.num_frames
    return {dataset: count**-0.5 for dataset, count in frames.items()}


def _config(windows: WindowSet, text_encoder: TextEncoder) -> EvaluatorConfig:
    named = [segment for segment in windows.segments if segment.category and segment.style and segment.texts]
    dataset = Counter(segment.dataset for segment in named).most_common(1)[0][0] if named else ""
    own = [segment for segment in named if segment.dataset == dataset]
    contents = tuple(sorted({str(segment.category) for segment in own}))
    styles = tuple(sorted({str(segment.style) for segment in own}))
    return EvaluatorConfig(
        dataset, contents, styles, fps=FPS, text_encoder=text_encoder.name, text_dim=text_encoder.dim
    )


def _classes(windows: WindowSet, config: EvaluatorConfig) -> Tensor:
    """Returns the classes (S, 2) of content and style that each sentence stands for, or ``_NO_CLASS``."""
    number = {text: index for index, text in enumerate(windows.texts)}
    table = torch.full((len(windows.texts), 2), _NO_CLASS)
    for segment in windows.segments:
        if segment.dataset == config.dataset and segment.texts and segment.category and segment.style:
            place = config.contents.index(segment.category), config.styles.index(segment.style)
            table[number[segment.texts[0]]] = torch.tensor(place)
    return table


def _train_classifier(
    network: EvaluatorNetwork, windows: WindowSet, settings: EvaluatorSettings, on_step: StepCallback
) -> None:
    classifier = network.classifier
    assert classifier is not None
    table = _classes(windows, network.config)

    def loss(draw: WindowBatch) -> Tensor:
        truth = table[draw.label]
        content, style = classifier(gather(windows, draw))
        return ignoring(content, truth[:, 0]) + ignoring(style, truth[:, 1])

    def ignoring(logits: Tensor, truth: Tensor) -> Tensor:
        return F.cross_entropy(logits, truth, ignore_index=_NO_CLASS, label_smoothing=0.05)

    classifier.motion.start_from(_start(windows, settings))
    _descend(classifier, loss, windows, settings, settings.classifier_steps, "classifier", on_step)


def _train_pair(
    network: EvaluatorNetwork,
    windows: WindowSet,
    encoded: Tensor,
    settings: EvaluatorSettings,
    on_step: StepCallback,
) -> None:
    pair = network.pair
    shift = nn.Parameter(torch.tensor([float(torch.tensor(_SCALE).log()), _OFFSET]))
    held = nn.ModuleDict({"pair": pair})
    held.register_parameter("shift", shift)

    def loss(draw: WindowBatch) -> Tensor:
        motion, text = pair.embed_motion(gather(windows, draw)), pair.embed_text(encoded[draw.text])
        logits = motion @ text.T * shift[0].exp() + shift[1]
        return -F.logsigmoid(torch.where(_same(draw), logits, -logits)).sum() / len(logits)

    pair.motion.start_from(_start(windows, settings))
    _descend(held, loss, windows, settings, settings.pair_steps, "text-motion pair", on_step)


def _start(windows: WindowSet, settings: EvaluatorSettings) -> Batch:
    """Returns windows from which a network takes its feature statistics."""
    return gather(windows, windows.draw(generator_for(settings.seed, "start"), 512, _LENGTHS[0], mirror=True))


def _same(draw: WindowBatch) -> Tensor:
    """Returns (B, B), true where a window's sentence holds for another window: the same sentence, or the same label."""
    labelled = draw.label >= 0
    alike = labelled[:, None] & labelled & (draw.label[:, None] == draw.label)
    return alike | (draw.text[:, None] == draw.text)


def _descend(
    module: nn.Module,
    loss: Callable[[WindowBatch], Tensor],
    windows: WindowSet,
    settings: EvaluatorSettings,
    steps: int,
    name: str,
    on_step: StepCallback,
) -> None:
    """Trains a module in place by AdamW, with warm-up and a cosine."""
    optimizer = torch.optim.AdamW(module.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    module.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * warmup_cosine(step, _WARMUP, steps)
        longest = _LENGTHS[step % len(_LENGTHS)]
        generator = generator_for(settings.seed, name, step)
        draw = windows.draw(generator, settings.batch_size, longest, mirror=True, with_words=True)
        value = loss(draw)
        value.backward()
        nn.utils.clip_grad_norm_(module.parameters(), _CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad()
        on_step(name, step + 1, steps, value.item())
    module.eval()
