"""Forward kinematics by tree level, differentiable, and inverse kinematics of the legs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.motion import rotations as rot
from motionclip.motion.skeleton import CANONICAL, Skeleton


def forward_kinematics(rotations: Tensor, root: Tensor, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
    """World rotations and positions of all joints.

    Args:
        rotations: (..., J, 3, 3) local rotations, relative to the parent.
        root: (..., 3) world position of the root joint, metres.
        skeleton: J joints.

    Returns:
        World rotations (..., J, 3, 3) and world positions (..., J, 3) in metres. Gradients flow
        to both inputs. One batched product per tree level, not one per joint, and one for all positions.
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


# Inverse kinematics of the legs: two bones, by the law of cosines

_HIPS, _KNEES, _ANKLES = (CANONICAL.indices([f"left_{joint}", f"right_{joint}"]) for joint in ("hip", "knee", "ankle"))
_THIGH, _SHANK = CANONICAL.offsets[_KNEES].norm(dim=-1), CANONICAL.offsets[_ANKLES].norm(dim=-1)
#: A leg is stretched to at most this share of its length: the knee of a fully straight leg would snap.
_STRAIGHT = 0.998
#: Metres before that from which on it comes there ever more slowly: the knee goes far for little there, and would jump.
_SLOWS = 0.02
#: Metres between the knee and the line from hip to ankle below which the direction of bending is poorly determined; the
#: knee then bends forward, the more so the smaller the distance.
_BENT = 0.03


def move_ankles(rotations: Tensor, world: Tensor, positions: Tensor, shift: Tensor) -> Tensor:
    """Local rotations (..., 24, 3, 3) of the canonical skeleton with its ankles moved, as far as the legs allow.

    Hips and knees turn; each knee stays on the side to which it is bent, and feet keep their rotation in the world.

    Args:
        rotations: (..., 24, 3, 3) local rotations.
        world: (..., 24, 3, 3) their rotations in the world, by forward kinematics.
        positions: (..., 24, 3) joint positions, metres, with the root anywhere.
        shift: (..., 2, 3) metres in the world by which the left and the right ankle move.
    """
    hip, knee, ankle = (positions[..., joints, :] for joints in (_HIPS, _KNEES, _ANKLES))
    forward = world[..., _HIPS, :, 2]
    new_knee, new_ankle = _reach(knee - hip, ankle - hip, ankle + shift - hip, forward)
    hips = rot.shortest_arc(knee - hip, new_knee) @ world[..., _HIPS, :, :]
    knees = rot.shortest_arc(ankle - knee, new_ankle - new_knee) @ world[..., _KNEES, :, :]
    moved = rotations.clone()
    moved[..., _HIPS, :, :] = world[..., :1, :, :].mT @ hips
    moved[..., _KNEES, :, :] = hips.mT @ knees
    moved[..., _ANKLES, :, :] = knees.mT @ world[..., _ANKLES, :, :]
    return moved


def _reach(knee: Tensor, ankle: Tensor, goal: Tensor, forward: Tensor) -> tuple[Tensor, Tensor]:
    """Returns knee and ankle (..., 2, 3), relative to the hip, of legs that reach for a goal."""
    thigh, shank = _THIGH.to(goal), _SHANK.to(goal)
    longest = torch.maximum(_STRAIGHT * (thigh + shank), ankle.norm(dim=-1))
    slows = torch.maximum(longest - _SLOWS, ankle.norm(dim=-1))
    room, further = (longest - slows).clamp(min=1e-6), goal.norm(dim=-1) - slows
    length = slows + torch.where(further > 0, -room * torch.expm1(-further.clamp(min=0) / room), further)
    towards = normalize(goal, dim=-1)
    # the side to which it is bent goes along with the leg: seen from the goal alone it may seem to be the other one
    bend = (rot.shortest_arc(ankle, goal) @ _across(knee, normalize(ankle, dim=-1))[..., None])[..., 0]
    vague = (_BENT - bend.norm(dim=-1, keepdim=True)).clamp(min=0)
    aside = normalize(bend + vague * _across(forward, towards), dim=-1)
    along = (thigh**2 - shank**2 + length**2) / (2 * length)
    away = (thigh**2 - along**2).clamp(min=0).sqrt()
    return towards * along[..., None] + aside * away[..., None], towards * length[..., None]


def _across(vectors: Tensor, axes: Tensor) -> Tensor:
    """Returns the component of vectors (..., 3) normal to unit axes (..., 3)."""
    return vectors - axes * (vectors * axes).sum(dim=-1, keepdim=True)
