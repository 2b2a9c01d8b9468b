"""Captioning: the sentences of a list that are nearest to a motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motionclip.applications.windows import check_top, embed_windows
from motionclip.data.babel import babel_actions
from motionclip.data.bandai_namco import canonical_sentences
from motionclip.errors import DataError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: Seconds that are described at once.
WINDOW = 4.0


@dataclass(frozen=True)
class RankedSentence:
    """A sentence and its cosine with the motion."""

    text: str
    cosine: float


@dataclass(frozen=True)
class CaptionSpan:
    """A stretch of a motion and its nearest sentences.

    Attributes:
        start: its first second.
        end: its last.
        nearest: the nearest sentences, best first.
    """

    start: float
    end: float
    nearest: tuple[RankedSentence, ...]


def own_sentences() -> tuple[str, ...]:
    """Returns the package's sentences: contents and styles of Bandai-Namco 1 and 2, actions of BABEL."""
    contents = [text for number in (1, 2) for _, _, text in canonical_sentences(number)]
    return tuple(dict.fromkeys([*contents, *babel_actions(120)]))


def caption(
    model: MotionCLIP, motions: Sequence[Motion], sentences: Sequence[str] | None = None, *, top: int = 5
) -> list[tuple[CaptionSpan, ...]]:
    """Returns for each motion its nearest sentences: one span of the whole, or one for each four seconds.

    Args:
        model: from :func:`motionclip.load`.
        motions: on any human-like skeleton, at any rate, of any length.
        sentences: what to choose from; :func:`own_sentences` if not given.
        top: number of sentences of a span.

    Raises:
        DataError: if there are no sentences.
        ModelError: if ``top`` is not positive.
        SkeletonError: if no human body is found in a skeleton.
        TextError: if a sentence cannot be encoded.
    """
    texts = list(dict.fromkeys(own_sentences() if sentences is None else sentences))
    if not texts:
        raise DataError("no sentences; expected one or more to choose from")
    check_top(top)
    words = model.embed_words(texts).cpu()
    found = []
    for windows in embed_windows(model, motions, WINDOW, WINDOW):
        values, rows = cosines(windows.embeddings, words).topk(min(top, len(texts)))
        spans = []
        for (start, end), best, numbers in zip(windows.spans.tolist(), values.tolist(), rows.tolist(), strict=True):
            nearest = (RankedSentence(texts[n], cosine) for n, cosine in zip(numbers, best, strict=True))
            spans.append(CaptionSpan(start, end, tuple(nearest)))
        found.append(tuple(spans))
    return found
