"""Sentences that are nearest to what is done in a motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications.windows import embed_windows
from motionclip.data.babel import babel_actions
from motionclip.data.bandai_namco import canonical_sentences
from motionclip.errors import DataError, ModelError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: Seconds that are described at once.
WINDOW = 4.0


@dataclass(frozen=True)
class Sentence:
    """A sentence and its cosine with the motion."""

    text: str
    cosine: float


@dataclass(frozen=True)
class Caption:
    """A stretch of a motion in words.

    Attributes:
        start: its first second.
        end: its last.
        nearest: the nearest sentences, best first.
    """

    start: float
    end: float
    nearest: tuple[Sentence, ...]


def own_sentences() -> tuple[str, ...]:
    """The sentences that come with the package: contents and styles of Bandai-Namco 1 and 2, actions of BABEL."""
    told = [text for number in (1, 2) for _, _, text in canonical_sentences(number)]
    return tuple(dict.fromkeys([*told, *babel_actions(120)]))


def caption(
    model: MotionCLIP, motions: Sequence[Motion], sentences: Sequence[str] | None = None, *, top: int = 5
) -> list[tuple[Caption, ...]]:
    """The nearest of some sentences, for each motion: of the whole, or of each four seconds of a longer one.

    Args:
        model: from :func:`motionclip.load`.
        motions: on any known skeleton, at any rate, of any length.
        sentences: what to choose from; :func:`own_sentences` if not given.
        top: how many sentences are named.

    Raises:
        DataError: if there are no sentences.
        ModelError: if ``top`` is not positive.
        SkeletonError: if a skeleton's joints are of no known family.
        TextError: if a sentence cannot be encoded.
    """
    texts = list(dict.fromkeys(own_sentences() if sentences is None else sentences))
    if not texts:
        raise DataError("no sentences; expected one or more to choose from")
    if top < 1:
        raise ModelError(f"the best {top}; expected at least 1")
    directions = model.embed_text(texts).float().cpu()
    found = []
    for windowed in embed_windows(model, motions, WINDOW, WINDOW):
        similarity = cosines(windowed.latents, directions)
        nearest = [_nearest(texts, row, top) for row in similarity]
        spans = zip(windowed.spans.tolist(), nearest, strict=True)
        found.append(tuple(Caption(start, end, own) for (start, end), own in spans))
    return found


def _nearest(texts: Sequence[str], cosine: Tensor, top: int) -> tuple[Sentence, ...]:
    best = torch.topk(cosine, min(top, len(texts)))
    return tuple(Sentence(texts[number], value) for value, number in zip(*map(Tensor.tolist, best), strict=True))
