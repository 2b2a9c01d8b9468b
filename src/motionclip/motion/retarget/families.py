"""Families of source skeletons: which joint is which, and how its local axes lie in the T-pose.

A family is recognised by joint names alone. Names are compared without case, punctuation and the
prefix that most joints of a file may share (``mixamorig:``, ``Character1_``, ``DEF-``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from motionclip.errors import SkeletonError
from motionclip.motion.skeleton import Skeleton

#: Canonical joints without which a body cannot be posed.
REQUIRED = (
    *("pelvis", "spine1", "head"),
    *("left_hip", "left_knee", "left_ankle", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "right_shoulder", "right_elbow", "right_wrist"),
)


@dataclass(frozen=True)
class Family:
    """A naming convention of skeletons.

    Attributes:
        name: what the family is called.
        joints: canonical joint name to the source joint that drives it.
        axes: source joint name to the world directions of its local x, y and z axis in the T-pose,
            as in ``"+Y -X +Z"``. Joints that are not named have the world's axes in the rest pose of
            the file, which then has to be a standing pose with the arms spread. A skeleton with these
            names whose rest pose stands needs neither axes nor turns: they are left out.
        turns: canonical joint name to a rotation vector in degrees, world axes, by which the joint is
            turned after that to reach the T-pose: twist of arms, soles that stand flat.
        feet_follow_legs: whether feet are at right angles to the legs in the rest pose (legs spread:
            the feet turn with them) rather than flat on the floor.
        hand_twists_forearm: whether the lower arm only bends and the hand carries its whole twist; the
            canonical elbow then takes the twist of the hand, as in the other families.
    """

    name: str
    joints: Mapping[str, str]
    axes: Mapping[str, str] = field(default_factory=dict)
    turns: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    feet_follow_legs: bool = False
    hand_twists_forearm: bool = False


def detect_family(skeleton: Skeleton) -> tuple[Family, dict[str, int]]:
    """The family of a skeleton and, for each canonical joint that it has, the source joint's index.

    Raises:
        SkeletonError: naming what the closest family would still need, if none fits.
    """
    names = _plain_names(skeleton.names)
    found = [(family, _match(family, names)) for family in FAMILIES]
    fitting = [(family, joints) for family, joints in found if not set(REQUIRED) - set(joints)]
    if fitting:
        return max(fitting, key=lambda pair: len(pair[1]))
    family, joints = max(found, key=lambda pair: len(set(REQUIRED) & set(pair[1])))
    missing = [family.joints[joint] for joint in REQUIRED if joint not in joints]
    known = ", ".join(family.name for family in FAMILIES)
    raise SkeletonError(
        f"no known family of joint names fits {', '.join(skeleton.names)}; the closest, {family.name}, lacks "
        f"{', '.join(missing)}; rename the joints to one of the families {known}"
    )


def _match(family: Family, names: Mapping[str, int]) -> dict[str, int]:
    plain = {joint: _plain(source) for joint, source in family.joints.items()}
    return {joint: names[source] for joint, source in plain.items() if source in names}


def _plain_names(names: tuple[str, ...]) -> dict[str, int]:
    prefix, times = Counter(map(_prefix, names)).most_common(1)[0]
    shared = prefix if times > len(names) / 2 else ""  # a rig's root or its extra bones may go without
    return {_plain(name.removeprefix(shared).rsplit(":", 1)[-1]): joint for joint, name in enumerate(names)}


def _prefix(name: str) -> str:
    """What stands before the joint's own name: a name space, the name of a character, or a kind of bone (``DEF-``)."""
    start = re.match(r".*:|[^_-]*[_-]", name)
    return start[0] if start else ""


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _sided(middle: Mapping[str, str], sides: Mapping[str, str], left: str, right: str) -> dict[str, str]:
    """Canonical to source names; ``{}`` in a sided name stands for the word for left or right."""
    named = dict(middle)
    for side, word in (("left", left), ("right", right)):
        named |= {f"{side}_{joint}": source.format(word) for joint, source in sides.items()}
    return named


def _turns(left: Mapping[str, tuple[float, float, float]]) -> dict[str, tuple[float, float, float]]:
    """Turns given for the left side, and their mirror images for the right."""
    named = {f"left_{joint}": turn for joint, turn in left.items()}
    return named | {f"right_{joint}": (x, -y, -z) for joint, (x, y, z) in left.items()}


