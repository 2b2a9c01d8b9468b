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
        to both inputs. One batched product per tree level, not one per joint, and one for all places.
    """
    by_level = [joint for level in skeleton.levels for joint in level]
    ordered = _ordered(rotations, by_level)
    turned, done = [ordered[..., :1, :, :]], 1
    for slots in skeleton.parent_slots:
        # index_select: siblings share a parent, and the gradient of plain indexing adds them up in any order.
        parents = turned[-1].index_select(-3, slots.to(root.device))
        turned.append(parents @ ordered.narrow(-3, done, len(slots)))
        done += len(slots)
    world = _ordered(torch.cat(turned, dim=-3), sorted(range(len(by_level)), key=by_level.__getitem__))
    above = torch.tensor([max(parent, 0) for parent in skeleton.parents], device=root.device)
    bones = world.index_select(-3, above) @ skeleton.offsets.to(rotations)[..., None]
    return world, skeleton.ancestry.to(rotations) @ bones[..., 0] + root[..., None, :]


def _ordered(rotations: Tensor, joints: list[int]) -> Tensor:
    """Rotations (..., J, 3, 3) of joints in another order; not copied if they are in it."""
    return rotations if joints == sorted(joints) else rotations[..., joints, :, :]


def local_rotations(world: Tensor, skeleton: Skeleton) -> Tensor:
    """World rotations (..., J, 3, 3) back to rotations relative to the parent (..., J, 3, 3)."""
    relative = world[..., list(skeleton.parents[1:]), :, :].transpose(-1, -2) @ world[..., 1:, :, :]
    return torch.cat([world[..., :1, :, :], relative], dim=-3)
