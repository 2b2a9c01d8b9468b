"""Words or motions, mixed freely, as latents: what every application takes its inputs through."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE, DEFAULT_SECONDS
from motionclip.errors import ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: Words, or a motion on any known skeleton.
Source = str | Motion


def seconds_of(model: MotionCLIP, sources: Sequence[Source], seconds: float | None = None) -> float:
    """The length to decode at: what is asked for, else the longest motion's among the sources, else the default."""
    if seconds is not None:
        return seconds
    lengths = [source.duration for source in sources if isinstance(source, Motion)]
    return min(max(lengths, default=DEFAULT_SECONDS), model.max_seconds)


def latents_of(
    model: MotionCLIP,
    sources: Sequence[Source],
    seconds: float,
    *,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> Tensor:
    """Latents (N, D) of motions: a motion's own, or one drawn from the prior under the words.

    Args:
        model: encodes and draws.
        sources: words and motions, in any order.
        seconds: length for which words are drawn.
        seed: of what is drawn.
        guidance: above 1 follows the words more closely.

    Raises:
        ModelError: if there are no sources, a motion is longer than the model takes, or the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    if not sources:
        raise ModelError("no words and no motion; expected at least one")
    words = [source for source in sources if isinstance(source, str)]
    motions = [source for source in sources if not isinstance(source, str)]
    drawn = iter(model.sample(model.embed_text(words), seconds, guidance=guidance, seed=seed)) if words else iter(())
    encoded = iter(model.encode(motions))
    return torch.stack([next(drawn) if isinstance(source, str) else next(encoded) for source in sources])
