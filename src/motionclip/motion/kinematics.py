"""Forward kinematics by tree level, differentiable."""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.motion.skeleton import Skeleton


def forward_kinematics(rotations: Tensor, root: Tensor, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
    """World rotations and positions of all joints.

    Args:
        rotations: (..., J, 3, 3) local rotations, relative to the parent.
        root: (..., 3) world position of the root joint, metres.
        skeleton: J joints.

    Returns:
        World rotations (..., J, 3, 3) and world positions (..., J, 3) in metres. Gradients flow
        to both inputs. One batched product per tree level, not one per joint.
    """
    offsets = skeleton.offsets.to(rotations)
    turned, placed = [rotations[..., :1, :, :]], [root[..., None, :]]
    for above, level in zip(skeleton.levels, skeleton.levels[1:], strict=False):
        joints = list(level)
        slots = [above.index(skeleton.parents[joint]) for joint in joints]  # parents are one level up
        # index_select: siblings share a parent, and the gradient of plain indexing adds them up in any order.
        chosen = torch.tensor(slots, device=root.device)
        parent = turned[-1].index_select(-3, chosen)  # (..., L, 3, 3)
        turned.append(parent @ rotations[..., joints, :, :])
        placed.append(placed[-1].index_select(-2, chosen) + (parent @ offsets[joints, :, None])[..., 0])
    by_level = [joint for level in skeleton.levels for joint in level]
    order = sorted(range(skeleton.num_joints), key=by_level.__getitem__)
    return torch.cat(turned, dim=-3)[..., order, :, :], torch.cat(placed, dim=-2)[..., order, :]


def local_rotations(world: Tensor, skeleton: Skeleton) -> Tensor:
    """World rotations (..., J, 3, 3) back to rotations relative to the parent (..., J, 3, 3)."""
    relative = world[..., list(skeleton.parents[1:]), :, :].transpose(-1, -2) @ world[..., 1:, :, :]
    return torch.cat([world[..., :1, :, :], relative], dim=-3)
