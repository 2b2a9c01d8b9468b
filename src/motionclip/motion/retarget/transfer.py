"""Retargeting to the canonical skeleton, from it onto any other, and how well the result follows its source."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.motion import rotations as rot
from motionclip.motion.kinematics import forward_kinematics, local_rotations
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.families import Family, detect_family
from motionclip.motion.retarget.floor import floor_height, put_on_floor
from motionclip.motion.retarget.rest_pose import LIMB_BONES, Calibration, calibrate
from motionclip.motion.skeleton import ANKLE_HEIGHT, CANONICAL, Skeleton

# Joints that a source may lack, with the joints between which they then lie, halfway.
_HALFWAY = {"spine2": ("spine1", "spine3"), "neck": ("spine3", "head")}


def retarget(motion: Motion, skeleton: Skeleton = CANONICAL) -> Motion:
    """The movement on the canonical skeleton: same bone directions, its proportions, feet on the floor.

    Args:
        motion: on a skeleton of a known family (``families.py``), metres, Y up.
        skeleton: the target, with the canonical joint names and a T-pose as rest pose.

    Returns:
        The same frames at the same rate. Limb bones point exactly as in the source; the path of the
        hips is scaled by the ratio of leg lengths; y = 0 is the floor (``floor.put_on_floor``).

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


# From the canonical skeleton onto another

_HIPS = ("left_hip", "right_hip")
_HANDS = ("left_hand", "right_hand")


def retarget_onto(motion: Motion, skeleton: Skeleton, ankle_height: float | None = None) -> Motion:
    """The movement on another skeleton: same directions of limb bones, its proportions, path scaled by leg length.

    The reverse of `retarget`, by the same constant turns: ``retarget`` of the result gives the movement back.

    Args:
        motion: on any skeleton that can be retargeted, metres, Y up.
        skeleton: of a known family of joint names, with a standing rest pose; arms and legs may be spread otherwise
            than in a T-pose, and there may be more joints.
        ankle_height: metres of the ankles over the soles in its rest pose, so that feet that stand do so on it; if
            None, our own in proportion to the legs.

    Returns:
        The same frames at the same rate. Joints without counterpart keep their rest pose, fingers among them. A
        root above the pelvis moves along and does not turn.

    Raises:
        SkeletonError: if no family fits one of the skeletons, naming the joints that were not found, or if a rest
            pose does not stand.
    """
    if motion.skeleton.names != CANONICAL.names:
        motion = retarget(motion)
    calibration = calibrate(skeleton, motion.skeleton)
    rotations = local_rotations(
        _target_world_rotations(motion.world[0], calibration, motion.skeleton, skeleton), skeleton
    )
    hips = motion.positions[:, motion.skeleton.indices(_HIPS)].mean(dim=1) / calibration.scale
    if ankle_height is not None:
        hips = hips + hips.new_tensor([0.0, ankle_height - ANKLE_HEIGHT / calibration.scale, 0.0])
    return Motion(rotations, hips - _hips_from_root(rotations, calibration, skeleton), motion.fps, skeleton)


def check_target(skeleton: Skeleton) -> None:
    """Says early whether `retarget_onto` can use a skeleton.

    Raises:
        SkeletonError: if not, with the joints that were not found, or what is wrong with the rest pose.
    """
    calibrate(skeleton, CANONICAL)


def _target_world_rotations(world: Tensor, calibration: Calibration, source: Skeleton, skeleton: Skeleton) -> Tensor:
    """World rotations (T, J, 3, 3) of the skeleton's joints from those of canonical joints (T, 24, 3, 3)."""
    drivers = {
        calibration.joints[name]: name for name in calibration.joints if not _is_finger(name, calibration, skeleton)
    }
    turned: list[Tensor] = []
    for joint, parent in enumerate(skeleton.parents):
        if joint in drivers:
            name = drivers[joint]
            turned.append(world[:, source.index(name)] @ calibration.corrections[name].to(world).transpose(-1, -2))
        else:
            turned.append(turned[parent] if parent >= 0 else torch.eye(3).to(world).expand(len(world), 3, 3))
    return torch.stack(turned, dim=1)


def _is_finger(name: str, calibration: Calibration, skeleton: Skeleton) -> bool:
    """Whether this counterpart of the palm is one finger of several: alone it must not bend."""
    return name in _HANDS and len(skeleton.children[skeleton.parents[calibration.joints[name]]]) > 1


def _hips_from_root(rotations: Tensor, calibration: Calibration, skeleton: Skeleton) -> Tensor:
    """The middle of the hips relative to the root joint (T, 3), metres."""
    positions = forward_kinematics(rotations, rotations.new_zeros(len(rotations), 3), skeleton)[1]
    return positions[:, [calibration.joints[hip] for hip in _HIPS]].mean(dim=1)


# Report

# A joint flips if it turns by more than this between two frames, and by more than its source does.
_FLIP_RAD, _MARGIN_RAD = 1.0, 0.35


@dataclass(frozen=True)
class RetargetReport:
    """Figures of one retargeted motion.

    Attributes:
        bone_direction_error_deg_mean: mean angle between source and target limb bones (upper and
            lower arms and legs) over frames and bones, degrees.
        bone_direction_error_deg_max: the largest such angle, degrees.
        foot_height_m: height of the floor that the feet rest on, which should be 0, metres (see
            ``floor_height``).
        flips: number of (frame, joint) pairs at which the target turns suddenly and its source does not.
    """

    bone_direction_error_deg_mean: float
    bone_direction_error_deg_max: float
    foot_height_m: float
    flips: int


def retarget_report(source: Motion, target: Motion) -> RetargetReport:
    """Compare a motion with what ``retarget`` made of it.

    Raises:
        SkeletonError: if no family of joint names fits the source.
    """
    family, joints = detect_family(source.skeleton)
    error = torch.rad2deg(_direction_errors(source, target, joints))
    flips = _flips(source, target, family, joints)
    return RetargetReport(float(error.mean()), float(error.max()), floor_height(target), flips)


def _direction_errors(source: Motion, target: Motion, joints: dict[str, int]) -> Tensor:
    """Angles (T, bones) in radians between source and target limb bones."""
    skeleton = target.skeleton
    here = source.positions[:, [[joints[a], joints[b]] for a, b in LIMB_BONES]]
    there = target.positions[:, [skeleton.indices(bone) for bone in LIMB_BONES]]
    a, b = here[:, :, 1] - here[:, :, 0], there[:, :, 1] - there[:, :, 0]
    return torch.atan2(torch.linalg.cross(a, b).norm(dim=-1), (a * b).sum(dim=-1))


def _flips(source: Motion, target: Motion, family: Family, joints: dict[str, int]) -> int:
    if source.num_frames == 1:
        return 0
    here = _steps(source.world[0])
    limit = here.max(dim=-1, keepdim=True).values + _MARGIN_RAD  # joints without counterpart: the fastest of all
    limit = limit.repeat(1, target.skeleton.num_joints)
    for name, joint in joints.items():
        leader = joints[name.replace("elbow", "wrist")] if family.hand_twists_forearm else joint
        limit[:, target.skeleton.index(name)] = torch.maximum(here[:, joint], here[:, leader]) + _MARGIN_RAD
    there = _steps(target.world[0])
    return int(((there > _FLIP_RAD) & (there > limit)).sum())


def _steps(world: Tensor) -> Tensor:
    """Angles (T - 1, J) in radians by which each joint turns from frame to frame."""
    return rot.geodesic_angle(world[:-1], world[1:])
