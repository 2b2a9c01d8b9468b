"""Familiarity: whether a text is like any that the model learned from, and what it is most like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from motionclip.model.pipeline import MotionCLIP

#: Known texts that are named beside one.
_SHOWN = 3


@dataclass(frozen=True)
class Familiarity:
    """How near a text is to those of training.

    Attributes:
        text: the text.
        score: cosine of its embedding and that of the nearest known text.
        nearest: the nearest known texts, nearest first.
        is_known: whether the score reaches the model's threshold; below it a motion of the text means little.
    """

    text: str
    score: float
    nearest: tuple[str, ...]
    is_known: bool

    def __str__(self) -> str:
        near = ", ".join(map(repr, self.nearest))
        return f"{self.text!r} is {'near to' if self.is_known else 'far from'} what this model knows; nearest: {near}"


@torch.inference_mode()
def familiarity(model: MotionCLIP, texts: Sequence[str]) -> list[Familiarity]:
    """Returns the familiarity of texts; none at all from a model that was saved without its known words.

    Raises:
        TextError: if a text is empty, too long, or not text.
    """
    known = model.known_words
    if known is None or not texts:
        return []
    values, indices = known.nearest(model.text_encoder.encode_texts(texts), _SHOWN)
    return [
        Familiarity(text, scores[0], tuple(known.texts[row] for row in rows), scores[0] >= known.threshold)
        for text, scores, rows in zip(texts, values.tolist(), indices.tolist(), strict=True)
    ]
