"""Known words: texts that a model learned from, by which it tells whether a new text is like any of them.

A model makes some motion of any text. How near a text lies to those of training, by the cosine of their embeddings,
tells whether that motion can be expected to mean it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.errors import ModelError
from motionclip.formats.files import save_tensors
from motionclip.gate.documents import parse
from motionclip.gate.tensors import read_tensors

FILE = "known_words.safetensors"
#: Texts that are kept, at most, and the cosine to a kept one from which a text adds nothing.
_MOST, _ALIKE = 6000, 0.9
#: Longer texts are not kept: they are never the nearest of what users type, and no help where they are shown.
_LONGEST_WORDS = 10
#: Share of unrelated texts that are told apart from known ones.
_TOLD_APART = 0.95
#: Steps of a number of an embedding that is kept as a byte.
_STEPS = 127


@dataclass(frozen=True, eq=False)
class KnownWords:
    """Texts that stand for all that a model learned from.

    Attributes:
        texts: N of them.
        embeddings: (N, E) unit embeddings by the model's text encoder.
        threshold: cosine to the nearest one below which a text is far from all of them.
    """

    texts: tuple[str, ...]
    embeddings: Tensor
    threshold: float

    @classmethod
    def of(cls, texts: Sequence[str], embeddings: Tensor, unrelated: Tensor) -> KnownWords:
        """Returns texts that cover the given ones, farthest first (Gonzalez 1985), and their threshold.

        Args:
            texts: all that a model learned from.
            embeddings: (S, E) of them.
            unrelated: (U, E) embeddings of texts that are about no movement; most of them lie below the threshold.
        """
        short = [row for row, text in enumerate(texts) if len(text.split()) <= _LONGEST_WORDS]
        unit = F.normalize(embeddings[short], dim=-1)
        kept = _farthest_first(unit)
        chosen = unit[kept]
        nearest = (F.normalize(unrelated, dim=-1) @ chosen.T).amax(dim=1)
        return cls(tuple(texts[short[row]] for row in kept), chosen, torch.quantile(nearest, _TOLD_APART).item())

    def nearest(self, embeddings: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Returns cosines (M, count) and indices (M, count) of the known texts nearest to embeddings (M, E)."""
        similarity = F.normalize(embeddings.cpu(), dim=-1) @ self.embeddings.T
        values, indices = similarity.topk(min(count, len(self.texts)), dim=1)
        return values, indices

    def save(self, folder: Path) -> None:
        """Writes the file into a model folder, numbers as bytes."""
        tensors = {"embeddings": (self.embeddings * _STEPS).round().to(torch.int8)}
        metadata = {"texts": json.dumps(self.texts, ensure_ascii=False), "threshold": repr(self.threshold)}
        save_tensors(folder / FILE, tensors, metadata)


def load_known_words(folder: Path) -> KnownWords | None:
    """Returns the known words of a model folder; None if it has none.

    Raises:
        ModelError: if the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        tensors, metadata = read_tensors(path, ("embeddings",))
        rows, texts = tensors["embeddings"], parse(metadata["texts"], tuple[str, ...])
        threshold = float(metadata["threshold"])
        if rows.ndim != 2 or rows.dtype != torch.int8 or len(rows) != len(texts) or not -1 <= threshold <= 1:
            raise ValueError(f"{len(texts)} texts with embeddings {tuple(rows.shape)} and threshold {threshold}")
    except (ValueError, KeyError) as error:
        raise ModelError(f"{path} is damaged: {error}; copy the model again") from error
    return KnownWords(texts, F.normalize(rows.float(), dim=-1), threshold)


def _farthest_first(unit: Tensor) -> list[int]:
    """Returns rows of unit vectors (S, E), each the one farthest from those before it, until all are near to one."""
    kept = [0]
    nearest = unit @ unit[0]
    while len(kept) < min(_MOST, len(unit)) and nearest.min() < _ALIKE:
        kept.append(int(nearest.argmin()))
        nearest = torch.maximum(nearest, unit @ unit[kept[-1]])
    return kept
