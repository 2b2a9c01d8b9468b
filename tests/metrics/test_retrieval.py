"""Retrieval and its protocols against cases whose answers are known."""

import pytest
import torch

from motionclip.errors import MotionClipError
from motionclip.metrics.retrieval import (
    POOL,
    accuracy,
    chance,
    cosines,
    dissimilar,
    pooled_retrieval,
    pools,
    random_hits,
    ranks,
    retrieval,
)


def test_ranks_and_shared_places() -> None:
    similarity = torch.tensor([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.3, 0.3, 0.3]])
    right = torch.eye(3, dtype=torch.bool)
    assert ranks(similarity, right).tolist() == [1, 2, 2]  # the last shares places 1 to 3
    found = retrieval(similarity, right)
    assert found.recall == pytest.approx((100 / 3, 100, 100, 100, 100)) and found.median_rank == 2
    assert retrieval(similarity, torch.ones(3, 3, dtype=torch.bool)).recall[0] == 100
    assert accuracy(similarity, torch.tensor([0, 0, 0])) == pytest.approx(200 / 3)
    with pytest.raises(MotionClipError, match="NaN"):
        retrieval(similarity * float("nan"), right)


def test_a_model_that_says_the_same_of_all_is_not_right() -> None:
    found = retrieval(torch.zeros(40, 40), torch.eye(40, dtype=torch.bool))
    assert found.recall == (0, 0, 0, 0, 0) and found.median_rank == 20.5


def test_chance_is_what_random_orders_give() -> None:
    generator = torch.Generator().manual_seed(0)
    right = torch.rand(50, 30, generator=generator) < 0.1
    right[:, 0] |= ~right.any(dim=1)
    drawn = [retrieval(torch.rand(50, 30, generator=generator), right) for _ in range(300)]
    expected = chance(right)
    for place, value in enumerate(expected.recall):
        assert value == pytest.approx(sum(each.recall[place] for each in drawn) / len(drawn), abs=1.0)
    assert expected.median_rank == pytest.approx(sum(each.median_rank for each in drawn) / len(drawn), abs=1.0)
    assert random_hits(torch.eye(4, dtype=torch.bool), 4).tolist() == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_dissimilar_sentences_leave_near_ones_out() -> None:
    directions = torch.tensor([[1.0, 0.0], [0.99, 0.1], [0.0, 1.0], [0.1, 0.99], [-1.0, 0.0]])
    chosen = dissimilar(cosines(directions, directions), 3)
    assert len(set(chosen)) == 3 and 4 in chosen
    assert len({0, 1} & set(chosen)) == 1 and len({2, 3} & set(chosen)) == 1


def test_no_sentence_is_twice_in_a_pool() -> None:
    sentences = [place % 70 for place in range(385)]
    dealt = pools(sentences)
    assert dealt.shape[1] == POOL and len(dealt) == 40
    assert all(len({sentences[place] for place in pool}) == POOL for pool in dealt.tolist())
    assert len(set(dealt.flatten().tolist())) > 300  # over all deals nearly every clip has its turn
    assert torch.equal(dealt, pools(sentences)) and not torch.equal(dealt, pools(sentences, seed=1))
    assert len(pools([0, 1, 2] * 40)) == 0


def test_pooled_retrieval_is_the_mean_over_pools() -> None:
    queries = torch.eye(64)
    answers = queries.clone()
    answers[32:] = queries[32:].flip(0)  # the second pool answers the wrong way round: nothing is right
    found = pooled_retrieval(queries, answers, torch.arange(64).view(2, POOL))
    assert found.recall[0] == 50 and found.candidates == POOL
