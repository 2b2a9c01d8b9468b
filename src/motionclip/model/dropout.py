"""Dropout that is cheap on a CPU: a fifth of the random numbers and a quarter of the memory of torch's own there.

torch draws one number per element and keeps the drawn factors as floats for the backward pass; with that a tenth of
a training step of the paper's network is dropout. Here one 64-bit number of the same generator decides four elements,
by 16 bits each, and a byte per element is kept.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

_LEVELS = 1 << 16


def dropout(tokens: Tensor, rate: float, training: bool) -> Tensor:
    """Tokens (...) of which a share ``rate``, to 1 in 65,536, is 0 and the others scaled up, while training."""
    if not training or not rate:
        return tokens
    if tokens.device.type != "cpu":
        return F.dropout(tokens, rate)
    dropped: Tensor = _Dropped.apply(tokens, _kept(tokens.shape, rate), 1 / (1 - rate))
    return dropped


def _kept(shape: torch.Size, rate: float) -> Tensor:
    """Which elements stay: (...) int8, 1 or 0."""
    count = math.prod(shape)
    drawn = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    return (drawn.view(torch.int16)[:count] >= round(rate * _LEVELS) - _LEVELS // 2).view(torch.int8).view(shape)


class _Dropped(torch.autograd.Function):
    """The product of tokens, what is kept, and a scale."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, kept: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return _product(tokens, kept, scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return _product(gradient, kept, ctx.scale), None, None


def _product(tokens: Tensor, kept: Tensor, scale: float) -> Tensor:
    # The scale comes last, as a number: as a bfloat16 tensor it would be 0.15 % too small, in every layer.
    return (tokens * kept.to(tokens.dtype)).mul_(scale)
