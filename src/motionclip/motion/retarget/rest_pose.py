"""Calibration: which constant turn takes each source joint to its canonical joint.

Put the source skeleton in the T-pose and let N be the world orientation that a source joint then has. The canonical
joint is unturned in that pose, so in every pose its world rotation is W N^T, where W is the source joint's world
rotation. N is constant, hence the result is exactly as continuous as the source. It is taken from the rest pose where
that is one of a body that stands, with a tuning for some known skeletons (``families.py``), and from what the joint
positions of a motion show (``orientation.py``) where the rest pose is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from motionclip.errors import SkeletonError
from motionclip.motion import rotations as rot
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.families import Family, find_tuning
from motionclip.motion.retarget.humanoid import LIMB_BONES, SIDES, Humanoid
from motionclip.motion.retarget.orientation import body_frames, mean_rotation
from motionclip.motion.skeleton import CANONICAL, Skeleton

# Joints of a limb: start, middle, end, and what hangs on the end.
_CHAINS = (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist", "hand"))
_FEET = ("ankle", "foot")
_PLAIN = Family("humanoid", {})
#: Frames of a motion that are looked at where the rest pose tells nothing.
_MOST_FRAMES = 400
# Feet are planted where they are this low (m) over a low quantile of their heights and this slow (m/s). Of so many such
# frames, soles are flat on average, if they are within this cosine of it.
_LOW, _LOW_SHARE, _RESTING_SPEED, _FEWEST_PLANTED, _FLAT = 0.03, 0.1, 0.2, 3, 0.8


@dataclass(frozen=True, eq=False)
class Calibration:
    """How a source skeleton drives a target skeleton.

    Attributes:
        family: the tuning that was applied; one of no axes and no turns for any other skeleton.
        joints: target joint name to source joint index, for the joints that have a counterpart.
        corrections: target joint name to the (3, 3) matrix N^T of this module's first lines.
        scale: target leg length divided by source leg length.
        from_motion: whether the corrections were taken from a motion, as the rest pose is none of a body that stands.
    """

    family: Family
    joints: dict[str, int]
    corrections: dict[str, Tensor]
    scale: float
    from_motion: bool = False


def calibrate(humanoid: Humanoid, target: Skeleton, motion: Motion | None = None) -> Calibration:
    """Returns the calibration of a source skeleton for a target skeleton.

    Args:
        humanoid: the source's body parts.
        target: with the canonical joint names and a T-pose as rest pose.
        motion: of the source skeleton, Y up: what a rest pose that is none is made good by.

    Raises:
        SkeletonError: if the rest pose is none of a body that stands, and there is no motion.
    """
    source = humanoid.skeleton
    family, joints, known = _tuned(humanoid)
    legs = _source_leg_length(source, joints)
    if not legs > 0:
        raise SkeletonError("the legs of this skeleton have no length; expected rest offsets of its joints in metres")
    scale = _leg_length(target) / legs
    if not known:
        if motion is None:
            raise SkeletonError(
                "the rest pose of this skeleton does not stand: expected the head above the pelvis, the ankles below "
                "it, and hips and shoulders side by side; export it with a T-pose as rest pose"
            )
        return Calibration(family, joints, _from_motion(humanoid, motion), scale, from_motion=True)
    neutral = _neutral(humanoid, family, joints)
    _spread_limbs(neutral, source, target, family, joints)
    for joint, turn in zip(family.turns, _turns(family), strict=True):
        if joint in neutral:
            neutral[joint] = turn @ neutral[joint]
    bones = torch.stack([neutral[a] @ _between(source, joints[a], joints[b]) for a, b in LIMB_BONES])
    wanted = target.offsets[target.indices([following for _, following in LIMB_BONES])]
    for (joint, _), swing in zip(LIMB_BONES, rot.shortest_arc(bones, wanted), strict=True):
        neutral[joint] = swing @ neutral[joint]
    corrections = {joint: matrix.transpose(-1, -2) for joint, matrix in neutral.items()}
    return Calibration(family, joints, corrections, scale)


def rest_pose_is_used(humanoid: Humanoid) -> bool:
    """Whether the rest pose tells how joints are turned; if not, the joint positions of the motion do."""
    return _tuned(humanoid)[2]


def _tuned(humanoid: Humanoid) -> tuple[Family, dict[str, int], bool]:
    """The tuning of a skeleton, the joints that drive the canonical ones, and whether its rest pose can be used."""
    skeleton = humanoid.skeleton
    tuned = None if skeleton.roles else find_tuning(skeleton.names)  # roles that are given overrule what names tell
    if tuned and tuned[1]["spine3"] != humanoid.spine[-1]:
        tuned = None  # another skeleton, in which these names are some of many
    family, joints = tuned or (_PLAIN, driven_joints(humanoid))
    if stands_at_rest(humanoid):
        # axes were read off files whose rest pose is none
        return (replace(family, axes={}, turns={}) if family.axes else family), joints, True
    if family.axes and _axes_fit(skeleton, family, joints):
        return family, joints, True
    return _PLAIN, driven_joints(humanoid), False


def driven_joints(humanoid: Humanoid) -> dict[str, int]:
    """Returns canonical joint name to the source joint that drives it; spines of any length drive three joints."""
    joints = {name: joint for name, joint in humanoid.joints.items() if name in CANONICAL.names}
    spine = humanoid.spine
    if spine:
        joints["spine3"] = spine[-1]
    if len(spine) > 1:
        joints["spine1"] = spine[0]
    if len(spine) > 2:
        joints["spine2"] = spine[len(spine) // 2]
    return joints


def rest_up(humanoid: Humanoid) -> Tensor:
    """Returns the axis (3,) along which a rest pose stands.

    Raises:
        SkeletonError: if it does not stand.
    """
    return _upright(humanoid)[1]


def stands_at_rest(humanoid: Humanoid) -> bool:
    """Whether the rest pose is that of a body that stands: legs straight and abreast, shoulders level, toes ahead."""
    rest, joints = humanoid.skeleton.rest_positions, humanoid.joints

    def at(name: str) -> Tensor:
        return rest[joints[name]]

    def cosine(a: Tensor, b: Tensor) -> float:
        return float(cosine_similarity(a, b, dim=0))

    hips, shoulders = at("left_hip") - at("right_hip"), at("left_shoulder") - at("right_shoulder")
    up = (at("left_shoulder") + at("right_shoulder") - at("left_hip") - at("right_hip")) / 2
    forward = torch.linalg.cross(hips, up)
    legs = [at(f"{side}_{b}") - at(f"{side}_{a}") for side in SIDES for a, b in (("hip", "knee"), ("knee", "ankle"))]
    strides = [cosine(left, forward) - cosine(right, forward) for left, right in zip(legs[:2], legs[2:], strict=True)]
    toes = [at(f"{side}_foot") - at(f"{side}_ankle") for side in SIDES if f"{side}_foot" in joints]
    arms = [at(f"{side}_wrist") - at(f"{side}_shoulder") for side in SIDES]
    if toes and all(cosine(bone, -up) > 0.9 for bone in (*toes, *arms)):
        return False  # each limb runs along one axis, feet and all: that says how bones are stored, not a pose
    return (
        cosine(hips, shoulders) > 0.85
        and abs(cosine(hips, up)) < 0.35
        and cosine(at("head") - at("left_hip"), up) > 0.7
        and all(cosine(leg, -up) > 0.75 for leg in legs)
        and all(abs(stride) < 0.25 for stride in strides)  # more is a frame of a walk
        and all(abs(cosine(toe, up)) > 0.97 or abs(cosine(toe, forward)) > 0.2 for toe in toes)
    )


def _axes_fit(source: Skeleton, family: Family, joints: dict[str, int]) -> bool:
    """Whether the offsets run along the bones as the axes say: limbs point to where the T-pose has them."""
    for joint, following in LIMB_BONES:
        bone = _axes(family.axes[family.joints[joint]]) @ _between(source, joints[joint], joints[following])
        wanted = CANONICAL.offsets[CANONICAL.index(following)]
        if cosine_similarity(bone, wanted, dim=0) < 0.8:
            return False
    return True


def _from_motion(humanoid: Humanoid, motion: Motion) -> dict[str, Tensor]:
    """The matrices N^T (3, 3) that agree best with what the joint positions of a motion show."""
    step = -(-motion.num_frames // _MOST_FRAMES)
    world, positions = (values[::step].float() for values in motion.world)
    frames, weights = body_frames(positions, humanoid.joints)
    corrections = {
        name: mean_rotation(world[:, joint].mT @ frames[name], weights[name])
        for name, joint in driven_joints(humanoid).items()
    }
    for side in SIDES:
        planted = _planted(positions, humanoid, side, motion.fps / step)
        for name in (f"{side}_{joint}" for joint in _FEET):
            if name in corrections and planted.sum() >= _FEWEST_PLANTED:
                feet = world[planted][:, humanoid.joints[name]] @ corrections[name]
                corrections[name] = corrections[name] @ _levelled(feet)
    return corrections


def _planted(positions: Tensor, humanoid: Humanoid, side: str, fps: float) -> Tensor:
    """The frames (T,) in which a foot is low and at rest, by joint positions (T, J, 3)."""
    joints = [humanoid.joints[name] for name in (f"{side}_{joint}" for joint in _FEET) if name in humanoid.joints]
    feet = positions[:, joints]
    moved = torch.cat([feet[1:] - feet[:-1], feet.new_zeros(1, *feet.shape[1:])]).norm(dim=-1)
    low = feet[..., 1] < feet[..., 1].quantile(_LOW_SHARE, dim=0) + _LOW
    return (low & (moved * fps < _RESTING_SPEED)).all(dim=1)


def _levelled(feet: Tensor) -> Tensor:
    """The turn (3, 3) in the frame of a foot after which rotations (N, 3, 3) stand flat on average; none if far off."""
    up = feet.new_tensor([0.0, 1.0, 0.0])
    above = feet[:, 1].mean(dim=0)  # the world's up, seen from the foot
    if cosine_similarity(above, up, dim=0) < _FLAT:
        return torch.eye(3).to(feet)
    return rot.shortest_arc(up[None], above[None])[0]


def _neutral(humanoid: Humanoid, family: Family, joints: dict[str, int]) -> dict[str, Tensor]:
    if not family.axes:
        upright = _upright(humanoid)
        return {joint: upright.clone() for joint in joints}
    return {joint: _axes(family.axes[family.joints[joint]]) for joint in joints}


def _upright(humanoid: Humanoid) -> Tensor:
    """The turn by quarters that makes a rest pose stand in +Y and face +Z."""
    if not stands_at_rest(humanoid):
        raise SkeletonError("the rest pose of this skeleton does not stand; export it with a T-pose as rest pose")
    rest, joints = humanoid.skeleton.rest_positions, humanoid.joints
    up = _nearest_axis(rest[joints["head"]] - rest[joints["pelvis"]])
    left = _nearest_axis((rest[joints["left_hip"]] - rest[joints["right_hip"]]) * (1 - up.abs()))
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
    limbs = [(f"{side}_", chain) for side in SIDES for chain in _CHAINS]
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
        for side in SIDES
        for joint, following in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(torch.stack(bones).norm(dim=-1).sum()) / 2
