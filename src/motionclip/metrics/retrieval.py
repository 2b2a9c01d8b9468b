"""How well motions and sentences find each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.errors import MotionClipError

RECALLS = (1, 5, 10)


@dataclass(frozen=True)
class Retrieval:
    """Ranks of the right answers among all candidates.

    Attributes:
        recall: share of queries, in percent, whose right answer is among the first 1, 5 and 10.
        median_rank: median rank of the first right answer; 1 is best.
        candidates: how many answers there were to choose from.
    """

    recall: tuple[float, ...]
    median_rank: float
    candidates: int


def cosines(motions: Tensor, others: Tensor) -> Tensor:
    """Cosines (N, M) of latents (N, D) and latents (M, D), of any norm."""
    return torch.nn.functional.normalize(motions, dim=-1) @ torch.nn.functional.normalize(others, dim=-1).T


def retrieval(similarity: Tensor, right: Tensor) -> Retrieval:
    """Retrieval of candidates by queries.

    Args:
        similarity: (Q, C) higher is nearer.
        right: (Q, C) true where the candidate answers the query; at least one in each row.

    A tie counts against the query: candidates as near as the right answer rank before it.

    Raises:
        MotionClipError: if a similarity is not finite.
    """
    if not torch.isfinite(similarity).all():
        raise MotionClipError("similarities contain NaN or infinity; the model or its input is damaged")
    best = similarity.masked_fill(~right, float("-inf")).amax(dim=1, keepdim=True)
    rank = ((similarity >= best) & ~right).sum(dim=1) + 1
    recall = tuple(100 * (rank <= k).float().mean().item() for k in RECALLS)
    return Retrieval(recall, rank.double().quantile(0.5).item(), similarity.shape[1])


def accuracy(similarity: Tensor, truth: Tensor) -> float:
    """Share, in percent, of rows of similarity (N, C) whose nearest class is truth (N,); a tie is wrong.

    Raises:
        MotionClipError: if a similarity is not finite.
    """
    right = torch.nn.functional.one_hot(truth, similarity.shape[1]).bool()
    return retrieval(similarity, right).recall[0]
