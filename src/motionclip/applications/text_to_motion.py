"""A sentence becomes a motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from motionclip.model.pipeline import MotionCLIP
    from motionclip.motion import Motion

DEFAULT_SECONDS = 4.0
DEFAULT_GUIDANCE = 1.5


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
