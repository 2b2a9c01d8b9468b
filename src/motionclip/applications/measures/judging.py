"""What the evaluator, which is no part of the model, says of motions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications.measures.clips import batches_of
from motionclip.metrics.evaluator import Evaluator
from motionclip.motion import Motion


@dataclass(frozen=True)
class Seen:
    """Contents and styles that the classifier sees, by name."""

    contents: tuple[str, ...]
    styles: tuple[str, ...]


def embed_motions(evaluator: Evaluator, motions: Sequence[Motion]) -> Tensor:
    """Unit embeddings (N, E) of motions on the canonical skeleton."""
    return torch.cat([evaluator.embed_motion(batch) for batch in batches_of(motions, evaluator.config.fps)])


@torch.inference_mode()
def classify(evaluator: Evaluator, motions: Sequence[Motion], dataset: str) -> Seen | None:
    """What the classifier sees in motions; None if it does not know the data set."""
    if evaluator.classifier is None or evaluator.config.dataset != dataset:
        return None
    contents, styles = [], []
    for batch in batches_of(motions, evaluator.config.fps):
        content, style = evaluator.classifier(batch)
        contents += content.argmax(dim=1).tolist()
        styles += style.argmax(dim=1).tolist()
    names = evaluator.config
    return Seen(tuple(names.contents[i] for i in contents), tuple(names.styles[i] for i in styles))


def percent(found: Sequence[object], wanted: Sequence[object]) -> float:
    """Share, in percent, of places where two sequences agree."""
    return 100 * sum(one == other for one, other in zip(found, wanted, strict=True)) / len(wanted)
