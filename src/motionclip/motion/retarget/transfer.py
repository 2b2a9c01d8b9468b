"""Retargeting: the same movement on the canonical skeleton."""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.motion import rotations as rot
from motionclip.motion.kinematics import local_rotations
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.calibration import Calibration, calibrate
from motionclip.motion.retarget.ground import put_on_floor
from motionclip.motion.skeleton import CANONICAL, Skeleton

# Joints that a source may lack, with the joints between which they then lie, halfway.
_HALFWAY = {"spine2": ("spine1", "spine3"), "neck": ("spine3", "head")}


def retarget(motion: Motion, skeleton: Skeleton = CANONICAL) -> Motion:
    """The movement on the canonical skeleton: same bone directions, its proportions, feet on the floor.

    Args:
        motion: on a skeleton of a known family (``families.py``), metres, Y up.
        skeleton: the target, with the canonical joint names and a T-pose as rest pose.

    Returns:
        The same frames at the same rate. Limb bones point exactly as in the source; the path of the
        hips is scaled by the ratio of leg lengths; y = 0 is the floor (``ground.put_on_floor``).

    Raises:
        SkeletonError: if no family of joint names fits the source, or its rest pose does not stand.
    """
    calibration = calibrate(motion.skeleton, skeleton)
    world, positions = motion.world
    turned = _world_rotations(world, calibration, skeleton)
    moved = Motion(
        local_rotations(turned, skeleton), _root_path(positions, turned, calibration, skeleton), motion.fps, skeleton
    )
    return put_on_floor(moved)


def on_canonical(motion: Motion) -> Motion:
    """The motion as it is if it is on the canonical skeleton, and retargeted otherwise.

    Raises:
        SkeletonError: if it cannot be retargeted.
    """
    return motion if motion.skeleton is CANONICAL else retarget(motion)


def _world_rotations(world: Tensor, calibration: Calibration, skeleton: Skeleton) -> Tensor:
    """World rotations (T, J, 3, 3) of the target from those of the source (T, S, 3, 3)."""
    driven = list(calibration.joints)
    indices = [calibration.joints[joint] for joint in driven]
    corrections = torch.stack([calibration.corrections[joint] for joint in driven]).to(world)
    turned = dict(zip(driven, (world[:, indices] @ corrections).unbind(dim=1), strict=True))
    if calibration.family.hand_twists_forearm:
        for side in ("left", "right"):
            bone = skeleton.offsets[skeleton.index(f"{side}_wrist")].to(world)
            turned[f"{side}_elbow"] = _twisted(turned[f"{side}_elbow"], turned[f"{side}_wrist"], bone)
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        if name not in turned:
            turned[name] = _missing(name, skeleton.names[parent], turned)
    return torch.stack([turned[name] for name in skeleton.names], dim=1)


def _twisted(forearm: Tensor, hand: Tensor, bone: Tensor) -> Tensor:
    """The hand's rotations (T, 3, 3), swung so that ``bone`` (3,) points as the forearm turns it."""
    return rot.shortest_arc(hand @ bone, forearm @ bone) @ hand


def _missing(name: str, parent: str, turned: dict[str, Tensor]) -> Tensor:
    """World rotations (T, 3, 3) of a joint without counterpart: halfway, or as its parent."""
    lower, upper = _HALFWAY.get(name, (parent, parent))
    if lower in turned and upper in turned and lower != upper:
        return rot.slerp(turned[lower], turned[upper], turned[lower].new_full((len(turned[lower]),), 0.5))
    return turned[parent]


def _root_path(positions: Tensor, turned: Tensor, calibration: Calibration, skeleton: Skeleton) -> Tensor:
    """Root path (T, 3) that puts the middle of the hips on the source's, scaled."""
    hips = ["left_hip", "right_hip"]
    middle = positions[:, [calibration.joints[hip] for hip in hips]].mean(dim=1)
    offset = skeleton.offsets[skeleton.indices(hips)].mean(dim=0).to(turned)
    return calibration.scale * middle - turned[:, 0] @ offset
