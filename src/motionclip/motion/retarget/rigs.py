"""Standard rigs: the canonical skeleton under the joint names of other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch

from motionclip.errors import SkeletonError
from motionclip.motion.retarget.families import HUMAN_IK, MIXAMO_SIDES, sided
from motionclip.motion.skeleton import ANKLE_HEIGHT, CANONICAL, Skeleton

MIXAMO = sided(HUMAN_IK, MIXAMO_SIDES | {"hand": "{}HandMiddle1"}, "Left", "Right")

UNREAL = sided(
    {
        "pelvis": "pelvis",
        "spine1": "spine_01",
        "spine2": "spine_02",
        "spine3": "spine_03",
        "neck": "neck_01",
        "head": "head",
    },
    {
        "hip": "thigh_{}",
        "knee": "calf_{}",
        "ankle": "foot_{}",
        "foot": "ball_{}",
        "collar": "clavicle_{}",
        "shoulder": "upperarm_{}",
        "elbow": "lowerarm_{}",
        "wrist": "hand_{}",
        "hand": "middle_01_{}",
    },
    "l",
    "r",
)

# The names of Unity's HumanBodyBones, which Godot's humanoid profile shares.
UNITY = sided(
    {
        "pelvis": "Hips",
        "spine1": "Spine",
        "spine2": "Chest",
        "spine3": "UpperChest",
        "neck": "Neck",
        "head": "Head",
    },
    {
        "hip": "{}UpperLeg",
        "knee": "{}LowerLeg",
        "ankle": "{}Foot",
        "foot": "{}Toes",
        "collar": "{}Shoulder",
        "shoulder": "{}UpperArm",
        "elbow": "{}LowerArm",
        "wrist": "{}Hand",
        "hand": "{}MiddleProximal",
    },
    "Left",
    "Right",
)

# Blender's Rigify, whose spine begins at the pelvis and ends in neck and head.
RIGIFY = sided(
    {
        "pelvis": "spine",
        "spine1": "spine.001",
        "spine2": "spine.002",
        "spine3": "spine.003",
        "neck": "spine.004",
        "head": "spine.006",
    },
    {
        "hip": "thigh.{}",
        "knee": "shin.{}",
        "ankle": "foot.{}",
        "foot": "toe.{}",
        "collar": "shoulder.{}",
        "shoulder": "upper_arm.{}",
        "elbow": "forearm.{}",
        "wrist": "hand.{}",
        "hand": "f_middle.01.{}",
    },
    "L",
    "R",
)


@dataclass(frozen=True)
class _Naming:
    """Canonical joint name to a program's; ``prefix`` before each, ``root`` a joint on the floor above the pelvis."""

    names: Mapping[str, str]
    prefix: str = ""
    root: str | None = None


_NAMINGS: Mapping[str, _Naming] = {
    "blender": _Naming(RIGIFY),
    "mixamo": _Naming(MIXAMO, prefix="mixamorig:"),
    "unreal": _Naming(UNREAL, root="root"),
    "unity": _Naming(UNITY),
}

#: The rigs that `standard_rig` knows.
RIGS = tuple(_NAMINGS)


@cache
def standard_rig(name: str) -> Skeleton:
    """The canonical skeleton with the joint names of a program.

    Args:
        name: ``blender`` (Rigify's names), ``mixamo``, ``unreal`` (the mannequin's; with its joint ``root`` on the
            floor below the pelvis) or ``unity`` (HumanBodyBones).

    Returns:
        24 joints in canonical order, after the joint above the pelvis if there is one.

    Raises:
        SkeletonError: if there is no such rig.
    """
    if name not in _NAMINGS:
        raise SkeletonError(f"no rig is called {name!r}; expected one of {', '.join(RIGS)}, or a .bvh or .glb file")
    naming = _NAMINGS[name]
    named = Skeleton(
        names=tuple(naming.prefix + naming.names[joint] for joint in CANONICAL.names),
        parents=CANONICAL.parents,
        offsets=CANONICAL.offsets,
        end_sites=CANONICAL.end_sites,
    )
    return named if naming.root is None else _under_root(named, naming.root)


def _under_root(skeleton: Skeleton, root: str) -> Skeleton:
    """The skeleton with a joint above its own root, on the floor of the rest pose."""
    offsets = torch.cat([torch.zeros(1, 3), skeleton.offsets])
    offsets[1, 1] = ANKLE_HEIGHT - float(CANONICAL.rest_positions[CANONICAL.index("left_ankle"), 1])
    return Skeleton(
        names=(root, *skeleton.names),
        parents=(-1, *(parent + 1 for parent in skeleton.parents)),
        offsets=offsets,
        end_sites=tuple((joint + 1, tip) for joint, tip in skeleton.end_sites),
    )
