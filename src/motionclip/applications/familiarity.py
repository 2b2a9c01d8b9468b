"""Familiarity: how a text is read, whether it is like any that the model learned from, and what it is most like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from motionclip.applications.text_to_motion import read
from motionclip.model.pipeline import MotionCLIP

#: Known texts that are named beside one.
_SHOWN = 3


@dataclass(frozen=True)
class Familiarity:
    """How near a text is to those of training.

    Attributes:
        text: the text.
        read: what it is read as: itself, unless it is said for what a body does.
        score: cosine of the embedding of what is read and that of the nearest known text.
        nearest: the nearest known texts, nearest first.
        is_known: whether the score reaches the model's threshold; below it a motion of the text means little.
    """

    text: str
    read: str
    score: float
    nearest: tuple[str, ...]
    is_known: bool

    @property
    def note(self) -> str:
        """What a user should know: that it is read as something else, or far from all that is known; or nothing."""
        if self.read != self.text:
            return f"{self.text!r} is read as {self.read!r}"
        return "" if self.is_known else str(self)

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
    readings = list(map(read, texts))
    values, indices = known.nearest(model.text_encoder.encode_texts(readings), _SHOWN)
    return [
        Familiarity(text, reading, scores[0], tuple(known.texts[row] for row in rows), scores[0] >= known.threshold)
        for text, reading, scores, rows in zip(texts, readings, values.tolist(), indices.tolist(), strict=True)
    ]
