"""Imported by the process from which those that read files are forked: it reads one of each kind.

So they start warm.

Compilers and tables are loaded once there, and shared by all.
"""

from __future__ import annotations

import torch

from motionclip.io import motion_bytes, motion_from_bytes
from motionclip.motion import CANONICAL, Motion


def _read_each_kind() -> None:
    torch.set_num_threads(1)  # a process with more threads cannot be forked
    still = torch.eye(3).repeat(2, CANONICAL.num_joints, 1, 1)
    motion = Motion(still, torch.tensor([[0.0, 0.95, 0.0]]).expand(2, 3), 30.0, CANONICAL)
    for suffix in (".bvh", ".npz", ".glb"):
        motion_from_bytes(motion_bytes(motion, suffix), suffix, "warm-up")


_read_each_kind()
