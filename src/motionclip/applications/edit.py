"""A motion, less what one text or motion says, with what another says.

Words carry its latent along the flow of the prior: back under what it does to the noise that it came from, and forth
under what it is to do (:meth:`motionclip.model.pipeline.MotionCLIP.carry`). The paper's z[base] - z[start] + z[end] is
here too, on the plane of scores: docs/applications/edit.md has the measurements of both.
"""

from __future__ import annotations

import math
from collections.abc import Collection

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
    arithmetic: bool = False,
) -> Motion:
    """``base``, less ``minus``, with ``plus``.

    Args:
        model: from :func:`motionclip.load`.
        base: words, for which a motion is drawn, or a motion on any known skeleton.
        minus: what is taken away, words that say what ``base`` does or a motion; nothing if None.
        plus: what is put in its place; nothing if None.
        strength: 1 for all of the difference; more to exaggerate, less for a hint.
        seconds: length; the base's, or 4 for words, if not given.
        seed: of the motion that is drawn for a base in words.
        guidance: above 1 follows the words more closely.
        arithmetic: add and subtract latents, as the paper does; a ``minus`` or ``plus`` that is a motion always is,
            and so are words by a model without a prior.

    Raises:
        ModelError: if there is neither ``minus`` nor ``plus``, the strength is not finite, a motion is longer than the
            model takes, or the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    if minus is None and plus is None:
        raise ModelError("nothing to take away and nothing to add; expected minus, plus, or both")
    seconds = seconds_of(model, [base], seconds)
    latent = latents_of(model, [base], seconds, seed=seed, guidance=guidance)
    if arithmetic or model.network.prior is None or isinstance(minus, Motion) or isinstance(plus, Motion):
        direction = _added(model, latent, minus, plus, seconds, guidance)
    else:
        direction = _carried(model, latent, minus, plus, seconds, guidance)
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

    What the base does, and how, is that of Bandai-Namco's sentences that is nearest to it; its latent is carried from
    that sentence to the same one in the new style.

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
    content, old = recognised(model, latent, _carriers(style))
    way = _added if model.network.prior is None else _carried
    direction = way(model, latent, canonical_sentence(content, old), _worded(content, style), seconds, guidance)
    return _moved(model, latent, direction, strength, seconds)


def recognised(model: MotionCLIP, latent: Tensor, contents: Collection[str]) -> tuple[str, str]:
    """Content and style of the sentence of Bandai-Namco's data sets about some contents nearest to a latent (1, D)."""
    known = [row for number in (2, 1) for row in canonical_sentences(number) if row[0] in contents]
    content, style, _ = known[int(cosines(latent, model.embed_text([text for _, _, text in known])).argmax())]
    return content, style


def _carriers(style: str) -> Collection[str]:
    """Contents of the data set, the second first, that has a style by name; of the second for other words."""
    sets = [{content for content, known, _ in canonical_sentences(number) if known == style} for number in (2, 1)]
    return sets[0] or sets[1] or {content for content, _, _ in canonical_sentences(2)}


def _worded(content: str, style: str) -> str:
    """A sentence of something that is done in a style, known by name or told in words."""
    named = {name for number in (1, 2) for _, name, _ in canonical_sentences(number)}
    return canonical_sentence(content, style) if style in named else f"{canonical_sentence(content, 'normal')} {style}"


def _carried(
    model: MotionCLIP, latent: Tensor, minus: str | None, plus: str | None, seconds: float, guidance: float
) -> Tensor:
    """Where on the plane (1, P) the flow of the prior takes a latent (1, D), seen from it."""
    source, target = (None if text is None else model.embed_text([text]) for text in (minus, plus))
    carried = model.carry(latent, source, target, seconds, guidance=guidance)
    return to_plane(model, carried) - to_plane(model, latent)


def _added(
    model: MotionCLIP, latent: Tensor, minus: Source | None, plus: Source | None, seconds: float, guidance: float
) -> Tensor:
    """What the paper adds to a latent (1, D): the difference of two meanings on the plane (1, P)."""
    sign_of = [(sign, source) for sign, source in ((-1.0, minus), (1.0, plus)) if source is not None]
    points = meanings(model, [source for _, source in sign_of], seconds, guidance=guidance)
    return points.new_tensor([[sign for sign, _ in sign_of]]) @ points


def _moved(model: MotionCLIP, latent: Tensor, direction: Tensor, strength: float, seconds: float) -> Motion:
    """The motion of a latent (1, D) moved along a direction (1, P) of the plane."""
    if not math.isfinite(strength):
        raise ModelError(f"a strength of {strength}; expected a finite number, such as 1")
    return model.decode(from_plane(model, to_plane(model, latent) + strength * direction), seconds)[0]
