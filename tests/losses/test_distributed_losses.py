"""Losses of shares of a batch, in two threads that exchange as processes do: the values and gradients of the whole."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from motionclip.losses import distributed
from motionclip.losses.alignment import ContrastConfig, TextTargets, contrastive_loss, cosine_loss
from motionclip.losses.reconstruction import squared_error

SIZE, ROWS = 2, 3


@pytest.fixture
def in_shares(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[slice], Tensor]], list[Tensor]]:
    """Calls a function with the rows of each process, in a thread each; returns what they return."""
    own, barrier, board = threading.local(), threading.Barrier(SIZE, timeout=120), [torch.empty(0)] * SIZE

    def exchanged(value: Tensor) -> list[Tensor]:
        board[own.rank] = value.detach().clone()
        barrier.wait()
        found = list(board)
        barrier.wait()
        return found

    def all_gather(parts: list[Tensor], value: Tensor) -> None:
        for part, other in zip(parts, exchanged(value), strict=True):
            part.copy_(other)

    group = SimpleNamespace(
        is_initialized=lambda: True,
        get_world_size=lambda: SIZE,
        get_rank=lambda: own.rank,
        all_reduce=lambda value: value.copy_(torch.stack(exchanged(value)).sum(0)),
        all_gather=all_gather,
    )

    def run(function: Callable[[slice], Tensor]) -> list[Tensor]:
        def process(rank: int) -> Tensor:
            own.rank = rank
            return function(slice(rank * ROWS, (rank + 1) * ROWS))

        with monkeypatch.context() as patch, ThreadPoolExecutor(SIZE) as pool:
            patch.setattr(distributed, "dist", group)
            return list(pool.map(process, range(SIZE)))

    return run


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


MASK = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1]]).bool()
WEIGHT = torch.tensor([1.0, 0, 1, 1, 1, 0])
LABEL = torch.tensor([2, -1, -1, 2, -1, -1])
FRAMES, EMBEDDING, TEXT = drawn(6, 4, 5, seed=0), drawn(6, 7, seed=1), drawn(6, 5, seed=2)


def reconstruction(predicted: Tensor, rows: slice) -> Tensor:
    return squared_error(predicted, FRAMES[rows], MASK[rows])


def cosine(predicted: Tensor, rows: slice) -> Tensor:
    return cosine_loss(predicted.mean(1), TEXT[rows], WEIGHT[rows])


def contrast(predicted: Tensor, rows: slice) -> Tensor:
    targets = TextTargets(EMBEDDING[rows], LABEL[rows], WEIGHT[rows])
    return contrastive_loss(predicted.mean(1), TEXT[rows], targets, ContrastConfig())


@pytest.mark.parametrize("loss", [reconstruction, cosine, contrast])
def test_shares_have_the_value_and_the_gradient_of_the_whole(
    loss: Callable[[Tensor, slice], Tensor], in_shares: Callable[[Callable[[slice], Tensor]], list[Tensor]]
) -> None:
    shift = torch.ones(5, dtype=torch.float64)  # the weights: every process has them

    def value_and_gradient(rows: slice) -> Tensor:
        weights = shift.clone().requires_grad_()
        value = loss(drawn(6, 4, 5, seed=3)[rows] * weights, rows)
        value.backward()
        assert weights.grad is not None
        return torch.cat([value.detach()[None], weights.grad])

    whole = value_and_gradient(slice(None))
    shares = in_shares(value_and_gradient)
    assert whole[1:].abs().max() > 0
    for share in shares:
        torch.testing.assert_close(share[0], whole[0])
    torch.testing.assert_close(sum(share[1:] for share in shares), whole[1:])
