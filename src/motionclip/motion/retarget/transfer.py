"""Retargeting to the canonical skeleton, from it onto any other, and how well the result follows its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from motionclip.errors import SkeletonError
from motionclip.motion import rotations as rot
from motionclip.motion.kinematics import forward_kinematics, local_rotations
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.floor import put_on_floor
from motionclip.motion.retarget.humanoid import LIMB_BONES, REQUIRED, SIDES, Humanoid, find_humanoid
from motionclip.motion.retarget.orientation import body_frames
from motionclip.motion.retarget.report import trunk_directions
from motionclip.motion.retarget.rest_pose import Calibration, calibrate
from motionclip.motion.retarget.trunk import Directions, Turned, align_trunk
from motionclip.motion.skeleton import ANKLE_HEIGHT, CANONICAL, Skeleton

# Joints that a source may lack, with the joints between which they then lie, halfway.
_HIPS = ("left_hip", "right_hip")
_HALFWAY = {"spine2": ("spine1", "spine3"), "neck": ("spine3", "head")}


def retarget(motion: Motion, skeleton: Skeleton = CANONICAL, humanoid: Humanoid | None = None) -> Motion:
    """Returns the movement on the canonical skeleton: same directions of limbs and trunk, feet on the floor.

    Args:
        motion: on the skeleton of any human-like body, in any rest pose, metres, Y up.
        skeleton: the target, with the canonical joint names and a T-pose as rest pose.
        humanoid: the body parts of the source; found by names and shape if not given.

    Returns:
        The same frames at the same rate. Limb bones, the lines of hips and shoulders, and those from the hips to
        shoulders and head point as in the source; the path of the hips is scaled by the ratio of leg lengths; y = 0 is
        the floor (``floor.put_on_floor``). Where a longer neck holds the head far forward, the lines to shoulders and
        head give way by less than two degrees.

    Raises:
        SkeletonError: if no human-like body is found in the source's skeleton.
    """
    humanoid = humanoid or find_humanoid(motion.skeleton)
    calibration = calibrate(humanoid, skeleton, motion)
    world, positions = motion.world
    turned = _world_rotations(world, positions, humanoid, calibration, skeleton)
    moved = Motion(
        local_rotations(turned, skeleton),
        _root_path(positions, turned, calibration.joints, calibration.scale, skeleton),
        motion.fps,
        skeleton,
    )
    return put_on_floor(moved)


def fit_positions(positions: Tensor, names: Sequence[str], fps: float) -> Motion:
    """Returns the motion on the canonical skeleton that joint positions show: inverse kinematics, frame by frame.

    Args:
        positions: (T, J, 3) metres, Y up.
        names: the canonical names of the joints, at least hips, knees, ankles, shoulders, elbows, wrists, and the head.
        fps: frames per second.

    Raises:
        SkeletonError: if a joint that is needed is missing.
    """
    joints = {name: joint for joint, name in enumerate(names)}
    missing = [role for role in REQUIRED if role not in joints and role != "pelvis"]
    if missing:
        raise SkeletonError(f"joint positions without {', '.join(missing)}; expected {', '.join(REQUIRED)}")
    turned = _pointed(body_frames(positions, joints)[0], CANONICAL, positions, joints)
    world = torch.stack([turned[name] for name in CANONICAL.names], dim=1)
    legs = [(f"{side}_{a}", f"{side}_{b}") for side in SIDES for a, b in (("hip", "knee"), ("knee", "ankle"))]
    length = torch.stack([positions[:, joints[b]] - positions[:, joints[a]] for a, b in legs]).norm(dim=-1).mean()
    if not length > 0:
        raise SkeletonError("the legs have no length; expected positions of hips, knees and ankles in metres")
    scale = float(CANONICAL.offsets[CANONICAL.indices([b for _, b in legs])].norm(dim=-1).mean() / length)
    root = _root_path(positions, world, joints, scale, CANONICAL)
    return put_on_floor(Motion(local_rotations(world, CANONICAL), root, fps, CANONICAL))


def on_canonical(motion: Motion) -> Motion:
    """The motion as it is if it is on the canonical skeleton, and retargeted otherwise.

    Raises:
        SkeletonError: if it cannot be retargeted.
    """
    return motion if motion.skeleton is CANONICAL else retarget(motion)


def _world_rotations(
    world: Tensor, positions: Tensor, humanoid: Humanoid, calibration: Calibration, skeleton: Skeleton
) -> Tensor:
    """World rotations (T, J, 3, 3) of the target from those of the source (T, S, 3, 3) and its positions (T, S, 3)."""
    driven = list(calibration.joints)
    indices = [calibration.joints[joint] for joint in driven]
    corrections = torch.stack([calibration.corrections[joint] for joint in driven]).to(world)
    turned = dict(zip(driven, (world[:, indices] @ corrections).unbind(dim=1), strict=True))
    if calibration.family.hand_twists_forearm:
        for side in SIDES:
            bone = skeleton.offsets[skeleton.index(f"{side}_wrist")].to(world)
            turned[f"{side}_elbow"] = _twisted(turned[f"{side}_elbow"], turned[f"{side}_wrist"], bone)
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        if name not in turned:
            turned[name] = _missing(name, skeleton.names[parent], turned)
    turned = _pointed(turned, skeleton, positions, humanoid.joints)
    return torch.stack([turned[name] for name in skeleton.names], dim=1)


def _pointed(
    turned: Mapping[str, Tensor], skeleton: Skeleton, positions: Tensor, joints: Mapping[str, int]
) -> dict[str, Tensor]:
    """World rotations, swung so that the parts of the body point as the source's joint positions do, frame by frame.

    A constant turn does so already where a bone hangs on its joint; here is what other joints between them change.
    """
    hips = skeleton.offsets[skeleton.index("left_hip")] - skeleton.offsets[skeleton.index("right_hip")]
    bones = [("pelvis", hips, positions[:, joints["left_hip"]] - positions[:, joints["right_hip"]])]
    collars = [(f"{side}_collar", f"{side}_shoulder") for side in SIDES if f"{side}_collar" in joints]
    for name, following in (*LIMB_BONES, *collars):
        goal = positions[:, joints[following]] - positions[:, joints[name]]
        bones.append((name, skeleton.offsets[skeleton.index(following)], goal))
    swung = {name: rot.shortest_arc(turned[name] @ bone.to(goal), goal) @ turned[name] for name, bone, goal in bones}
    numbered = {skeleton.index(name): rotations for name, rotations in (dict(turned) | swung).items()}
    trunk = Directions(*trunk_directions(positions, joints)[:, 1:].unbind(dim=1))
    align_trunk(numbered, find_humanoid(skeleton), trunk)
    return {skeleton.names[joint]: rotations for joint, rotations in numbered.items()}


def _twisted(forearm: Tensor, hand: Tensor, bone: Tensor) -> Tensor:
    """The hand's rotations (T, 3, 3), swung so that ``bone`` (3,) points as the forearm turns it."""
    return rot.shortest_arc(hand @ bone, forearm @ bone) @ hand