_MAYA_SIDES = {
    "hip": "UpperLeg_{}",
    "knee": "LowerLeg_{}",
    "ankle": "Foot_{}",
    "foot": "Toes_{}",
    "collar": "Shoulder_{}",
    "shoulder": "UpperArm_{}",
    "elbow": "LowerArm_{}",
    "wrist": "Hand_{}",
}
_ARM, _LEG, _FOOT = ("Shoulder", "UpperArm", "LowerArm", "Hand"), ("UpperLeg", "LowerLeg"), ("Foot", "Toes")

# Read off the files: standing, walking and arm-raising takes; x runs along the bone (against it on
# the right side), y of an elbow or knee is its hinge.
BANDAI_NAMCO = Family(
    name="bandai_namco",
    joints=_sided(
        {"pelvis": "Hips", "spine1": "Spine", "spine3": "Chest", "neck": "Neck", "head": "Head"}, _MAYA_SIDES, "L", "R"
    ),
    axes={"Hips": "+Y -X +Z"}
    | dict.fromkeys(("Spine", "Chest", "Neck", "Head"), "+Y +Z +X")
    | {f"{joint}_L": "+X +Y +Z" for joint in _ARM}
    | {f"{joint}_R": "+X -Y -Z" for joint in _ARM}
    | {f"{joint}_L": "-Y +X +Z" for joint in _LEG}
    | {f"{joint}_R": "+Y +X -Z" for joint in _LEG}
    | {f"{joint}_L": "+Z +X +Y" for joint in _FOOT}
    | {f"{joint}_R": "-Z +X -Y" for joint in _FOOT},
    turns=_turns({"ankle": (40.0, 0.0, 0.0), "foot": (23.0, 0.0, 0.0), "collar": (0.0, 17.0, 0.0)}),
)

_CMU_ASF_SIDES = {
    "hip": "{}femur",
    "knee": "{}tibia",
    "ankle": "{}foot",
    "foot": "{}toes",
    "collar": "{}clavicle",
    "shoulder": "{}humerus",
    "elbow": "{}radius",
    "wrist": "{}wrist",
    "hand": "{}hand",
}
# In CMU's rest poses an elbow bends 30 degrees off the vertical axis; what feet are turned by is the mean
# over frames in which they stand.
CMU_ASF = Family(
    name="cmu_asf",
    joints=_sided(
        {
            "pelvis": "root",
            "spine1": "lowerback",
            "spine2": "upperback",
            "spine3": "thorax",
            "neck": "lowerneck",
            "head": "head",
        },
        _CMU_ASF_SIDES,
        "l",
        "r",
    ),
    turns=_turns({"shoulder": (30.0, 0.0, 0.0), "ankle": (0.0, 0.0, 4.5), "foot": (-11.5, 0.0, 4.5)}),
    hand_twists_forearm=True,
    feet_follow_legs=True,
)

_MIXAMO_SIDES = {
    "hip": "{}UpLeg",
    "knee": "{}Leg",
    "ankle": "{}Foot",
    "foot": "{}ToeBase",
    "collar": "{}Shoulder",
    "shoulder": "{}Arm",
    "elbow": "{}ForeArm",
    "wrist": "{}Hand",
}
CMU_CGSPEED = Family(
    name="cmu_cgspeed",
    joints=_sided(
        {
            "pelvis": "Hips",
            "spine1": "LowerBack",
            "spine2": "Spine",
            "spine3": "Spine1",
            "neck": "Neck1",
            "head": "Head",
        },
        _MIXAMO_SIDES | {"hand": "{}HandIndex1"},
        "Left",
        "Right",
    ),
    turns=_turns({"shoulder": (30.0, 0.0, 0.0), "ankle": (4.0, 0.0, 0.0)}),
    hand_twists_forearm=True,
    feet_follow_legs=True,
)

_HUMAN_IK = {
    "pelvis": "Hips",
    "spine1": "Spine",
    "spine2": "Spine1",
    "spine3": "Spine2",
    "neck": "Neck",
    "head": "Head",
}
_JOINT_SIDES = {
    "hip": "{}Hip",
    "knee": "{}Knee",
    "ankle": "{}Ankle",
    "foot": "{}Toe",
    "collar": "{}Collar",
    "shoulder": "{}Shoulder",
    "elbow": "{}Elbow",
    "wrist": "{}Wrist",
}
# Subject 131 of the same BVH release: other names, and the arms hang down in the rest pose.
CMU_CGSPEED_131 = Family(
    name="cmu_cgspeed_131",
    joints=_sided(
        {
            "pelvis": "Hips",
            "spine1": "lowerback",
            "spine2": "Chest",
            "spine3": "Chest2",
            "neck": "Neck",
            "head": "Head",
        },
        _JOINT_SIDES,
        "Left",
        "Right",
    ),
    turns=_turns({"shoulder": (30.0, 0.0, 0.0)}),
    hand_twists_forearm=True,
    feet_follow_legs=True,
)

