"""Rotations that put joints where they should be: the bones of a draft, turned to point at given positions.

A chain of drafted rotations adds its errors up from the pelvis to the hands; positions do not add up, but say
nothing of how a bone is turned about itself. Here each bone keeps the turn about itself that was drafted for it,
and takes its direction from the positions, from the root outwards, so that a joint makes good what those above it
got wrong. Bones keep their lengths, everything is differentiable, and nothing is iterated.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.motion import CANONICAL, local_rotations

#: 1 + cos of the widest turn that is made whole, 172 degrees; a bone that points away from its goal is lost anyway.
_LEAST = 0.01


def aim_bones(rotations: Tensor, positions: Tensor) -> Tensor:
    """Local rotations (..., 24, 3, 3) whose joints come as near to positions as the bones allow.

    Args:
        rotations: (..., 24, 3, 3) drafted local rotations of the canonical skeleton.
        positions: (..., 24, 3) where joints should be, metres, the pelvis at the origin.
    """
    place = torch.zeros_like(positions[..., :1, :])
    turned = [_aimed(CANONICAL.levels[0], rotations[..., :1, :, :], place, positions)]
    for above, level in itertools.pairwise(CANONICAL.levels):
        joints = list(level)
        slots = torch.tensor([above.index(CANONICAL.parents[joint]) for joint in joints], device=positions.device)
        parent = turned[-1].index_select(-3, slots)
        place = place.index_select(-2, slots) + _turned(parent, _offsets(joints, positions))
        turned.append(_aimed(level, parent @ rotations[..., joints, :, :], place, positions))
    by_level = [joint for level in CANONICAL.levels for joint in level]
    order = sorted(range(CANONICAL.num_joints), key=by_level.__getitem__)
    return local_rotations(torch.cat(turned, dim=-3)[..., order, :, :], CANONICAL)


def _aimed(level: tuple[int, ...], world: Tensor, place: Tensor, positions: Tensor) -> Tensor:
    """World rotations (..., L, 3, 3) of the joints of a level at places (..., L, 3), turned towards their children."""
    aimed = list(world.unbind(-3))
    chains = [slot for slot, joint in enumerate(level) if len(CANONICAL.children[joint]) == 1]
    if chains:
        after = [CANONICAL.children[level[slot]][0] for slot in chains]
        bones, drafted = positions[..., after, :] - place[..., chains, :], world[..., chains, :, :]
        swung = _swung(drafted, _turned(drafted, _offsets(after, positions)), bones)
        for slot, rotation in zip(chains, swung.unbind(-3), strict=True):
            aimed[slot] = rotation
    for slot, joint in enumerate(level):
        if len(children := CANONICAL.children[joint]) > 1:
            rest = _frame(_offsets(list(children), positions), children)
            goal = _frame(positions[..., list(children), :] - place[..., slot : slot + 1, :], children)
            aimed[slot] = goal @ rest.transpose(-1, -2)
    return torch.stack(aimed, dim=-3)


def _swung(world: Tensor, bone: Tensor, towards: Tensor) -> Tensor:
    """Rotations (..., 3, 3) turned by the smallest turns that take bones (..., 3) to directions (..., 3).

    Rodrigues' formula without the angle, so that there is a gradient where there is nothing to turn.
    """
    bone, towards = F.normalize(bone, dim=-1), F.normalize(towards, dim=-1)
    axis = torch.linalg.cross(bone, towards)[..., None]
    cosine = (bone * towards).sum(dim=-1)[..., None, None]
    once = torch.linalg.cross(axis.expand_as(world), world, dim=-2)
    twice = torch.linalg.cross(axis.expand_as(world), once, dim=-2)
    return world + once + twice / (1 + cosine).clamp(min=_LEAST)


def _turned(world: Tensor, offsets: Tensor) -> Tensor:
    """Offsets (L, 3) turned by rotations (..., L, 3, 3); sums of products are faster here than products of matrices."""
    return (world * offsets[:, None]).sum(dim=-1)


def _frame(towards: Tensor, children: tuple[int, ...]) -> Tensor:
    """Rotation (..., 3, 3) with x from the right child to the left one and y near the middle one, seen from between.

    Args:
        towards: (..., 3, 3) the places of the three children, one in a row.
        children: the joints that they are.
    """
    sides = {CANONICAL.names[child].partition("_")[0]: row for row, child in enumerate(children)}
    left, right = towards[..., sides.pop("left"), :], towards[..., sides.pop("right"), :]
    (middle,) = sides.values()
    x = F.normalize(left - right, dim=-1)
    z = F.normalize(torch.linalg.cross(x, towards[..., middle, :] - (left + right) / 2), dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)


def _offsets(joints: list[int], like: Tensor) -> Tensor:
    return CANONICAL.offsets[joints].to(like)
