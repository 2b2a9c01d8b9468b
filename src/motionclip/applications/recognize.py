"""What is done in a motion: the nearest of some labels, with confidence, and when."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications.labels import LabelSet, embed_labels
from motionclip.applications.windowed import encode_windows
from motionclip.errors import ModelError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: The answer where no label fits.
NONE = "none of these"

#: Divides cosines; the likelihood of the right label is best with it on ``val`` (benchmarks/recognize.py). The model
#: was trained with 0.05.
TEMPERATURE = 0.03

#: Seconds of a window, and from one window to the next; on ``val`` two seconds give the best timeline of 1 to 4.
WINDOW, HOP = 2.0, 0.5


@dataclass(frozen=True)
class Guess:
    """A label and how sure it is.

    Attributes:
        label: name of the label, or ``NONE``.
        confidence: its probability among all labels and ``NONE``, averaged over the windows.
        cosine: of motion and label, averaged likewise; for ``NONE`` what a label has to reach.
    """

    label: str
    confidence: float
    cosine: float


@dataclass(frozen=True)
class Run:
    """A stretch of time with one answer: seconds from the motion's first frame, and the mean confidence."""

    start: float
    end: float
    label: str
    confidence: float


@dataclass(frozen=True)
class Recognition:
    """What is done in a motion.

    Attributes:
        seconds: length of the motion.
        guesses: the surest answers of the motion as a whole, best first.
        timeline: what is done when, without gaps.
    """

    seconds: float
    guesses: tuple[Guess, ...]
    timeline: tuple[Run, ...]

    @property
    def label(self) -> str:
        """The surest answer; ``NONE`` where no label fits."""
        return self.guesses[0].label


def recognize(
    model: MotionCLIP,
    motions: Sequence[Motion],
    labels: LabelSet,
    *,
    top: int = 5,
    none_below: float | None = None,
    temperature: float = TEMPERATURE,
    window: float = WINDOW,
    hop: float = HOP,
) -> list[Recognition]:
    """The nearest labels of motions of any length.

    Each window's confidence is a soft-max over the cosines of its latent with the labels and one constant: with
    cosines c_l and the threshold t, p_l = exp(c_l / T) / (exp(t / T) + sum_k exp(c_k / T)), and what is missing to 1
    is that of "none of these". So a window is "none of these" where no cosine reaches t. The motion's answer is the
    mean over its windows, an instant's the mean over those windows that show it.

    Args:
        model: from :func:`motionclip.load`.
        motions: on any known skeleton, at any rate, of any length.
        labels: from :func:`label_set` or :func:`labels_of`.
        top: how many guesses are returned.
        none_below: the threshold; the label set's if not given, -1 to always name a label.
        temperature: T; larger is less sure.
        window: seconds that are looked at at once.
        hop: seconds between windows, and of the timeline's steps.

    Raises:
        ModelError: if ``top`` or ``temperature`` is not positive, or windows do not fit the model.
        SkeletonError: if a skeleton's joints are of no known family.
        TextError: if a label cannot be encoded.
    """
    if top < 1 or not temperature > 0:
        raise ModelError(f"top {top} and temperature {temperature}; expected at least 1, and more than 0")
    least = labels.none_below if none_below is None else none_below
    names, directions = (*labels.names, NONE), embed_labels(model, labels)
    found = []
    for motion, windowed in zip(motions, encode_windows(model, motions, window, hop), strict=True):
        similarity = with_none(cosines(windowed.latents, directions), least)
        chance = (similarity / temperature).softmax(dim=1)
        guesses = _guesses(names, chance.mean(dim=0), similarity.mean(dim=0), top)
        timeline = _timeline(names, windowed.spans, chance, motion.duration, hop)
        found.append(Recognition(motion.duration, guesses, timeline))
    return found


def with_none(similarity: Tensor, none_below: float) -> Tensor:
    """Cosines (N, L) of windows and labels with one more column, that of "none of these": (N, L + 1)."""
    return torch.nn.functional.pad(similarity, (0, 1), value=none_below)


def _guesses(names: Sequence[str], chance: Tensor, cosine: Tensor, top: int) -> tuple[Guess, ...]:
    best = chance.topk(min(top, len(names))).indices.tolist()
    return tuple(Guess(names[number], chance[number].item(), cosine[number].item()) for number in best)


def _timeline(names: Sequence[str], spans: Tensor, chance: Tensor, seconds: float, hop: float) -> tuple[Run, ...]:
    """Merged runs of steps of ``hop`` seconds, each judged by the windows (N, L + 1) that show its middle."""
    steps = 1 if len(spans) == 1 else max(round(seconds / hop), 1)
    edges = [*(hop * step for step in range(steps)), seconds]
    ends = torch.tensor(edges, dtype=torch.float64)
    middles = ((ends[:-1] + ends[1:]) / 2).clamp(max=spans[-1, 1])[:, None]
    shown = (spans[:, 0] <= middles) & (middles <= spans[:, 1])  # (steps, N)
    judged = shown.float() @ chance / shown.sum(dim=1, keepdim=True)
    answers = judged.argmax(dim=1).tolist()
    runs = []
    for answer, group in itertools.groupby(range(len(answers)), key=answers.__getitem__):
        own = list(group)
        runs.append(Run(edges[own[0]], edges[own[-1] + 1], names[answer], judged[own, answer].mean().item()))
    return tuple(runs)
