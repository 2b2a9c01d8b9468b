"""Retrieval of motions by texts and of texts by motions: ranks, recall, and pools of 32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.errors import MotionClipError

RECALLS = (1, 2, 3, 5, 10)
#: Pairs in a pool of the protocol of Guo et al., CVPR 2022.
POOL = 32

#: How often all sentences are distributed over pools.
_ROUNDS = 20


@dataclass(frozen=True)
class Retrieval:
    """Recall and median rank of the right answers among all candidates.

    Attributes:
        recall: share of queries, in percent, whose right answer is among the first 1, 2, 3, 5 and 10.
        median_rank: median rank of the first right answer; 1 is best.
        candidates: how many answers there were to choose from.
    """

    recall: tuple[float, ...]
    median_rank: float
    candidates: int


def cosines(motions: Tensor, others: Tensor) -> Tensor:
    """Returns the cosines (N, M) of latents (N, D) and latents (M, D), of any norm."""
    return torch.nn.functional.normalize(motions, dim=-1) @ torch.nn.functional.normalize(others, dim=-1).T


def ranks(similarity: Tensor, right: Tensor) -> Tensor:
    """Returns the rank (Q,) of the best right answer to each query; 1 is best.

    Args:
        similarity: (Q, C) higher is nearer.
        right: (Q, C) true where the candidate answers the query; at least one in each row.

    A tie with wrong candidates has the mean of their ranks, such as 1.5 with one, as in TMR's code.

    Raises:
        MotionClipError: if a similarity is not finite.
    """
    if not torch.isfinite(similarity).all():
        raise MotionClipError("similarities contain NaN or infinity; the model or its input is damaged")
    best = similarity.masked_fill(~right, float("-inf")).amax(dim=1, keepdim=True)
    nearer, as_near = (similarity > best).sum(dim=1), ((similarity == best) & ~right).sum(dim=1)
    return 1 + nearer + as_near / 2


def retrieval(similarity: Tensor, right: Tensor) -> Retrieval:
    """Returns the retrieval of candidates by queries; arguments and errors as of :func:`ranks`."""
    return _summary(ranks(similarity, right), similarity.shape[1])


def _summary(rank: Tensor, candidates: int) -> Retrieval:
    recall = tuple(100 * (rank <= k).float().mean().item() for k in RECALLS)
    return Retrieval(recall, rank.double().quantile(0.5).item(), candidates)


def random_hits(right: Tensor, most: int) -> Tensor:
    """Returns the mean chance (most,) over queries of a right candidate among the first k = 1, 2, ... at random.

    Args:
        right: (Q, C) true where the candidate answers the query.
        most: largest k, at most C.
    """
    total, wrong = right.shape[1], (~right).sum(dim=1).double()
    drawn = torch.arange(most, dtype=torch.float64)
    missed = ((wrong[:, None] - drawn).clamp(min=0) / (total - drawn)).cumprod(dim=1)  # (Q, most)
    return 1 - missed.mean(dim=0)


def chance(right: Tensor) -> Retrieval:
    """Returns the expected retrieval of a random order of candidates; ``right`` (Q, C) as for :func:`ranks`."""
    hits = random_hits(right, right.shape[1])
    recall = tuple(100 * hits[min(k, len(hits)) - 1].item() for k in RECALLS)
    return Retrieval(recall, 1.0 + int((hits < 0.5).sum()), right.shape[1])


def accuracy(similarity: Tensor, truth: Tensor) -> float:
    """Returns the share, in percent, of rows of similarity (N, C) with truth (N,) as nearest class; a tie is wrong.

    Raises:
        MotionClipError: if a similarity is not finite.
    """
    right = torch.nn.functional.one_hot(truth, similarity.shape[1]).bool()
    return retrieval(similarity, right).recall[0]


def dissimilar(similarity: Tensor, count: int) -> list[int]:
    """Returns ``count`` of N sentences that are little alike: each next one is least like the ones before it.

    Args:
        similarity: (N, N) of the sentences.
        count: at most N.
    """
    chosen = [int(similarity.sum(dim=1).argmin())]
    nearest = similarity[chosen[0]].clone()
    for _ in range(count - 1):
        nearest[chosen[-1]] = float("inf")
        chosen.append(int(nearest.argmin()))
        nearest = torch.maximum(nearest, similarity[chosen[-1]])
    return chosen


def pools(sentences: Sequence[int], seed: int = 0) -> Tensor:
    """Returns pools (P, 32) of indices into ``sentences``, no sentence twice in a pool; P is 0 for fewer than 32.

    In each of twenty rounds one index of every distinct sentence is drawn, and these are shuffled into pools; those
    that fill no pool are left out of the round.
    """
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(_ROUNDS):
        order = torch.randperm(len(sentences), generator=generator).tolist()
        one_each = list({sentences[index]: index for index in order}.values())
        shuffled = torch.tensor(one_each)[torch.randperm(len(one_each), generator=generator)]
        found.append(shuffled[: len(shuffled) // POOL * POOL].view(-1, POOL))
    return torch.cat(found)


def pooled_retrieval(queries: Tensor, answers: Tensor, pooled: Tensor) -> Retrieval:
    """Returns the retrieval inside pools: means over pools of recall and median rank.

    Args:
        queries: (N, D), one for each answer.
        answers: (N, D).
        pooled: (P, 32) indices of queries and answers, from :func:`pools`.
    """
    own = torch.eye(POOL, dtype=torch.bool)
    found = [retrieval(cosines(queries[pool], answers[pool]), own) for pool in pooled]
    recall = torch.tensor([each.recall for each in found], dtype=torch.float64).mean(dim=0)
    median = sum(each.median_rank for each in found) / len(found)
    return Retrieval(tuple(recall.tolist()), median, POOL)
