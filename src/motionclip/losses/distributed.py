"""Losses of a batch that is spread over the processes of a job.

Each process holds its share of the batch. What is computed here has, on every process, the *value* of the
whole batch, and the *gradient* of the process's own share: dL/dw is the sum over processes of what each of
them finds, for L depends on the weights through every share. So the losses read as those of one process,
what is logged is global by itself, the backward pass needs no communication of its own, and the gradients
of the processes are summed (not averaged) once, after it. Without a process group nothing is exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor
from torch import distributed as dist

from motionclip.errors import ProcessError


def process_count() -> int:
    """Processes that share a batch; 1 without a process group."""
    return dist.get_world_size() if dist.is_initialized() else 1


def summed(value: Tensor) -> Tensor:
    """The sum of a tensor over processes, of the same shape on each."""
    return value if process_count() == 1 else cast(Tensor, _Sum.apply(value))


def gathered(rows: Tensor) -> Tensor:
    """The rows (n B, ...) of all n processes in order, from (B, ...) on each."""
    return rows if process_count() == 1 else cast(Tensor, _Gather.apply(rows))


def mean_of(total: Tensor, weight: Tensor, least: float) -> Tensor:
    """The quotient (scalar) of two sums (scalars) over all processes; the weight counts as at least ``least``."""
    total, weight = summed(torch.stack([total, weight.to(total)])).unbind()
    return total / weight.clamp(min=least)


@contextmanager
def exchanging() -> Iterator[None]:
    """Around every exchange between processes.

    Raises:
        ProcessError: if another process is gone or does not answer.
    """
    try:
        yield
    except RuntimeError as error:
        raise ProcessError(str(error).strip().split("\n")[0]) from error


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        with exchanging():
            dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.own = slice(dist.get_rank() * len(rows), (dist.get_rank() + 1) * len(rows))
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(process_count())]
        with exchanging():
            dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient[ctx.own]
