"""How well a retargeted motion follows its source, by joint positions: limbs, trunk, heading, feet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.motion import rotations as rot
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.floor import floor_height
from motionclip.motion.retarget.humanoid import LIMB_BONES, SIDES, Humanoid, find_humanoid
from motionclip.motion.retarget.rest_pose import rest_pose_is_used

# A joint flips if it turns by more than this between two frames, and by more than its source does.
_FLIP_RAD, _MARGIN_RAD = 1.0, 0.35


@dataclass(frozen=True)
class RetargetReport:
    """Figures of one retargeted motion. Angles are in degrees, between directions of the source and of the target.

    Attributes:
        limb_mean: of upper and lower arms and legs, over frames and bones.
        limb_max: the largest of them.
        trunk_mean: of the lines through the hips and through the shoulders, and of those from the middle of the hips to
            the middle of the shoulders and to the head, over frames and lines.
        trunk_max: the largest of them.
        heading_max: largest angle between the headings, where both bodies are upright enough to have one.
        foot_height: height of the floor that the feet rest on, which should be 0, metres.
        flips: number of (frame, joint) pairs at which the target turns suddenly and its source does not.
        rest_pose_used: whether orientations were taken from the rest pose, as that of a body that stands, and not from
            the joint positions of the motion.
    """

    limb_mean: float
    limb_max: float
    trunk_mean: float
    trunk_max: float
    heading_max: float
    foot_height: float
    flips: int
    rest_pose_used: bool = True


def retarget_report(source: Motion, target: Motion, humanoid: Humanoid | None = None) -> RetargetReport:
    """Compares a motion with what ``retarget`` made of it.

    Args:
        source: on its own skeleton.
        target: on the canonical skeleton.
        humanoid: the body parts of the source; found if not given.

    Raises:
        SkeletonError: if no body is found in the source's skeleton.
    """
    humanoid = humanoid or find_humanoid(source.skeleton)
    here, there = humanoid.joints, {name: joint for joint, name in enumerate(target.skeleton.names)}
    limbs = _angles(limb_directions(source.positions, here), limb_directions(target.positions, there))
    trunk = _angles(trunk_directions(source.positions, here), trunk_directions(target.positions, there))
    return RetargetReport(
        float(limbs.mean()),
        float(limbs.max()),
        float(trunk.mean()),
        float(trunk.max()),
        _heading_error(source.positions, target.positions, here, there),
        floor_height(target),
        _flips(source, target, humanoid),
        rest_pose_is_used(humanoid),
    )


def limb_directions(positions: Tensor, joints: Mapping[str, int]) -> Tensor:
    """Returns the vectors (T, 8, 3) of ``LIMB_BONES`` for joint positions (T, J, 3)."""
    return torch.stack([positions[:, joints[b]] - positions[:, joints[a]] for a, b in LIMB_BONES], dim=1)


def trunk_directions(positions: Tensor, joints: Mapping[str, int]) -> Tensor:
    """Returns the vectors (T, 4, 3) right to left hip, right to left shoulder, hips to shoulders, hips to head."""
    hips, shoulders = ([positions[:, joints[f"{side}_{joint}"]] for side in SIDES] for joint in ("hip", "shoulder"))
    middle = (hips[0] + hips[1]) / 2
    up = (shoulders[0] + shoulders[1]) / 2 - middle
    head = positions[:, joints["head"]] - middle
    return torch.stack([hips[0] - hips[1], shoulders[0] - shoulders[1], up, head], dim=1)


def _angles(a: Tensor, b: Tensor) -> Tensor:
    """Angles (T, N) in degrees between directions (T, N, 3)."""
    return torch.rad2deg(torch.atan2(torch.linalg.cross(a, b).norm(dim=-1), (a * b).sum(dim=-1)))


def _heading_error(here: Tensor, there: Tensor, source: Mapping[str, int], target: Mapping[str, int]) -> float:
    """Largest angle in degrees between headings: normal to the line of hips and shoulders, over the ground."""
    ground = here.new_tensor([1.0, 0.0, 1.0])
    both = ((here, source), (there, target))
    lines = [normalize(trunk_directions(*each)[:, :2], dim=-1).sum(dim=1) * ground for each in both]
    # hips and shoulders lie across the ground, not upright
    clear = (lines[0].norm(dim=-1) > 1.0) & (lines[1].norm(dim=-1) > 1.0)
    return float(_angles(*lines)[clear].max()) if clear.any() else 0.0


def _flips(source: Motion, target: Motion, humanoid: Humanoid) -> int:
    if source.num_frames == 1:
        return 0
    here = _steps(source.world[0])
    limit = (here.max(dim=-1, keepdim=True).values + _MARGIN_RAD).repeat(1, target.skeleton.num_joints)
    for name, joint in humanoid.joints.items():
        if name in target.skeleton.names:
            chain = [humanoid.joints.get(name.replace("elbow", "wrist"), joint), joint]
            limit[:, target.skeleton.index(name)] = here[:, chain].max(dim=-1).values + _MARGIN_RAD
    there = _steps(target.world[0])
    return int(((there > _FLIP_RAD) & (there > limit)).sum())


def _steps(world: Tensor) -> Tensor:
    """Angles (T - 1, J) in radians by which each joint turns from frame to frame."""
    return rot.geodesic_angle(world[:-1], world[1:])
