"""Takes that need no model."""

from __future__ import annotations

import torch

from motionclip.body import default_body
from motionclip.motion import CANONICAL, Motion
from motionclip.studio.takes import Take, poses_of


def take(title: str, frames: int = 10) -> Take:
    """A body in its rest pose that glides forward at 3 m/s."""
    rotations = torch.eye(3).expand(frames, CANONICAL.num_joints, 3, 3).clone()
    root = torch.zeros(frames, 3)
    root[:, 1], root[:, 2] = -default_body().sole, torch.arange(frames) * 0.1
    motion = Motion(rotations, root, 30.0, CANONICAL)
    return Take(title, motion, poses_of(default_body().fitted(motion)))
