"""Physical plausibility: foot skate, floor penetration, jitter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.motion import Motion
from motionclip.motion.contacts import CONTACT_INDICES, foot_contacts
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

#: Height in metres above that of standing below which a foot joint counts as on the floor.
_LOW = 0.025


@dataclass(frozen=True)
class Physics:
    """Means over the frames of all motions.

    Attributes:
        skate_cm_s: horizontal speed of feet on the floor.
        penetration_cm: depth of the lowest foot joint below its standing height.
        jitter_m_s3: size of the jerk of the joints.
    """

    skate_cm_s: float
    penetration_cm: float
    jitter_m_s3: float


def physics(motions: Sequence[Motion]) -> Physics:
    """Returns the figures of motions on the canonical skeleton, each frame of all of them counting alike.

    Skate is 0 where no foot is ever on the floor, jitter where no motion has four frames.
    """
    speeds = torch.cat([_floor_speeds_of(motion) for motion in motions])
    depths = torch.cat([depths_below(_feet(motion) - _standing()) for motion in motions])
    jerks = torch.cat([jerk(motion.positions, motion.fps).flatten() for motion in motions])
    return Physics(*(values.mean().nan_to_num().item() for values in (speeds, depths, jerks)))


def skate(motions: Sequence[Motion]) -> float:
    """Returns the mean foot skate over all motions, cm/s."""
    return torch.cat([_floor_speeds_of(motion) for motion in motions]).mean().nan_to_num().item()


def skate_of(positions: Tensor, fps: float) -> Tensor:
    """Returns the foot skate (...), m/s, of each of several motions by joint positions (..., T, 24, 3), metres."""
    feet = positions[..., CONTACT_INDICES, :]
    low = feet[..., 1] < feet.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2) + _LOW
    speed = torch.linalg.vector_norm(torch.diff(feet[..., [0, 2]], dim=-3), dim=-1) * fps
    planted = (low[..., 1:, :] & low[..., :-1, :]).to(speed)
    return (speed * planted).sum(dim=(-1, -2)) / planted.sum(dim=(-1, -2)).clamp(min=1)


def floor_speeds(feet: Tensor, low: Tensor, fps: float) -> Tensor:
    """Returns the horizontal speeds (N,), cm/s, of feet (T, F, 3), metres, where low (T, F) in two successive frames.

    Their mean is the foot skate. Contact goes by height alone: a rule with speed would miss the feet that slide
    fastest.
    """
    speed = torch.linalg.vector_norm(torch.diff(feet[..., [0, 2]], dim=0), dim=-1) * fps * 100
    return speed[low[1:] & low[:-1]]


def depths_below(feet: Tensor) -> Tensor:
    """Returns the depth (T,), cm, of the lowest of points (T, F, 3), metres, below the floor y = 0."""
    return (-feet[..., 1].amin(dim=1)).clamp(min=0) * 100


def jerk(positions: Tensor, fps: float) -> Tensor:
    """Returns the size (T - 3, J), m/s^3, of the third derivative of joint positions (T, J, 3); (0, J) for T < 4.

    The jitter of Yi et al., "Physical Inertial Poser", CVPR 2022, there in hundreds.
    """
    return torch.linalg.vector_norm(torch.diff(positions, n=3, dim=0), dim=-1) * fps**3


def _floor_speeds_of(motion: Motion) -> Tensor:
    low = foot_contacts(motion.positions, motion.fps, clearance=_LOW, speed=float("inf"))
    return floor_speeds(_feet(motion), low, motion.fps)


def _feet(motion: Motion) -> Tensor:
    return motion.positions[:, CONTACT_INDICES]


def _standing() -> Tensor:
    """Returns the heights of the foot joints in standing, as (4, 3) points over the origin."""
    return torch.tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2)[:, None] * torch.tensor([0.0, 1.0, 0.0])
