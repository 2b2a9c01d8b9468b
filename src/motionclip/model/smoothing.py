"""A low-pass filter over frames: what a transformer adds to a smooth draft shivers, and bodies do not."""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.model.linear import take

#: Binomial weights: a standard deviation of one frame, and nothing left of what changes its sign at every frame.
_WEIGHTS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def smoothed(values: Tensor, lengths: Tensor) -> Tensor:
    """Values (B, T, C), each frame mixed with its neighbours among the first lengths (B,) frames.

    Beyond an end, values go on as their point reflection in it, so that the ends stay and a steady change is kept.
    """
    reach = len(_WEIGHTS) // 2
    frame = torch.arange(-reach, values.shape[1] + reach, device=values.device)
    inside = torch.minimum(frame.clamp(min=0), lengths[:, None] - 1)
    mirrored = torch.minimum((2 * inside - frame).clamp(min=0), lengths[:, None] - 1)
    longer = 2 * take(values, inside) - take(values, mirrored)
    # not torch's unfold: of that, the ONNX exporter makes something else
    shifted = [weight * longer.narrow(1, at, values.shape[1]) for at, weight in enumerate(_WEIGHTS)]
    return torch.stack(shifted).sum(dim=0)
