"""Candidates: several takes of the same words, drawn together and ranked by words, physics and difference.

The first is the one that :func:`motionclip.text_to_motion` makes of as many takes. Each further one is the best of
those that are left, less what it has in common with those before it (maximal marginal relevance; Carbonell & Goldstein,
"The use of MMR", SIGIR 1998): ten good takes that look alike are no choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.applications.text_to_motion import (
    Take,
    decode_takes,
    draws_for,
    first_seed,
    prompts_of,
    ranked_takes,
    seconds_of,
)
from motionclip.errors import ModelError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.seeds import following_seed

#: What a cosine of likeness to a take that is kept costs, in cosines of agreement.
_LIKENESS = 0.5


@dataclass(frozen=True, eq=False)
class Candidate(Take):
    """A take that can be made again.

    Attributes:
        seed: with which :func:`motionclip.text_to_motion` makes it again, with takes=1.
    """

    seed: int


def candidates(
    model: MotionCLIP,
    text: str,
    *,
    count: int = 8,
    keep: int = 3,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> list[Candidate]:
    """Returns the best takes of a text, the best one first.

    Args:
        model: from :func:`motionclip.load`.
        text: what the person does.
        count: takes that are decoded, each the best by its draft of several that are drawn.
        keep: takes that are returned.
        seconds: as in :func:`motionclip.text_to_motion`, like the guidance.
        seed: as in :func:`motionclip.text_to_motion`.
        guidance: classifier-free guidance scale.

    Raises:
        TextError: if the text is empty, too long, or not text.
        ModelError: if the model cannot make that length, or not 1 <= keep <= count.
    """
    if not 1 <= keep <= count:
        raise ModelError(f"the best {keep} of {count} candidates; expected at least 1, and no more than there are")
    seconds = seconds_of(model, [], seconds)
    drawn = ranked_takes(model, prompts_of(model, [text]), seconds, seed=seed, guidance=guidance, takes=count)
    first, latents = first_seed(seed, draws_for(model, count)), drawn.latents[0]
    takes = [
        Candidate(**vars(take), seed=following_seed(first, take.order))
        for take in decode_takes(model, drawn, seconds)[0]
    ]
    return [takes[number] for number in rank(takes, cosines(latents, latents))[:keep]]


def rank(takes: Sequence[Candidate], likeness: Tensor) -> list[int]:
    """Returns the numbers of N takes, best first, by their quality and by likeness (N, N) to those before them."""
    worth = likeness.new_tensor([take.quality for take in takes])
    order: list[int] = []
    common = torch.zeros_like(worth)
    while len(order) < len(takes):
        score = worth - _LIKENESS * common
        score[order] = -torch.inf
        order.append(int(score.argmax()))
        common = torch.maximum(common, likeness[order[-1]])
    return order
