"""Corrections over time: known at some frames and spread smoothly over those around them, or averaged."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.applications.transitions import smootherstep


def spread(values: Tensor, knots: Sequence[int], frames: int, reach: int) -> Tensor:
    """Returns a correction (T, ...) that has its values (K, ...) at K frames and fades to 0 within ``reach`` of them.

    Between two knots that are nearer than twice the reach it goes from one value to the other. Each way is a quintic
    with neither speed nor acceleration at its ends.

    Args:
        values: (K, ...) of the knots.
        knots: their frames, rising.
        frames: T.
        reach: frames.
    """
    result = values.new_zeros(frames, *values.shape[1:])
    nothing = torch.zeros_like(values[0])
    ways: list[tuple[int, int, Tensor, Tensor]] = [(knots[0] - reach, knots[0], nothing, values[0])]
    for (first, last), (before, after) in zip(itertools.pairwise(knots), itertools.pairwise(values), strict=True):
        if last - first <= 2 * reach:
            ways.append((first, last, before, after))
        else:
            ways += [(first, first + reach, before, nothing), (last - reach, last, nothing, after)]
    ways.append((knots[-1], knots[-1] + reach, values[-1], nothing))
    for first, last, before, after in ways:
        shown = torch.arange(max(first, 0), min(last, frames - 1) + 1)
        share = ((shown - first) / max(last - first, 1)).to(values).view(-1, *[1] * before.dim())
        result[shown] = torch.lerp(before, after, smootherstep(share))
    return result


def smoothed(values: Tensor, deviation: float) -> Tensor:
    """Returns values (T, C) averaged by a Gaussian of a standard deviation in frames.

    Beyond an end they go on as their point reflection in it, so that ends stay, and so does a constant rate.
    """
    width = min(round(3 * deviation), len(values) - 1)
    kernel = torch.exp(-((torch.arange(-width, width + 1) / deviation) ** 2) / 2).to(values)
    before, after = values[1 : width + 1].flip(0), values[-width - 1 : -1].flip(0)
    extended = torch.cat([2 * values[:1] - before, values, 2 * values[-1:] - after])
    return F.conv1d(extended.T[:, None], (kernel / kernel.sum())[None, None])[:, 0].T