MIXAMO = Family(
    name="mixamo_human_ik",
    joints=_sided(_HUMAN_IK, _MIXAMO_SIDES | {"hand": "{}HandMiddle1"}, "Left", "Right"),
)

# As HumanIK, but x runs along every bone: read off a frame that stands with spread arms.
LAFAN1 = Family(
    name="lafan1",
    joints=_sided(_HUMAN_IK, _MIXAMO_SIDES | {"foot": "{}Toe"}, "Left", "Right"),
    axes=dict.fromkeys(_HUMAN_IK.values(), "+Y +Z +X")
    | {f"{side}{joint}": "-Y +Z -X" for side in ("Left", "Right") for joint in ("UpLeg", "Leg")}
    | {f"{side}{joint}": "+Z +Y -X" for side in ("Left", "Right") for joint in ("Foot", "Toe")}
    | {f"Left{joint}": "+X -Z +Y" for joint in ("Shoulder", "Arm", "ForeArm", "Hand")}
    | {f"Right{joint}": "-X -Z -Y" for joint in ("Shoulder", "Arm", "ForeArm", "Hand")},
    turns=_turns({"ankle": (25.0, 0.0, 0.0)}),
)

_BIOVISION = {"pelvis": "Hips", "spine1": "Chest", "spine3": "Chest2", "neck": "Neck", "head": "Head"}
BIOVISION = Family(
    name="biovision",
    joints=_sided(
        _BIOVISION,
        {
            "hip": "{}UpLeg",
            "knee": "{}LowLeg",
            "ankle": "{}Foot",
            "collar": "{}Collar",
            "shoulder": "{}UpArm",
            "elbow": "{}LowArm",
            "wrist": "{}Hand",
        },
        "Left",
        "Right",
    ),
)
BIOVISION_JOINTS = Family(
    name="biovision_joints",
    joints=_sided(_BIOVISION, _JOINT_SIDES, "Left", "Right"),
)

DAZ = Family(
    name="daz",
    joints=_sided(
        {"pelvis": "hip", "spine1": "abdomen", "spine3": "chest", "neck": "neck", "head": "head"},
        {
            "hip": "{}Thigh",
            "knee": "{}Shin",
            "ankle": "{}Foot",
            "collar": "{}Collar",
            "shoulder": "{}Shldr",
            "elbow": "{}ForeArm",
            "wrist": "{}Hand",
            "hand": "{}Mid1",
        },
        "l",
        "r",
    ),
    turns=_turns({"shoulder": (30.0, 0.0, 0.0), "ankle": (0.0, 0.0, 3.5)}),
    hand_twists_forearm=True,
)

_SMPL_SIDES = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist", "hand")
_SMPL_MIDDLE = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
SMPL = Family(
    name="smpl",
    joints=_sided(
        {joint: joint for joint in _SMPL_MIDDLE}, {joint: "{}_" + joint for joint in _SMPL_SIDES}, "left", "right"
    ),
)

SMPL_SHORT = Family(
    name="smpl_short",
    joints=_sided({joint: joint for joint in _SMPL_MIDDLE}, {joint: "{}_" + joint for joint in _SMPL_SIDES}, "L", "R"),
)

UNREAL = Family(
    name="unreal",
    joints=_sided(
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
    ),
)

# The names of Unity's HumanBodyBones, which Godot's humanoid profile shares.
UNITY = Family(
    name="unity",
    joints=_sided(
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
    ),
)

# Blender's Rigify, whose spine begins at the pelvis and ends in neck and head.
RIGIFY = Family(
    name="rigify",
    joints=_sided(
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
    ),
)

#: All families, in the order in which they are tried; the one with the most joints found wins.
FAMILIES = (
    SMPL,
    SMPL_SHORT,
    BANDAI_NAMCO,
    CMU_ASF,
    CMU_CGSPEED,
    CMU_CGSPEED_131,
    MIXAMO,
    LAFAN1,
    BIOVISION,
    BIOVISION_JOINTS,
    DAZ,
    UNREAL,
    UNITY,
    RIGIFY,
)
