"""Inverse kinematics of the whole body: joints brought to places by damped least squares.

Each step solves for the smallest turns of the joints above, weighted by how stiff they are, that move the effectors by
what is missing (Buss, "Introduction to inverse kinematics with Jacobian transpose, pseudoinverse and damped least
squares methods", 2004). Elbows and knees turn about their hinges only.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.motion import CANONICAL, forward_kinematics
from motionclip.motion import rotations as rot

_STEPS = 10
#: Damping: a share of the square error (Levenberg-Marquardt), so that what is out of reach is not torn at, and a least.
_DAMPING, _LEAST_DAMPING = 0.03, 1e-6
#: Radians that a joint turns in a step, at most: beyond, the step is no longer linear.
_MOST = 0.35
#: How little joints like to turn, by the last word of their names; the root's shift is in metres.
_STIFFNESS = {"collar": 8.0, "shoulder": 1.0, "elbow": 1.0, "wrist": 6.0, "hip": 1.0, "knee": 1.0, "ankle": 20.0}
_TRUNK_STIFFNESS, _ROOT_STIFFNESS = 6.0, 20.0
_HINGES = {"elbow": 1, "knee": 0}  # column of the rotation of the joint above that is the hinge of a straight limb
#: Square metres, twice the area between two bones, below which their plane says little about the hinge.
_STRAIGHT = 0.005


@dataclass(frozen=True, eq=False)
class Pointing:
    """A joint and the direction in which it is to point.

    Attributes:
        joint: of the canonical skeleton.
        axis: (3,) of the joint, that points.
        wanted: (3,) in the world, of unit length.
        arms: (F,) metres ahead of the joint of the point whose distance counts; 0 where the joint is free.
    """

    joint: int
    axis: Tensor
    wanted: Tensor
    arms: Tensor


@dataclass(frozen=True, eq=False)
class Effectors:
    """Joints and where they are to be.

    Attributes:
        joints: E joints of the canonical skeleton.
        places: (F, E, 3) metres.
        weights: (F, E) 1 where a joint is to be there, 0 where it is free.
        pointing: joints that are to point somewhere.
    """

    joints: list[int]
    places: Tensor
    weights: Tensor
    pointing: tuple[Pointing, ...] = ()


def _turning(effectors: Effectors) -> list[int]:
    """Returns the joints that turn: all above those that are to move but the pelvis, which is only shifted."""
    lowest = [CANONICAL.parents[joint] for joint in effectors.joints] + [each.joint for each in effectors.pointing]
    above = CANONICAL.ancestry.bool()
    return [joint for joint in range(1, CANONICAL.num_joints) if any(above[end, joint] for end in lowest if end >= 0)]


def reach(rotations: Tensor, root: Tensor, effectors: Effectors) -> tuple[Tensor, Tensor]:
    """Returns rotations (F, 24, 3, 3) and roots (F, 3) whose effectors are where they are to be, as far as they reach.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        root: (F, 3) metres.
        effectors: what is to be where.
    """
    turning = _turning(effectors)
    stiffness = torch.tensor([_ROOT_STIFFNESS] * 3 + [_stiffness(joint) for joint in turning for _ in range(3)]).to(
        root
    )
    for _ in range(_STEPS):
        world, places = forward_kinematics(rotations, root, CANONICAL)
        axes = _axes(world, places, turning)  # (F, N, 3, 3): three axes of each joint, one in a row
        rows = [_to_places(effectors, places, axes, turning)]
        rows += [_to_direction(each, world, axes, turning) for each in effectors.pointing]
        missing, jacobian = (torch.cat(parts, dim=1) for parts in zip(*rows, strict=True))
        soft = jacobian / stiffness
        damping = _LEAST_DAMPING + _DAMPING * missing.square().sum(dim=1)
        square = soft @ jacobian.mT + damping[:, None, None] * torch.eye(jacobian.shape[1]).to(root)
        step = (soft.mT @ torch.linalg.solve(square, missing[..., None]))[..., 0]
        root = root + step[:, :3]
        turns = (step[:, 3:].unflatten(1, (-1, 3))[..., None] * axes).sum(dim=-2)  # (F, N, 3) in the world
        turns = rot.limit_angle(turns, _MOST)
        parents = world[:, [CANONICAL.parents[joint] for joint in turning]]
        local = (parents.mT @ turns[..., None])[..., 0]  # vectors, not matrices, so that rotations stay rotations
        rotations = rotations.clone()
        rotations[:, turning] = rot.rotvec_to_matrix(local) @ rotations[:, turning]
    return rotations, root


def _to_places(effectors: Effectors, places: Tensor, axes: Tensor, turning: list[int]) -> tuple[Tensor, Tensor]:
    """Returns what is missing (F, 3 E) to places, and the Jacobian (F, 3 E, 3 + 3 N) of what turns and shifts do."""
    above = CANONICAL.ancestry.bool()
    moves = torch.tensor([[joint != end and bool(above[end, joint]) for joint in turning] for end in effectors.joints])
    missing = (effectors.places - places[:, effectors.joints]) * effectors.weights[..., None]
    arms = places[:, effectors.joints, None] - places[:, None, turning]  # (F, E, N, 3)
    moved = torch.linalg.cross(axes[:, None], arms[..., None, :].expand(-1, -1, -1, 3, -1))  # (F, E, N, axis, 3)
    moved = moved * moves.to(places)[None, :, :, None, None]
    shifts = torch.eye(3).to(places).expand(*missing.shape[:2], 3, 3)
    jacobian = torch.cat([shifts, moved.flatten(2, 3)], dim=2) * effectors.weights[..., None, None]
    return missing.flatten(1), jacobian.transpose(2, 3).flatten(1, 2)


def _to_direction(pointing: Pointing, world: Tensor, axes: Tensor, turning: list[int]) -> tuple[Tensor, Tensor]:
    """Returns what is missing (F, 3) to a direction, and the Jacobian (F, 3, 3 + 3 N): no shift changes it."""
    moves = torch.tensor([bool(CANONICAL.ancestry[pointing.joint, joint]) for joint in turning])
    points = world[:, pointing.joint] @ pointing.axis.to(world)  # (F, 3)
    missing = (pointing.wanted.to(world) - points) * pointing.arms[:, None]
    moved = torch.linalg.cross(axes, points[:, None, None].expand_as(axes)) * moves.to(world)[None, :, None, None]
    moved = torch.cat([torch.zeros(len(world), 3, 3).to(world), moved.flatten(1, 2)], dim=1)
    return missing, (moved * pointing.arms[:, None, None]).mT


def _stiffness(joint: int) -> float:
    return _STIFFNESS.get(CANONICAL.names[joint].rpartition("_")[2], _TRUNK_STIFFNESS)


def _axes(world: Tensor, places: Tensor, turning: list[int]) -> Tensor:
    """Returns the axes (F, N, 3, 3) about which joints turn, one in a row: all three, or a hinge and nothing else."""
    axes = torch.eye(3).to(world).repeat(len(world), len(turning), 1, 1)
    for number, joint in enumerate(turning):
        column = _HINGES.get(CANONICAL.names[joint].rpartition("_")[2])
        if column is not None:
            parent, child = CANONICAL.parents[joint], CANONICAL.children[joint][0]
            normal = torch.linalg.cross(places[:, joint] - places[:, parent], places[:, child] - places[:, joint])
            straight = world[:, parent, :, column]
            straight = straight * torch.where((normal * straight).sum(dim=-1, keepdim=True) < 0, -1.0, 1.0)
            vague = (1 - normal.norm(dim=-1, keepdim=True) / _STRAIGHT).clamp(min=0)
            axes[:, number] = 0
            axes[:, number, 0] = normalize(normal + _STRAIGHT * vague * straight, dim=-1)
    return axes
