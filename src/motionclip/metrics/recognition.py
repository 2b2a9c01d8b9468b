"""Recognition: how often the nearest label is right, with bootstrap intervals and the level of chance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.errors import MotionClipError
from motionclip.metrics.retrieval import random_hits

TOP = 5

_RESAMPLES = 1000
_TAIL = 0.025


@dataclass(frozen=True)
class Share:
    """A share in percent, with its confidence interval.

    Attributes:
        value: the share.
        low: lower end of its 95 % confidence interval.
        high: upper end.
        chance: the share of labels drawn at random.
    """

    value: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True)
class Recognition:
    """The nearest labels of clips.

    Attributes:
        labels: what the labels say, such as ``content`` or ``babel60``.
        clips: how many clips.
        classes: how many labels to choose from.
        top1: the nearest label is right.
        top5: a right label is among the nearest five; a tie counts against it.
        class_mean: top1 of each label that occurs, averaged over them.
    """

    labels: str
    clips: int
    classes: int
    top1: Share
    top5: Share
    class_mean: Share


def recognition(labels: str, similarity: Tensor, right: Tensor, seed: int = 0) -> Recognition:
    """Returns the recognition of clips by similarity to labels.

    Args:
        labels: name of what is recognised.
        similarity: (N, C) of clips and labels, higher is nearer.
        right: (N, C) true where the label is right, at least once in each row.
        seed: of the bootstrap.

    Intervals are percentiles of 1,000 bootstrap samples of the clips (Efron and Tibshirani, "An Introduction to the
    Bootstrap", 1993, chapter 13). Where several labels are right, hitting one is enough for top1 and top5, and the
    clip counts in the class mean of each of them.

    Raises:
        MotionClipError: if a similarity is not finite.
    """
    if not torch.isfinite(similarity).all():
        raise MotionClipError("similarities contain NaN or infinity; the model or its input is damaged")
    best = similarity.masked_fill(~right, float("-inf")).amax(dim=1, keepdim=True)
    before = ((similarity >= best) & ~right).sum(dim=1, keepdim=True)
    guessed = right & (similarity == best) & (before < 1)
    clips, classes = right.shape
    draws, all_ = _resamples(clips, seed), torch.ones(clips, 1, dtype=torch.float64)
    by_chance = 100 * random_hits(right, min(TOP, classes))
    return Recognition(
        labels,
        clips,
        classes,
        _share((before < 1).double(), all_, draws, by_chance[0].item()),
        _share((before < TOP).double(), all_, draws, by_chance[-1].item()),
        _share(guessed.double(), right.double(), draws, 100 / classes),
    )


def _resamples(count: int, seed: int) -> Tensor:
    """Returns how often each of ``count`` clips is in each bootstrap sample (S, N), the first of which is the clips."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(count, (_RESAMPLES, count), generator=generator)
    times = torch.stack([torch.bincount(row, minlength=count) for row in drawn])
    return torch.cat([torch.ones_like(times[:1]), times]).double()


def _share(hits: Tensor, members: Tensor, draws: Tensor, chance: float) -> Share:
    """Returns the mean over classes present of hits / members, both (N, K), with percentiles over draws (S, N)."""
    counts = draws @ members
    present = counts > 0
    rates = torch.where(present, (draws @ hits) / counts.clamp(min=1), 0.0)
    values = 100 * rates.sum(dim=1) / present.sum(dim=1)
    low, high = values[1:].quantile(torch.tensor([_TAIL, 1 - _TAIL], dtype=torch.float64)).tolist()
    return Share(values[0].item(), low, high, chance)
