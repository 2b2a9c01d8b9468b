"""Latent arithmetic: a motion, less what one text or motion says, with what another says.

The paper's z[base] - z[start] + z[end], on the plane of scores, and with the mean of several drawn motions where a
text is meant: docs/applications/edit.md has the measurements by which both were chosen.
"""

from __future__ import annotations

import math

from torch import Tensor

from motionclip.applications.arithmetic import from_plane, meanings, to_plane
from motionclip.applications.latents import Source, latents_of, seconds_of
from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE
from motionclip.data import canonical_sentences
from motionclip.data.bandai_namco import canonical_sentence
from motionclip.errors import ModelError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: Motions drawn for each sentence of a style: few, for there are several sentences.
_DRAWS = 4


def edit(
    model: MotionCLIP,
    base: Source,
    *,
    minus: Source | None = None,
    plus: Source | None = None,
    strength: float = 1.0,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> Motion:
    """``base``, less ``minus``, with ``plus``.

    Args:
        model: from :func:`motionclip.load`.
        base: words, for which a motion is drawn, or a motion on any known skeleton.
        minus: what is taken away: words or a motion; nothing if None.
        plus: what is put in its place; nothing if None.
        strength: 1 for all of the difference; more to exaggerate, less for a hint.
        seconds: length; the base's, or 4 for words, if not given.
        seed: of the motion that is drawn for a base in words.
        guidance: above 1 follows the words more closely.

    Raises:
        ModelError: if there is neither ``minus`` nor ``plus``, the strength is not finite, a motion is longer than the
            model takes, or the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    terms = {sign: source for sign, source in ((-1, minus), (1, plus)) if source is not None}
    if not terms:
        raise ModelError("nothing to take away and nothing to add; expected minus, plus, or both")
    seconds = seconds_of(model, [base], seconds)
    points = meanings(model, list(terms.values()), seconds, guidance=guidance)
    direction = sum(sign * point for sign, point in zip(terms, points, strict=True))
    latent = latents_of(model, [base], seconds, seed=seed, guidance=guidance)
    return _moved(model, latent, direction, strength, seconds)


def restyle(
    model: MotionCLIP,
    base: Source,
    style: str,
    *,
    strength: float = 1.0,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> Motion:
    """``base``, done in another style, whatever it is that is done.

    The style that the base has is the nearest of those that the model knows by name. What stands between the two is
    the mean of their difference over several things that one may do.

    Args:
        model: from :func:`motionclip.load`.
        base: as in :func:`edit`.
        style: a style of Bandai-Namco's data sets, such as "elderly", or words that follow what a person does, such as
            "like a robot".
        strength: as in :func:`edit`.
        seconds: as in :func:`edit`.
        seed: as in :func:`edit`.
        guidance: as in :func:`edit`.

    Raises:
        ModelError, TextError, SkeletonError: as :func:`edit`.
    """
    seconds = seconds_of(model, [base], seconds)
    latent = latents_of(model, [base], seconds, seed=seed, guidance=guidance)
    contents = _carriers(style)
    words = [_worded(content, wanted) for wanted in (recognised_style(model, latent), style) for content in contents]
    minus, plus = meanings(model, words, seconds, guidance=guidance, draws=_DRAWS).chunk(2)
    return _moved(model, latent, (plus - minus).mean(dim=0), strength, seconds)


def recognised_style(model: MotionCLIP, latent: Tensor) -> str:
    """The style of the sentence of Bandai-Namco data set 2 that is nearest to a latent (1, D)."""
    known = canonical_sentences(2)
    return known[int(cosines(latent, model.embed_text([text for _, _, text in known])).argmax())][1]


def _carriers(style: str) -> list[str]:
    """Contents of the data set, the second first, that has a style by name; of the second for other words."""
    sets = [[content for content, known, _ in canonical_sentences(number) if known == style] for number in (2, 1)]
    return sets[0] or sets[1] or sorted({content for content, _, _ in canonical_sentences(2)})


def _worded(content: str, style: str) -> str:
    """A sentence of something that is done in a style, known by name or told in words."""
    named = {name for number in (1, 2) for _, name, _ in canonical_sentences(number)}
    return canonical_sentence(content, style) if style in named else f"{canonical_sentence(content, 'normal')} {style}"


def _moved(model: MotionCLIP, latent: Tensor, direction: Tensor | float, strength: float, seconds: float) -> Motion:
    """The motion of a latent (1, D) moved along a direction (P,) of the plane."""
    if not math.isfinite(strength):
        raise ModelError(f"a strength of {strength}; expected a finite number, such as 1")
    return model.decode(from_plane(model, to_plane(model, latent) + strength * direction), seconds)[0]