def _missing(name: str, parent: str, turned: dict[str, Tensor]) -> Tensor:
    """World rotations (T, 3, 3) of a joint without counterpart: halfway, or as its parent."""
    lower, upper = _HALFWAY.get(name, (parent, parent))
    if lower in turned and upper in turned and lower != upper:
        return rot.slerp(turned[lower], turned[upper], turned[lower].new_full((len(turned[lower]),), 0.5))
    return turned[parent]


def _root_path(
    positions: Tensor, turned: Tensor, joints: Mapping[str, int], scale: float, skeleton: Skeleton
) -> Tensor:
    """Root path (T, 3) that puts the middle of the hips on the source's, scaled."""
    middle = positions[:, [joints[hip] for hip in _HIPS]].mean(dim=1)
    offset = skeleton.offsets[skeleton.indices(_HIPS)].mean(dim=0).to(turned)
    return scale * middle - turned[:, 0] @ offset


# From the canonical skeleton onto another

_HANDS = ("left_hand", "right_hand")


def retarget_onto(motion: Motion, skeleton: Skeleton, ankle_height: float | None = None) -> Motion:
    """The movement on another skeleton: same directions of limb bones, its proportions, path scaled by leg length.

    The reverse of `retarget`, by the same constant turns: ``retarget`` of the result gives the movement back.

    Args:
        motion: on any skeleton that can be retargeted, metres, Y up.
        skeleton: of any human-like body, with a standing rest pose; arms and legs may be spread otherwise than in a
            T-pose, and there may be more joints.
        ankle_height: metres of the ankles over the soles in its rest pose, so that feet that stand do so on it; if
            None, our own in proportion to the legs.

    Returns:
        The same frames at the same rate. Joints without counterpart keep their rest pose, fingers among them. A
        root above the pelvis moves along and does not turn.

    Raises:
        SkeletonError: if one of the skeletons is not recognised as a body, naming the parts that were not found, or
            if the rest pose of the target does not stand.
    """
    if motion.skeleton.names != CANONICAL.names:
        motion = retarget(motion)
    humanoid = find_humanoid(skeleton)
    calibration = calibrate(humanoid, motion.skeleton)
    turned = _driven(motion, humanoid, calibration)
    goal = trunk_directions(motion.positions, {name: joint for joint, name in enumerate(motion.skeleton.names)})
    align_trunk(turned, humanoid, Directions(*goal[:, 1:].unbind(dim=1)))
    rotations = local_rotations(_all_joints(turned, skeleton), skeleton)
    hips = motion.positions[:, motion.skeleton.indices(_HIPS)].mean(dim=1) / calibration.scale
    if ankle_height is not None:
        hips = hips + hips.new_tensor([0.0, ankle_height - ANKLE_HEIGHT / calibration.scale, 0.0])
    return Motion(rotations, hips - _hips_from_root(rotations, calibration, skeleton), motion.fps, skeleton)


