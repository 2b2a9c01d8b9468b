"""A sentence becomes a motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from motionclip.model.pipeline import MotionCLIP
    from motionclip.motion import Motion


import torch
from torch import Tensor

from motionclip.applications import DEFAULT_GUIDANCE as DEFAULT_GUIDANCE
from motionclip.applications import DEFAULT_SECONDS as DEFAULT_SECONDS
from motionclip.errors import ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion


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
    """A motion for a sentence, or one for each of several.

    Args:
        model: from :func:`motionclip.load`.
        text: what the person does, in words.
        seconds: length of the motion; 4, or the longest that the model makes if that is shorter, if not given.
        seed: another seed gives another motion of the same words; the same seed, the same motion.
        guidance: above 1 follows the words more closely, with less variety.

    Returns:
        Motion at the model's frame rate on the canonical skeleton, from above the origin, facing +Z.

    Raises:
        TextError: if a text is empty, too long, or not text.
        ModelError: if the model cannot make that length.
    """
    texts = [text] if isinstance(text, str) else list(text)
    if seconds is None:
        seconds = min(DEFAULT_SECONDS, model.max_seconds)
    latents = model.sample(model.embed_text(texts), seconds, guidance=guidance, seed=seed)
    motions = model.decode(latents, seconds)
    return motions[0] if isinstance(text, str) else motions


# Words or motions, mixed freely, as latents: what every application takes its inputs through.


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
