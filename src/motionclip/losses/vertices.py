"""The vertex loss in closed form: no vertex is ever made.

Linear blend skinning is v_i = G f_i with G = [G_1 ... G_J] (3 x 4J), the joints' world transforms
relative to rest, and f_i = w_i (x) [rest_i; 1]. So the mean of |v_i - v'_i|^2 over vertices is
tr(dG M dG^T) with the fixed M = mean_i f_i f_i^T (4J x 4J). M is factored once, M = L L^T; a
frame then costs one 3 x 4J by 4J x 4J product. SMPL's pose blend shapes are not in it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.body import Body


def moment_factor(body: Body) -> Tensor:
    """L (4J, r) with L L^T = mean_i f_i f_i^T of a body's rest vertices and weights; r is the rank."""
    features = body.features.double()  # (V, 4J)
    moment = features.T @ features / len(features)
    values, vectors = torch.linalg.eigh(moment)
    kept = values > values.max() * 1e-12
    return (vectors[:, kept] * values[kept].sqrt()).float()


def vertex_error(difference: Tensor, factor: Tensor) -> Tensor:
    """Mean squared vertex distance (...,) in m^2 from differences of G (..., 3, 4J) and L (4J, r)."""
    return (difference @ factor).square().sum(dim=(-2, -1))
