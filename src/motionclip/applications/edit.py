"""A motion, less what one text or motion says, with what another says.

Words carry its latent along the flow of the prior: back under what it does to the noise that it came from, and forth
under what it is to do (:meth:`motionclip.model.pipeline.MotionCLIP.translate`). The paper's z[base] - z[start] + z[end] is
here too, on the plane of scores: docs/applications/edit.md has the measurements of both.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE, Source, latents_of, seconds_of, text_to_motion
from motionclip.data import canonical_sentences
from motionclip.data.bandai_namco import canonical_sentence
from motionclip.errors import ModelError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical

# Where latents may be added: the plane of scores.
#
# A latent of the residual network is the gnomonic image of a point of a plane (:mod:`motionclip.model.network`).
# On that plane sums and means are what they seem; on the sphere they leave it. The paper's latents know no sphere
# and are added as they are.


#: Motions that are drawn for words whose meaning is wanted, not one motion of it.
DRAWS = 16


def meanings(
    model: MotionCLIP,
    sources: Sequence[Source],
    seconds: float,
    *,
    guidance: float = DEFAULT_GUIDANCE,
    draws: int = DRAWS,
) -> Tensor:
    """Points (N, P) of what sources mean: a motion's own, or the mean of several that are drawn for words.

    Those of different words are drawn from the same noise, so that what they do not differ in cancels out of
    their difference.

    Raises:
        ModelError, TextError, SkeletonError: as :func:`motionclip.applications.text_to_motion.latents_of`.
    """
    words = [source for source in sources if isinstance(source, str)]
    drawn = iter(_mean_drawn(model, words, seconds, guidance, draws) if words else ())
    motions = [source for source in sources if not isinstance(source, str)]
    encoded = iter(model.to_tangent(model.encode(motions)))
    return torch.stack([next(drawn) if isinstance(source, str) else next(encoded) for source in sources])


def _mean_drawn(model: MotionCLIP, words: Sequence[str], seconds: float, guidance: float, draws: int) -> Tensor:
    """Means (N, P) of motions drawn for each of several texts."""
    texts = model.embed_text(words)
    drawn = [model.sample(texts, seconds, guidance=guidance, seed=seed) for seed in range(draws)]
    return model.to_tangent(torch.stack(drawn)).mean(dim=0)


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
    if arithmetic or not model.has_prior or isinstance(minus, Motion) or isinstance(plus, Motion):
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
    way = _added if not model.has_prior else _carried
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
    carried = model.translate(latent, source, target, seconds, guidance=guidance)
    return model.to_tangent(carried) - model.to_tangent(latent)


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
    return model.decode(model.from_tangent(model.to_tangent(latent) + strength * direction), seconds)[0]


# The upper body of one motion on the lower body of another.
#
# Adding latents, as the paper does, mixes the two halves (docs/applications/edit.md has the figures), and so does any
# further pass through the latent. So joints are taken from each motion as they are: hips, legs, path and with them
# the contacts with the floor of the one, all above of the other.


#: Where the upper body begins.
WAIST = "spine1"
#: Furthest that the waist bends to carry the other motion's lean over, radians.
_MOST_BEND = math.radians(60)


def compose(
    model: MotionCLIP,
    upper: Source,
    lower: Source,
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> Motion:
    """What one motion does above the waist, while legs and path do the other.

    Args:
        model: draws motions for words, and gives the frame rate.
        upper: words, or a motion of any length on any known skeleton.
        lower: the same.
        seconds: length of what is drawn for words.
        seed: of what is drawn for words.
        guidance: above 1 follows the words more closely.

    Returns:
        Motion on the canonical skeleton, as long as the shorter of the two.

    Raises:
        ModelError: if the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    length = seconds_of(model, [upper, lower], seconds)

    def taken(source: Source) -> Motion:
        if isinstance(source, str):
            return text_to_motion(model, source, seconds=length, seed=seed, guidance=guidance)
        return resample(on_canonical(source), model.config.fps)

    return join_bodies(taken(upper), taken(lower))


def join_bodies(upper: Motion, lower: Motion) -> Motion:
    """The two halves of motions on the canonical skeleton, at one frame rate; as long as the shorter one.

    The chest leans in the world as in ``upper``, and faces the way the hips of ``lower`` do.
    """
    frames = min(upper.num_frames, lower.num_frames)
    above, below = upper.rotations[:frames], lower.rotations[:frames]
    waist = CANONICAL.index(WAIST)
    rotations = below.clone()
    joints = _upper_joints()
    rotations[:, joints] = above[:, joints]
    rotations[:, waist] = _lean(above[:, 0], below[:, 0]) @ above[:, waist]
    return replace(lower, rotations=rotations, root=lower.root[:frames])


def _upper_joints() -> list[int]:
    """The waist and all joints that hang on it."""
    found = {CANONICAL.index(WAIST)}
    for joint, parent in enumerate(CANONICAL.parents):
        if parent in found:
            found.add(joint)
    return sorted(found)


def _lean(above: Tensor, below: Tensor) -> Tensor:
    """Turns (T, 3, 3) in the frame of the hips ``below`` that stand for the lean of the hips ``above`` (T, 3, 3)."""
    turn = rot.about_y(rot.yaw_of_left(below[..., 0]) - rot.yaw_of_left(above[..., 0]))
    bend = rot.matrix_to_rotvec(below.mT @ turn @ above)
    return rot.rotvec_to_matrix(rot.limit_angle(bend, _MOST_BEND))
