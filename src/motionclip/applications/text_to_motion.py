"""Text to motion, and the latents that words and motions, mixed freely, have for all other applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor

from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_SECONDS
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: Words, or a motion on any human-like skeleton.
Source = str | Motion


@overload
def text_to_motion(  # type: ignore[overload-overlap]  # a string is a sequence of strings, too
    model: MotionCLIP, text: str, *, seconds: float | None = ..., seed: int = ..., guidance: float = ...
) -> Motion: ...
@overload
def text_to_motion(
    model: MotionCLIP, text: Sequence[str], *, seconds: float | None = ..., seed: int = ..., guidance: float = ...
) -> list[Motion]: ...
def text_to_motion(
    model: MotionCLIP,
    text: str | Sequence[str],
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> Motion | list[Motion]:
    """Returns a motion for a text, or a list with one for each of several.

    Args:
        model: from :func:`motionclip.load`.
        text: what the person does, in words.
        seconds: length of the motion; if not given 4, or the longest that the model makes if that is shorter.
        seed: of the noise. Another seed gives another motion of the same words; the same seed, the same motion.
        guidance: classifier-free guidance scale; above 1 follows the words more closely, with less variety.

    Returns:
        Motion at the model's frame rate on the canonical skeleton, from above the origin, facing +Z.

    Raises:
        TextError: if a text is empty, too long, or not text.
        ModelError: if the model cannot make that length.
    """
    texts = [text] if isinstance(text, str) else list(text)
    seconds = seconds_of(model, [], seconds)
    motions = model.decode(model.sample(model.embed_text(texts), seconds, guidance=guidance, seed=seed), seconds)
    return motions[0] if isinstance(text, str) else motions


def seconds_of(model: MotionCLIP, sources: Sequence[Source], seconds: float | None) -> float:
    """Returns the length to decode at: ``seconds`` if given, else the longest motion's, else 4; at most the model's."""
    if seconds is not None:
        return seconds
    lengths = [source.duration for source in sources if isinstance(source, Motion)]
    return min(max(lengths, default=DEFAULT_SECONDS), model.max_seconds)


def latents_of(
    model: MotionCLIP, sources: Sequence[Source], seconds: float, *, seed: int = 0, guidance: float = DEFAULT_GUIDANCE
) -> Tensor:
    """Returns the latents (N, D) of sources: a motion's own, or for words one that is drawn from the prior.

    Args:
        model: from :func:`motionclip.load`.
        sources: words and motions, in any order.
        seconds: length for which words are drawn.
        seed: of what is drawn for words.
        guidance: as in :func:`text_to_motion`.

    Raises:
        ModelError: if a motion is longer than the model takes, or the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    is_text = torch.tensor([isinstance(source, str) for source in sources])
    latents = torch.empty(len(sources), model.config.latent_dim, device=model.device)
    if words := [source for source in sources if isinstance(source, str)]:
        latents[is_text] = model.sample(model.embed_text(words), seconds, guidance=guidance, seed=seed)
    if motions := [source for source in sources if isinstance(source, Motion)]:
        latents[~is_text] = model.encode(motions)
    return latents
