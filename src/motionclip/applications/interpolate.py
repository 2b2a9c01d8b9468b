"""Interpolation in latent space: the motions between two motions.

Two paths lead from one latent to the other. Gnomonic projection turns great circles into straight lines, so with our
network both go through the same motions, at different paces: ``sphere`` in equal angles between latents, which
recognition and search see, ``straight`` in equal steps of the whitened PCA coefficients, which the decoder sees. With
the paper's network, whose latents lie on no sphere, ``straight`` is the paper's (1 - a) z0 + a z1.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.applications.text_to_motion import Source, latents_of, seconds_of
from motionclip.errors import ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: How to get from one latent to the other.
PathName = Literal["sphere", "straight"]

#: Unit vectors no further apart than this are taken for equal.
_SAME = 1e-5


def interpolate(
    model: MotionCLIP,
    a: Source,
    b: Source,
    steps: int,
    *,
    path: PathName = "sphere",
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> list[Motion]:
    """Returns ``steps`` motions from ``a`` to ``b``, both ends included.

    Args:
        model: from :func:`motionclip.load`.
        a: words, or a motion on any human-like skeleton; the first motion is this one as the model sees it.
        b: the same, for the last.
        steps: number of motions, at least 2.
        path: "sphere", in equal angles of the latents, or "straight", in equal steps of the PCA coefficients.
        seconds: length of each; that of the longest given motion, or 4, if not given.
        seed: of what is drawn for words.
        guidance: classifier-free guidance scale of words; above 1 follows them more closely.

    Raises:
        ModelError: on fewer than 2 steps or another path, a motion longer than the model takes, or a length that it
            cannot make.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    if steps < 2:
        raise ModelError(f"an interpolation of {steps} steps; expected at least 2, for the two ends are among them")
    if path not in ("sphere", "straight"):
        raise ModelError(f"path {path!r}; expected 'sphere' or 'straight'")
    seconds = seconds_of(model, [a, b], seconds)
    start, end = latents_of(model, [a, b], seconds, seed=seed, guidance=guidance)
    shares = torch.linspace(0, 1, steps, device=start.device)[:, None]
    if path == "sphere":
        latents = _great_circle(start, end, shares)
    else:
        latents = model.from_tangent(torch.lerp(model.to_tangent(start), model.to_tangent(end), shares))
    return model.decode(latents, seconds)


def _great_circle(start: Tensor, end: Tensor, shares: Tensor) -> Tensor:
    """Returns latents (N, D) at equal angles for shares (N, 1) from start to end (D,), their norms in equal steps."""
    first, last = F.normalize(start, dim=-1), F.normalize(end, dim=-1)
    away = last - (first @ last) * first
    away = F.normalize(away, dim=-1) * (away.norm() > _SAME)  # between equal directions, only rounding points away
    angle = torch.atan2(last @ away, last @ first)
    directions = (shares * angle).cos() * first + (shares * angle).sin() * away
    return torch.lerp(start.norm(), end.norm(), shares) * directions