def check_target(skeleton: Skeleton) -> None:
    """Says early whether `retarget_onto` can use a skeleton.

    Raises:
        SkeletonError: if not, with the joints that were not found, or what is wrong with the rest pose.
    """
    calibrate(find_humanoid(skeleton), CANONICAL)


def _driven(motion: Motion, humanoid: Humanoid, calibration: Calibration) -> Turned:
    """World rotations (T, 3, 3) of a skeleton's joints that have a canonical counterpart, and of its whole spine."""
    world, source = motion.world[0], motion.skeleton
    turned = {0: torch.eye(3).to(world).expand(len(world), 3, 3)}
    for name, joint in calibration.joints.items():
        if not _is_finger(name, calibration, humanoid.skeleton):
            turned[joint] = world[:, source.index(name)] @ calibration.corrections[name].to(world).mT
    # what carries both legs and trunk turns with the pelvis
    fork = humanoid.skeleton.parents[humanoid.spine[0]]
    turned.setdefault(fork, turned[humanoid.joints["pelvis"]])
    known = [number for number, joint in enumerate(humanoid.spine) if joint in turned]
    for number, joint in enumerate(humanoid.spine):
        if joint not in turned:  # a long spine bends evenly between those of its joints that are driven
            low, high = max(k for k in known if k < number), min(k for k in known if k > number)
            share = torch.full((len(world),), (number - low) / (high - low)).to(world)
            turned[joint] = rot.slerp(turned[humanoid.spine[low]], turned[humanoid.spine[high]], share)
    return turned


def _all_joints(turned: Turned, skeleton: Skeleton) -> Tensor:
    """World rotations (T, J, 3, 3) of all joints: those that are not driven are turned as their parents."""
    rotations: list[Tensor] = []
    for joint, parent in enumerate(skeleton.parents):
        rotations.append(turned[joint] if joint in turned else rotations[parent])
    return torch.stack(rotations, dim=1)


def _is_finger(name: str, calibration: Calibration, skeleton: Skeleton) -> bool:
    """Whether this counterpart of the palm is one finger of several: alone it must not bend."""
    return name in _HANDS and len(skeleton.children[skeleton.parents[calibration.joints[name]]]) > 1


def _hips_from_root(rotations: Tensor, calibration: Calibration, skeleton: Skeleton) -> Tensor:
    """The middle of the hips relative to the root joint (T, 3), metres."""
    positions = forward_kinematics(rotations, rotations.new_zeros(len(rotations), 3), skeleton)[1]
    return positions[:, [calibration.joints[hip] for hip in _HIPS]].mean(dim=1)
