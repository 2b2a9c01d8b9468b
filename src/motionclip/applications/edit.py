"""Editing: a motion, less what one text or motion says, with what another says; in another style; two halves of bodies.

Words translate the latent along the flow of the prior: back under what the motion does to the noise that it came from,
and forth under what it is to do (:meth:`motionclip.MotionCLIP.translate`). The paper's z[base] - z[start] + z[end] is
here too, on the tangent plane; docs/applications/edit.md has the measurements of both. The halves of two bodies are put
together joint by joint, for sums of latents, and any pass of the result through the latent, mix the two.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.applications.text_to_motion import Source, latents_of, seconds_of, text_to_motion
from motionclip.data import canonical_sentences
from motionclip.data.bandai_namco import canonical_sentence
from motionclip.errors import ModelError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical

#: Motions that are drawn for words whose meaning is wanted, not one motion of it.
DRAWS = 16
#: Where the upper body begins.
WAIST = "spine1"
#: Furthest that the waist bends so that the chest leans as in the other motion, radians.
_MOST_BEND = math.radians(60)


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
    """Returns the motion ``base``, less ``minus``, with ``plus``.

    Args:
        model: from :func:`motionclip.load`.
        base: words, for which a motion is drawn, or a motion on any human-like skeleton.
        minus: what is taken away, words that say what ``base`` does or a motion; nothing if None.
        plus: what is put in its place; nothing if None.
        strength: 1 for all of the difference; more to exaggerate, less for a hint.
        seconds: length; the base's, or 4 for words, if not given.
        seed: of the motion that is drawn for a base in words.
        guidance: classifier-free guidance scale of words; above 1 follows them more closely.
        arithmetic: add and subtract latents, as the paper does; a ``minus`` or ``plus`` that is a motion always is,
            and so are words by a model without a prior.

    Raises:
        ModelError: if there is neither ``minus`` nor ``plus``, the strength is not finite, a motion is longer than the
            model takes, or the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    if minus is None and plus is None:
        raise ModelError("nothing to take away and nothing to add; expected minus, plus, or both")
    seconds = seconds_of(model, [base], seconds)
    latent = latents_of(model, [base], seconds, seed=seed, guidance=guidance)
    if arithmetic or not model.has_prior or isinstance(minus, Motion) or isinstance(plus, Motion):
        direction = _difference(model, minus, plus, seconds, guidance)
    else:
        direction = _translation(model, latent, minus, plus, seconds, guidance)
    return _decode_moved(model, latent, direction, strength, seconds)


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
    """Returns the motion ``base``, done in another style, whatever it is that is done.

    What the base does, and how, is taken from that of Bandai-Namco's sentences that is nearest to it; its latent is
    translated from that sentence to the same one in the new style.

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
    named = [content for content, name, _ in canonical_sentences(2) if name == style]
    named = named or [content for content, name, _ in canonical_sentences(1) if name == style]
    contents = set(named or (content for content, _, _ in canonical_sentences(2)))
    content, old = nearest_sentence(model, latent, contents)
    minus = canonical_sentence(content, old)
    plus = canonical_sentence(content, style) if named else f"{canonical_sentence(content, 'normal')} {style}"
    if model.has_prior:
        direction = _translation(model, latent, minus, plus, seconds, guidance)
    else:
        direction = _difference(model, minus, plus, seconds, guidance)
    return _decode_moved(model, latent, direction, strength, seconds)


def nearest_sentence(model: MotionCLIP, latent: Tensor, contents: Collection[str]) -> tuple[str, str]:
    """Returns content and style of the sentence about one of ``contents`` that is nearest to a latent (1, D)."""
    known = [row for number in (2, 1) for row in canonical_sentences(number) if row[0] in contents]
    content, style, _ = known[int(cosines(latent, model.embed_text([text for _, _, text in known])).argmax())]
    return content, style


def _translation(
    model: MotionCLIP, latent: Tensor, minus: str | None, plus: str | None, seconds: float, guidance: float
) -> Tensor:
    """Returns the direction (1, P) on the tangent plane from a latent (1, D) to its translation by the prior's flow."""
    source, target = (None if text is None else model.embed_text([text]) for text in (minus, plus))
    translated = model.translate(latent, source, target, seconds, guidance=guidance)
    return model.to_tangent(translated) - model.to_tangent(latent)


