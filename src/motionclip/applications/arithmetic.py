"""Where latents may be added: the plane of scores.

A latent of the residual network is the gnomonic image of a point of a plane (:mod:`motionclip.model.sphere`).
On that plane sums and means are what they seem; on the sphere they leave it. The paper's latents know no sphere
and are added as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from motionclip.applications.latents import Source
from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE
from motionclip.model.pipeline import MotionCLIP
from motionclip.model.sphere import from_sphere, to_sphere

#: Motions that are drawn for words whose meaning is wanted, not one motion of it.
DRAWS = 16


def to_plane(model: MotionCLIP, latents: Tensor) -> Tensor:
    """Latents (..., D) as points (..., P) that may be added: scores, P = D - 1, or the paper's latents, P = D."""
    return from_sphere(latents) if _on_sphere(model) else latents


def from_plane(model: MotionCLIP, points: Tensor) -> Tensor:
    """The inverse of :func:`to_plane`."""
    return to_sphere(points) if _on_sphere(model) else points


def _on_sphere(model: MotionCLIP) -> bool:
    return model.config.architecture == "residual"


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
        ModelError, TextError, SkeletonError: as :func:`motionclip.applications.latents.latents_of`.
    """
    words = [source for source in sources if isinstance(source, str)]
    drawn = iter(_mean_drawn(model, words, seconds, guidance, draws) if words else ())
    motions = [source for source in sources if not isinstance(source, str)]
    encoded = iter(to_plane(model, model.encode(motions)))
    return torch.stack([next(drawn) if isinstance(source, str) else next(encoded) for source in sources])


def _mean_drawn(model: MotionCLIP, words: Sequence[str], seconds: float, guidance: float, draws: int) -> Tensor:
    """Means (N, P) of motions drawn for each of several texts."""
    texts = model.embed_text(words)
    drawn = [model.sample(texts, seconds, guidance=guidance, seed=seed) for seed in range(draws)]
    return to_plane(model, torch.stack(drawn)).mean(dim=0)
