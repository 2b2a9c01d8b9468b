"""Rotations that put joints where they should be: the bones of a draft, turned to point at given positions.

A chain of drafted rotations adds its errors up from the pelvis to the hands; positions do not add up, but say
nothing of how a bone is turned about itself. Here each bone keeps the turn about itself that was drafted for it,
and takes its direction from the positions, from the root outwards, so that a joint makes good what those above it
got wrong. Bones keep their lengths, everything is differentiable, and nothing is iterated.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

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
    place = torch.zeros_like(positions[..., :1, :])
    world = _fork(0, place, positions)
    aimed = [_of(_LEAVES, rotations, -3), world]
    for level in _LEVELS:
        parent = _of(level.above, world, -3)
        place = _of(level.above, place, -2) + _turned(parent, level.offsets.to(place))
        chains = slice(0, len(level.chains))
        above = parent[..., chains, :, :]
        towards = _turned(above.mT, _of(level.children, positions, -2) - place[..., chains, :])
        swung = _swung(_of(level.chains, rotations, -3), level.bones.to(place), F.normalize(towards, dim=-1))
        aimed.append(swung)
        world = above @ swung
        for slot, joint in enumerate(level.forks, start=chains.stop):
            turned = _fork(joint, place[..., slot : slot + 1, :], positions)
            aimed.append(parent[..., slot : slot + 1, :, :].mT @ turned)
            world = torch.cat([world, turned], dim=-3)
    return _of(_ORDER, torch.cat(aimed, dim=-3), -3)


def _swung(rotations: Tensor, bones: Tensor, towards: Tensor) -> Tensor:
    """Rotations (..., C, 3, 3) turned by the smallest turns that take their bones (C, 3) to directions (..., C, 3).

    Bones and directions are of unit length, seen from the joint and from the one above it. The turn is that of two
    reflections, multiplied out: no angle, so that there is a gradient where there is nothing to turn, and sums of small
    terms, so that it is exact there.
    """
    drafted, back = _turned(rotations, bones), _turned(rotations.mT, towards)
    middle = bones + back
    share = middle / (middle.square().sum(dim=-1, keepdim=True) / 2).clamp(min=_LEAST)
    return rotations + _outer(towards - drafted, bones) + _outer(towards + drafted, bones - share)


def _turned(rotations: Tensor, vectors: Tensor) -> Tensor:
    """Vectors (..., 3) turned by rotations (..., 3, 3); sums of products are faster here than products of matrices."""
    return (rotations * vectors[..., None, :]).sum(dim=-1)


def _outer(left: Tensor, right: Tensor) -> Tensor:
    return left[..., :, None] * right[..., None, :]


def _fork(joint: int, place: Tensor, positions: Tensor) -> Tensor:
    """World rotation (..., 1, 3, 3) of a joint at a place (..., 1, 3) that is turned towards its three children."""
    children = list(CANONICAL.children[joint])
    goal = _frame(positions[..., children, :] - place, joint)
    return (goal @ _REST[joint].to(goal))[..., None, :, :]


def _frame(towards: Tensor, joint: int) -> Tensor:
    """Rotation (..., 3, 3) with x from the right child to the left one and y near the middle one, seen from between.

    Args:
        towards: (..., 3, 3) the places of the joint's three children, one in a row.
        joint: the joint.
    """
    names = [CANONICAL.names[child].partition("_")[0] for child in CANONICAL.children[joint]]
    sides = {name: row for row, name in enumerate(names)}
    left, right = towards[..., sides.pop("left"), :], towards[..., sides.pop("right"), :]
    (middle,) = sides.values()
    x = F.normalize(left - right, dim=-1)
    z = F.normalize(torch.linalg.cross(x, towards[..., middle, :] - (left + right) / 2), dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)


def _of(joints: Tensor, values: Tensor, dim: int) -> Tensor:
    """Those joints of values; faster than a list in brackets, of which a tensor is made each time."""
    return values.index_select(dim, joints.to(values.device))


@dataclass(frozen=True)
class _Level:
    """Joints of one depth in the tree that have children.

    Attributes:
        above: (C + F,) where among those of the level above the parent of each is.
        offsets: (C + F, 3) of each from its parent, metres.
        chains: (C,) joints with one child.
        children: (C,) those.
        bones: (C, 3) unit directions to them.
        forks: the F joints with three children, which come behind the others.
    """

    above: Tensor
    offsets: Tensor
    chains: Tensor
    children: Tensor
    bones: Tensor
    forks: tuple[int, ...]


def _inner(level: tuple[int, ...]) -> list[int]:
    """Joints of a level that have children, those with one before those with three."""
    return sorted((joint for joint in level if CANONICAL.children[joint]), key=lambda j: len(CANONICAL.children[j]))


def _level(above: list[int], joints: list[int]) -> _Level:
    chains = [joint for joint in joints if len(CANONICAL.children[joint]) == 1]
    children = [CANONICAL.children[joint][0] for joint in chains]
    return _Level(
        torch.tensor([above.index(CANONICAL.parents[joint]) for joint in joints]),
        CANONICAL.offsets[joints],
        torch.tensor(chains),
        torch.tensor(children),
        F.normalize(CANONICAL.offsets[children], dim=-1),
        tuple(joints[len(chains) :]),
    )


_INNER = [inner for inner in map(_inner, CANONICAL.levels) if inner]
_LEVELS = tuple(_level(above, joints) for above, joints in itertools.pairwise(_INNER))
#: Of each joint with three children, the frame at rest, transposed.
_REST = {
    joint: _frame(CANONICAL.offsets[list(children)], joint).mT
    for joint, children in enumerate(CANONICAL.children)
    if len(children) == 3
}
_LEAVES = torch.tensor([joint for joint, children in enumerate(CANONICAL.children) if not children])
#: Where each joint is behind the leaves and the levels.
_ORDER = torch.argsort(torch.tensor([*_LEAVES.tolist(), *itertools.chain(*_INNER)]))
