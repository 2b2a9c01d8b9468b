"""The common rest pose: which constant turn takes each source joint to its canonical joint.

Put the source skeleton in the T-pose and let N be the world orientation that a source joint then has.
The canonical joint is unturned in that pose, so in every pose its world rotation is W N^T, where W is
the source joint's world rotation. N is constant, hence the result is exactly as continuous as the source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motionclip.errors import SkeletonError
from motionclip.motion import rotations as rot
from motionclip.motion.retarget.families import Family, detect_family
from motionclip.motion.skeleton import Skeleton

#: Limb bones, (joint, next joint), whose directions are kept exactly.
LIMB_BONES = tuple(
    (f"{side}_{joint}", f"{side}_{following}")
    for side in ("left", "right")
    for joint, following in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)
# Joints of a limb: start, middle, end, and what hangs on the end.
_CHAINS = (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist", "hand"))
_FEET = ("ankle", "foot")


@dataclass(frozen=True, eq=False)
class Calibration:
    """How a source skeleton drives a target skeleton.

    Attributes:
        family: the family of the source's joint names.
        joints: target joint name to source joint index, for the joints that have a counterpart.
        corrections: target joint name to the (3, 3) matrix N^T of this module's first lines.
        scale: target leg length divided by source leg length.
    """

    family: Family
    joints: dict[str, int]
    corrections: dict[str, Tensor]
    scale: float


def calibrate(source: Skeleton, target: Skeleton) -> Calibration:
    """The calibration of a source skeleton for a target skeleton.

    Raises:
        SkeletonError: if the joint names fit no family, or the rest pose is not a standing one.
    """
    family, joints = detect_family(source)
    if family.axes and _stands(source, joints):
        family = replace(family, axes={}, turns={})  # what was read off other files is not needed here
    neutral = _neutral(source, family, joints)
    _spread_limbs(neutral, source, target, family, joints)
    for joint, turn in zip(family.turns, _turns(family), strict=True):
        neutral[joint] = turn @ neutral[joint]
    bones = torch.stack([neutral[a] @ _between(source, joints[a], joints[b]) for a, b in LIMB_BONES])
    wanted = target.offsets[target.indices([following for _, following in LIMB_BONES])]
    for (joint, _), swing in zip(LIMB_BONES, rot.shortest_arc(bones, wanted), strict=True):
        neutral[joint] = swing @ neutral[joint]
    corrections = {joint: matrix.transpose(-1, -2) for joint, matrix in neutral.items()}
    return Calibration(family, joints, corrections, _leg_length(target) / _source_leg_length(source, joints))


def rest_up(skeleton: Skeleton) -> Tensor:
    """The axis (3,) along which a rest pose stands.

    Raises:
        SkeletonError: as `calibrate`.
    """
    return _upright(skeleton, detect_family(skeleton)[1])[1]


def _neutral(source: Skeleton, family: Family, joints: dict[str, int]) -> dict[str, Tensor]:
    if not family.axes:
        upright = _upright(source, joints)
        return {joint: upright.clone() for joint in joints}
    return {joint: _axes(family.axes[family.joints[joint]]) for joint in joints}


def _stands(source: Skeleton, joints: dict[str, int]) -> bool:
    """Whether the rest pose is one of a body that stands: legs opposite to the trunk."""
    up = _nearest_axis(_between(source, joints["pelvis"], joints["head"]))
    legs = [_between(source, joints[a], joints[b]) for a, b in LIMB_BONES if a.endswith(("hip", "knee"))]
    return all(-(leg @ up) > 0.7 * leg.norm() for leg in legs)


def _upright(source: Skeleton, joints: dict[str, int]) -> Tensor:
    """The turn by quarters that makes a rest pose stand in +Y and face +Z."""
    rest = source.rest_positions
    up = _nearest_axis(rest[joints["head"]] - rest[joints["pelvis"]])
    left = _nearest_axis((rest[joints["left_hip"]] - rest[joints["right_hip"]]) * (1 - up.abs()))
    ankles = (rest[joints["left_ankle"]] + rest[joints["right_ankle"]]) / 2
    if (rest[joints["pelvis"]] - ankles) @ up <= 0 or left.abs().sum() == 0:
        raise SkeletonError(
            "the rest pose of this skeleton does not stand: expected the head above the pelvis, the ankles "
            "below it and the hips side by side; export it with a T-pose as rest pose"
        )
    return torch.stack([left, up, torch.linalg.cross(left, up)])


def _nearest_axis(direction: Tensor) -> Tensor:
    largest = int(direction.abs().argmax())
    axis = torch.zeros(3)
    axis[largest] = torch.sign(direction[largest])
    return axis


def _axes(words: str) -> Tensor:
    """``"+Y -X +Z"`` to the matrix with these world directions as columns."""
    columns = [torch.eye(3)["XYZ".index(word[1])] * (1.0 if word[0] == "+" else -1.0) for word in words.split()]
    return torch.stack(columns, dim=-1)


def _spread_limbs(
    neutral: dict[str, Tensor], source: Skeleton, target: Skeleton, family: Family, joints: dict[str, int]
) -> None:
    """Turn each limb as a whole until it points where the target's rest pose has it."""
    limbs = [(f"{side}_", chain) for side in ("left", "right") for chain in _CHAINS]
    directions, wanted = [], []
    for side, (start, middle, end, _) in limbs:
        upper = neutral[side + start] @ _between(source, joints[side + start], joints[side + middle])
        directions.append(upper + neutral[side + middle] @ _between(source, joints[side + middle], joints[side + end]))
        wanted.append(_between(target, target.index(side + start), target.index(side + end)))
    swings = rot.shortest_arc(torch.stack(directions), torch.stack(wanted))
    for (side, chain), swing in zip(limbs, swings, strict=True):
        for joint in chain:
            if side + joint in neutral and (joint not in _FEET or family.feet_follow_legs):
                neutral[side + joint] = swing @ neutral[side + joint]


def _turns(family: Family) -> Tensor:
    """The family's own turns as matrices (N, 3, 3)."""
    return rot.rotvec_to_matrix(torch.deg2rad(torch.tensor(list(family.turns.values())).reshape(-1, 3)))


def _between(source: Skeleton, joint: int, following: int) -> Tensor:
    """Vector (3,) from a joint to a later one in the rest pose, metres."""
    return source.rest_positions[following] - source.rest_positions[joint]


def _leg_length(target: Skeleton) -> float:
    return float(target.offsets[target.indices(["left_knee", "left_ankle"])].norm(dim=-1).sum())


def _source_leg_length(source: Skeleton, joints: dict[str, int]) -> float:
    """Mean of both legs, thigh and shin, metres."""
    bones = [
        _between(source, joints[f"{side}_{joint}"], joints[f"{side}_{following}"])
        for side in ("left", "right")
        for joint, following in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(torch.stack(bones).norm(dim=-1).sum()) / 2
