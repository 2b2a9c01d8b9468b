"""Values that are known at knots, interpolated linearly between them."""

from __future__ import annotations

import torch
from torch import Tensor


def interpolated(at: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Returns values (K, ...) at knots (K,), rising, interpolated at (N,): (N, ...); beyond the ends they stay."""
    if len(knots) == 1:
        return values.expand(len(at), *values.shape[1:])
    after = piece_of(at, knots)
    share = ((at - knots[after - 1]) / (knots[after] - knots[after - 1])).clamp(0, 1)
    return torch.lerp(values[after - 1], values[after], share.view(-1, *[1] * (values.dim() - 1)))


def piece_of(at: Tensor, knots: Tensor) -> Tensor:
    """Returns for each of (N,) the number of the knot that follows it, within the first piece and the last."""
    return torch.searchsorted(knots, at.contiguous()).clamp(1, len(knots) - 1)
