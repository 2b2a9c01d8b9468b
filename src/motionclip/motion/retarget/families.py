"""Tunings of known skeletons: how their local axes lie in the T-pose, and what their rest poses are off it by.

A tuning is recognised by joint names alone, without case, punctuation and prefixes. Bodies of other names need none:
``humanoid.py`` finds their parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


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


def find_tuning(names: Sequence[str]) -> tuple[Family, dict[str, int]] | None:
    """Returns the tuning for a skeleton whose joints have exactly these names, and canonical name to joint index."""
    plain = {_plain(name): joint for joint, name in enumerate(names)}
    for family in TUNINGS:
        wanted = {joint: _plain(source) for joint, source in family.joints.items()}
        if all(source in plain for source in wanted.values()):
            return family, {joint: plain[source] for joint, source in wanted.items()}
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def sided(middle: Mapping[str, str], sides: Mapping[str, str], left: str, right: str) -> dict[str, str]:
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
    joints=sided(
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
    joints=sided(
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

MIXAMO_SIDES = {
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
    joints=sided(
        {
            "pelvis": "Hips",
            "spine1": "LowerBack",
            "spine2": "Spine",
            "spine3": "Spine1",
            "neck": "Neck1",
            "head": "Head",
        },
        MIXAMO_SIDES | {"hand": "{}HandIndex1"},
        "Left",
        "Right",
    ),
    turns=_turns({"shoulder": (30.0, 0.0, 0.0), "ankle": (4.0, 0.0, 0.0)}),
    hand_twists_forearm=True,
    feet_follow_legs=True,
)

HUMAN_IK = {
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
    joints=sided(
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

# As HumanIK, but x runs along every bone: read off a frame that stands with spread arms.
LAFAN1 = Family(
    name="lafan1",
    joints=sided(HUMAN_IK, MIXAMO_SIDES | {"foot": "{}Toe"}, "Left", "Right"),
    axes=dict.fromkeys(HUMAN_IK.values(), "+Y +Z +X")
    | {f"{side}{joint}": "-Y +Z -X" for side in ("Left", "Right") for joint in ("UpLeg", "Leg")}
    | {f"{side}{joint}": "+Z +Y -X" for side in ("Left", "Right") for joint in ("Foot", "Toe")}
    | {f"Left{joint}": "+X -Z +Y" for joint in ("Shoulder", "Arm", "ForeArm", "Hand")}
    | {f"Right{joint}": "-X -Z -Y" for joint in ("Shoulder", "Arm", "ForeArm", "Hand")},
    turns=_turns({"ankle": (25.0, 0.0, 0.0)}),
)

DAZ = Family(
    name="daz",
    joints=sided(
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

#: All of them, in the order in which they are tried.
TUNINGS = (BANDAI_NAMCO, CMU_ASF, CMU_CGSPEED, CMU_CGSPEED_131, LAFAN1, DAZ)
