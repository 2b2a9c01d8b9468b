"""How far a decoded window is from the recorded one. Every mean is over the real frames of all processes' windows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.losses.collective import mean_of


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean (scalar) of values (B, T, ...) over the frames of mask (B, T) and all further axes."""
    weights = mask.reshape(*mask.shape, *[1] * (values.dim() - 2)).expand_as(values)
    return mean_of((values * weights).sum(), weights.sum(), least=1)


def pair_mask(mask: Tensor) -> Tensor:
    """Mask (B, T - 1) of neighbouring frames that are both real."""
    return mask[:, 1:] & mask[:, :-1]


def squared_error(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference (scalar) of (B, T, ...)."""
    return masked_mean((predicted - target).square(), mask)


def velocity_error(predicted: Tensor, target: Tensor, mask: Tensor, fps: float) -> Tensor:
    """Mean squared difference (scalar) of the rates of change of (B, T, ...), per second squared."""
    change = torch.diff(predicted, dim=1) - torch.diff(target, dim=1)
    return masked_mean((change * fps).square(), pair_mask(mask))


def contact_error(logits: Tensor, contacts: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy (scalar) of contact logits (B, T, 4) against contacts (B, T, 4) in {0, 1}."""
    return masked_mean(F.binary_cross_entropy_with_logits(logits, contacts.float(), reduction="none"), mask)


def skate_error(feet: Tensor, contacts: Tensor, mask: Tensor, fps: float) -> Tensor:
    """Mean squared speed (scalar, m^2/s^2) of decoded feet (B, T, 4, 3) while recorded feet stand (B, T, 4)."""
    speed = (torch.diff(feet, dim=1) * fps).square().sum(dim=-1)
    standing = (contacts[:, 1:] & contacts[:, :-1]).to(speed)
    return masked_mean(speed * standing, pair_mask(mask))
