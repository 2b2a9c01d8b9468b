"""Distances and spread of sets of motions, as clouds of evaluator embeddings: FID, diversity, multimodality."""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.errors import MotionClipError


def frechet_distance(one: Tensor, other: Tensor) -> float:
    """Returns the Fréchet distance of two clouds (N, E) and (M, E), each taken as a normal distribution.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) with means m and covariances C (Heusel et al., "GANs Trained by a Two
    Time-Scale Update Rule", NeurIPS 2017). The trace of the root is the sum of the roots of the eigenvalues of
    C1^(1/2) C2 C1^(1/2), which is symmetric.

    Raises:
        MotionClipError: if a cloud has fewer than two points, or is not finite.
    """
    if min(len(one), len(other)) < 2 or not (torch.isfinite(one).all() and torch.isfinite(other).all()):
        raise MotionClipError("a cloud of fewer than two points, or with NaN; expected two or more finite embeddings")
    one, other = one.double(), other.double()
    first, second = one.T.cov(), other.T.cov()
    values, vectors = torch.linalg.eigh(first)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    crossed = torch.linalg.eigvalsh(root @ second @ root).clamp(min=0).sqrt().sum()
    apart = (one.mean(dim=0) - other.mean(dim=0)).square().sum()
    return max((apart + first.trace() + second.trace() - 2 * crossed).item(), 0.0)


def halves_distance(one: Tensor, other: Tensor, rounds: int = 20, seed: int = 0) -> float:
    """Returns the mean Fréchet distance of random halves of ``one`` to the other halves of ``other``, both (N, E).

    With the same cloud twice it is the distance of two samples of one distribution, due to their size alone.
    """
    generator = torch.Generator().manual_seed(seed)
    half, total = len(one) // 2, 0.0
    for _ in range(rounds):
        order = torch.randperm(len(one), generator=generator)
        total += frechet_distance(one[order[:half]], other[order[half : 2 * half]])
    return total / rounds


def diversity(cloud: Tensor) -> float:
    """Returns the mean distance of all pairs of a cloud (N, E).

    Guo et al. (2020 and CVPR 2022) draw 300 pairs at random; the mean over all of them is what that estimates.
    """
    return torch.pdist(cloud.double()).mean().item()


def multimodality(clouds: Tensor) -> float:
    """Returns the mean distance of pairs of motions of a sentence over S sentences: clouds (S, K, E), K at least 2."""
    return sum(diversity(cloud) for cloud in clouds) / len(clouds)
