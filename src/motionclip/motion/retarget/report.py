"""How well a retargeted motion follows its source."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.motion import rotations as rot
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.calibration import LIMB_BONES
from motionclip.motion.retarget.families import Family, detect_family
from motionclip.motion.retarget.ground import floor_height

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
