"""Where a body's mass is, and how it falls."""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.motion.skeleton import CANONICAL

#: Acceleration of free fall, m/s^2.
GRAVITY = 9.81
#: Share of the body's mass at each joint: the segments of Winter, "Biomechanics and Motor Control of Human Movement",
#: 4th ed., table 4.1, each divided between its two ends by where its own centre lies.
_SHARES = {
    "pelvis": 0.142, "spine2": 0.139, "spine3": 0.216, "head": 0.081,
    "hip": 0.0567, "knee": 0.0697, "ankle": 0.0274, "foot": 0.0072,
    "shoulder": 0.0158, "elbow": 0.0213, "wrist": 0.0069, "hand": 0.006,
}  # fmt: skip
_MASS = torch.tensor([_SHARES.get(name.removeprefix("left_").removeprefix("right_"), 0.0) for name in CANONICAL.names])


def centre_of_mass(positions: Tensor) -> Tensor:
    """Returns the centre of mass (..., 3), metres, of joint positions (..., 24, 3) of the canonical skeleton."""
    return (positions * _MASS.to(positions)[:, None]).sum(dim=-2) / _MASS.sum().item()
