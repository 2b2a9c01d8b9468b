"""Movements for the tests of this folder: smooth, seeded, on any skeleton."""

import torch

from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion import rotations as rot


def smooth_motion(frames: int = 40, seed: int = 0, fps: float = 30.0, skeleton: Skeleton = CANONICAL) -> Motion:
    """A wandering motion whose joints swing by up to about a radian, above the floor."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(frames)[:, None, None] / 30
    phase, amplitude = torch.rand(2, skeleton.num_joints, 3, generator=generator)
    rotvec = (amplitude - 0.5) * torch.sin(4 * time + 6 * phase)
    root = torch.stack([0.3 * time[:, 0, 0], 0.9 + 0.05 * torch.sin(5 * time[:, 0, 0]), 0.8 * time[:, 0, 0]], dim=-1)
    return Motion(rot.rotvec_to_matrix(rotvec), root, fps, skeleton)