def _difference(
    model: MotionCLIP, minus: Source | None, plus: Source | None, seconds: float, guidance: float
) -> Tensor:
    """Returns what the paper adds to a latent: the difference (1, P) of two meanings on the tangent plane."""
    signed = [(sign, source) for sign, source in ((-1.0, minus), (1.0, plus)) if source is not None]
    points = meanings(model, [source for _, source in signed], seconds, guidance=guidance)
    return points.new_tensor([[sign for sign, _ in signed]]) @ points


def meanings(
    model: MotionCLIP,
    sources: Sequence[Source],
    seconds: float,
    *,
    guidance: float = DEFAULT_GUIDANCE,
    draws: int = DRAWS,
) -> Tensor:
    """Returns points (N, P) of the tangent plane: a motion's own, or for words the mean of several draws.

    Those of different words are drawn from the same noise, so that what they do not differ in cancels out of their
    difference.

    Raises:
        ModelError, TextError, SkeletonError: as :func:`motionclip.applications.text_to_motion.latents_of`.
    """
    words = [source for source in sources if isinstance(source, str)]
    motions = [source for source in sources if isinstance(source, Motion)]
    points = iter(model.to_tangent(model.encode(motions)))
    means: Iterator[Tensor] = iter(())
    if words:
        drawn = model.sample(model.embed_text(words), seconds, guidance=guidance, seed=0, draws=draws)
        means = iter(model.to_tangent(drawn).unflatten(0, (-1, draws)).mean(dim=1))
    return torch.stack([next(means) if isinstance(source, str) else next(points) for source in sources])


def _decode_moved(model: MotionCLIP, latent: Tensor, direction: Tensor, strength: float, seconds: float) -> Motion:
    """Returns the motion of a latent (1, D) moved along a direction (1, P) of the tangent plane."""
    if not math.isfinite(strength):
        raise ModelError(f"a strength of {strength}; expected a finite number, such as 1")
    return model.decode(model.from_tangent(model.to_tangent(latent) + strength * direction), seconds)[0]


def compose(
    model: MotionCLIP,
    upper: Source,
    lower: Source,
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> Motion:
    """Returns a motion that does one thing above the waist, while legs and path do the other.

    Args:
        model: from :func:`motionclip.load`.
        upper: words, or a motion of any length on any human-like skeleton.
        lower: the same.
        seconds: length of what is drawn for words.
        seed: of what is drawn for words.
        guidance: classifier-free guidance scale of words; above 1 follows them more closely.

    Returns:
        Motion on the canonical skeleton, as long as the shorter of the two.

    Raises:
        ModelError: if the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    length = seconds_of(model, [upper, lower], seconds)
    halves = [
        text_to_motion(model, source, seconds=length, seed=seed, guidance=guidance)
        if isinstance(source, str)
        else resample(on_canonical(source), model.config.fps)
        for source in (upper, lower)
    ]
    return combine_halves(*halves)


def combine_halves(upper: Motion, lower: Motion) -> Motion:
    """Returns the halves of two motions on the canonical skeleton at one rate as one, as long as the shorter of them.

    Hips, legs and path, and with them the contacts with the floor, are those of ``lower``; all above the waist is that
    of ``upper``. The chest leans in the world as in ``upper``, and faces the way the hips of ``lower`` do.
    """
    frames = min(upper.num_frames, lower.num_frames)
    above, below = upper.rotations[:frames], lower.rotations[:frames]
    waist = CANONICAL.index(WAIST)
    joints = [waist]
    for joint, parent in enumerate(CANONICAL.parents):  # parents come before their children
        if parent in joints:
            joints.append(joint)
    rotations = below.clone()
    rotations[:, joints] = above[:, joints]
    # in the frame of the hips below, the turn that stands for the lean of the hips above
    facing = rot.about_y(rot.yaw_of_left(below[:, 0, :, 0]) - rot.yaw_of_left(above[:, 0, :, 0]))
    bend = rot.matrix_to_rotvec(below[:, 0].mT @ facing @ above[:, 0])
    rotations[:, waist] = rot.rotvec_to_matrix(rot.limit_angle(bend, _MOST_BEND)) @ above[:, waist]
    return replace(lower, rotations=rotations, root=lower.root[:frames])
