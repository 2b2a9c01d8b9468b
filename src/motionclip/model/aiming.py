"""Rotations that put joints where they should be: the bones of a draft, turned to point at given positions.

A chain of drafted rotations adds its errors up from the pelvis to the hands; positions do not add up, but say
nothing of how a bone is turned about itself. Here each bone keeps the turn about itself that was drafted for it,
and takes its direction from the positions, from the root outwards, so that a joint makes good what those above it
got wrong. Bones keep their lengths, everything is differentiable, and nothing is iterated.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.motion import CANONICAL

#: 1 + cos of the widest turn that is made whole, 172 degrees; a bone that points away from its goal is lost anyway.
_LEAST = 0.01


def aim_bones(rotations: Tensor, positions: Tensor) -> Tensor:
    """Local rotations (..., 24, 3, 3) whose joints come as near to positions as the bones allow.

    Args:
        rotations: (..., 24, 3, 3) drafted local rotations of the canonical skeleton.
        positions: (..., 24, 3) where joints should be, metres, the pelvis at the origin.
    """
    local: list[Tensor] = list(rotations.unbind(-3))
    world, placed = list(local), list(positions.unbind(-2))
    placed[0] = torch.zeros_like(placed[0])
    for joint in range(CANONICAL.num_joints):
        above = CANONICAL.parents[joint]
        if above >= 0:
            placed[joint] = placed[above] + _turned(world[above], _offset(joint, positions))
            world[joint] = world[above] @ local[joint]
        world[joint] = _aimed(joint, world[joint], placed[joint], positions)
        local[joint] = world[joint] if above < 0 else world[above].transpose(-1, -2) @ world[joint]
    return torch.stack(local, dim=-3)


def _aimed(joint: int, world: Tensor, place: Tensor, positions: Tensor) -> Tensor:
    """World rotation (..., 3, 3) of a joint, turned so that its children get where they should be."""
    children = CANONICAL.children[joint]
    if not children:
        return world
    if len(children) == 1:
        (child,) = children
        return _swung(world, _turned(world, _offset(child, positions)), positions[..., child, :] - place)
    rest = _frame([_offset(child, positions) for child in children], children)
    return _frame([positions[..., child, :] - place for child in children], children) @ rest.transpose(-1, -2)


def _swung(world: Tensor, bone: Tensor, towards: Tensor) -> Tensor:
    """Rotation (..., 3, 3) turned by the smallest turn that takes a bone (..., 3) to a direction (..., 3).

    Rodrigues' formula without the angle, so that there is a gradient where there is nothing to turn.
    """
    bone, towards = F.normalize(bone, dim=-1), F.normalize(towards, dim=-1)
    axis = torch.linalg.cross(bone, towards)[..., None]
    cosine = (bone * towards).sum(dim=-1)[..., None, None]
    once = torch.linalg.cross(axis.expand_as(world), world, dim=-2)
    twice = torch.linalg.cross(axis.expand_as(world), once, dim=-2)
    return world + once + twice / (1 + cosine).clamp(min=_LEAST)


def _turned(world: Tensor, offset: Tensor) -> Tensor:
    """Offset (3,) turned by rotations (..., 3, 3); a sum of products is faster here than a product of matrices."""
    return (world * offset).sum(dim=-1)


def _frame(towards: list[Tensor], children: tuple[int, ...]) -> Tensor:
    """Rotation (..., 3, 3) with x from the right child to the left one and y near the middle one, seen from between."""
    sides = dict(zip((CANONICAL.names[child].partition("_")[0] for child in children), towards, strict=True))
    left, right = sides.pop("left"), sides.pop("right")
    (middle,) = sides.values()
    x = F.normalize(left - right, dim=-1)
    z = F.normalize(torch.linalg.cross(x, middle - (left + right) / 2), dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)


def _offset(joint: int, like: Tensor) -> Tensor:
    return CANONICAL.offsets[joint].to(like)
