"""Scores on a plane, latents on the unit sphere: the gnomonic projection and its inverse.

Words and motions are compared by angle, so a latent is a direction; merely normalising scores
would throw their length away, and with it a third of what tells one pose from another. Instead
the D - 1 scores lie in the plane that touches the sphere's pole, and a point of the plane is seen
from the centre: nothing is lost, and every point of the upper half of the sphere is a motion.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: Distance of the plane from the centre, in standard deviations of a score times sqrt(D).
_DISTANCE = 0.5
#: Directions lower than this above the equator are taken as this high.
_LOWEST = 0.1


def to_sphere(scores: Tensor) -> Tensor:
    """Scores (..., D - 1) of about unit variance to unit latents (..., D)."""
    pole = scores.new_full((*scores.shape[:-1], 1), _DISTANCE * (scores.shape[-1] + 1) ** 0.5)
    return F.normalize(torch.cat([scores, pole], dim=-1), dim=-1)


def from_sphere(latent: Tensor) -> Tensor:
    """Unit latents (..., D) to scores (..., D - 1), the inverse of :func:`to_sphere`."""
    height = latent[..., -1:].clamp(min=_LOWEST)
    return latent[..., :-1] / height * (_DISTANCE * latent.shape[-1] ** 0.5)
