"""Skeletons with the joint names and the hierarchy of known rigs, and the proportions of the canonical body."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from motionclip.motion import CANONICAL, Skeleton

# Canonical joints of a limb, in order; names of other joints in a family's list lie halfway to the next of them.
LEG = ("hip", "knee", "ankle", "foot")
ARM = ("collar", "shoulder", "elbow", "wrist", "hand")


@dataclass(frozen=True)
class Rig:
    """A rig family.

    Attributes:
        legs: names of a leg's joints, ``{}`` for the side, with the canonical joint that each is, or "" for none.
        arms: the same for an arm.
        spine: names from the first above the pelvis to the chest.
        neck: names above the chest, the last is the head.
        pelvis: names from the root to the joint that carries the legs; the spine hangs on the first of them.
        sides: the words for left and right.
        arms_on: the name of the joint that the arms hang on, if it is not the chest.
        extra: more joints as (name, parent's name).
    """

    legs: tuple[tuple[str, str], ...]
    arms: tuple[tuple[str, str], ...]
    spine: tuple[str, ...]
    neck: tuple[str, ...]
    pelvis: tuple[str, ...] = ("Hips",)
    sides: tuple[str, str] = ("Left", "Right")
    arms_on: str | None = None
    extra: tuple[tuple[str, str], ...] = field(default=())


def _limb(parts: tuple[str, ...], *names: str) -> tuple[tuple[str, str], ...]:
    """Names paired with canonical joints; a name that begins with "~" is none of them."""
    rest = iter(parts)
    return tuple((name.removeprefix("~"), "" if name.startswith("~") else next(rest)) for name in names)


def leg(*names: str) -> tuple[tuple[str, str], ...]:
    return _limb(LEG, *names)


def arm(*names: str) -> tuple[tuple[str, str], ...]:
    return _limb(ARM, *names)


def bare_arm(*names: str) -> tuple[tuple[str, str], ...]:
    return _limb(ARM[1:], *names)


def _chained(parent: str, *names: str) -> list[tuple[str, str]]:
    """Joints in a row, each on the one before."""
    return list(zip(names, (parent, *names[:-1]), strict=True))


def _both_sides(joints: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Joints for each ".L" and ".R"; names with "{}" have a side."""
    return [(name.format(side), parent.format(side)) for side in "LR" for name, parent in joints]


def _makehuman_extra() -> tuple[tuple[str, str], ...]:
    """What MakeHuman's default rig has besides a body: fingers, toes, eyes, and the muscles of a face."""
    sided = [("breast.{}", "spine02"), *_chained("wrist.{}", "finger1-1.{}", "finger1-2.{}", "finger1-3.{}")]
    for finger in range(2, 6):
        bones = [f"finger{finger}-{bone}.{{}}" for bone in (1, 2, 3)]
        sided += _chained("wrist.{}", f"metacarpal{finger - 1}.{{}}", *bones)
        sided += _chained("foot.{}", *(f"toe{finger}-{bone}.{{}}" for bone in (1, 2, 3)))
    sided += [("toe1-2.{}", "toe1-1.{}"), *_chained("head", *(f"levator0{number}.{{}}" for number in range(2, 6)))]
    sided += _chained("head", "special06.{}", "special05.{}", "eye.{}")
    sided += [("orbicularis03.{}", "special05.{}"), ("orbicularis04.{}", "special05.{}")]
    sided += _chained("head", "temporalis01.{}", "oculi02.{}", "oculi01.{}")
    sided += _chained("head", "temporalis02.{}", "risorius02.{}", "risorius03.{}")
    sided += [("levator06.{}", "special03"), *_chained("special01", "oris04.{}", "oris03.{}")]
    sided += _chained("special04", "oris06.{}", "oris07.{}")
    middle = [("special01", "head"), ("special03", "head"), *_chained("head", "jaw", "special04", "oris02", "oris01")]
    return (*middle, *_chained("special01", "oris06", "oris05"), *_both_sides(sided))


_MIXAMO_LEG = leg("{}UpLeg", "{}Leg", "{}Foot", "{}ToeBase", "~{}Toe_End")
_MIXAMO_ARM = arm("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand", "{}HandMiddle1")
_LR = ("L", "R")
_SMALL = ("l", "r")

FAMILIES: dict[str, Rig] = {
    "mixamo": Rig(_MIXAMO_LEG, _MIXAMO_ARM, ("Spine", "Spine1", "Spine2"), ("Neck", "Head", "HeadTop_End")),
    "soma": Rig(
        leg("{}Leg", "{}Shin", "{}Foot", "{}ToeBase"),
        arm("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand"),
        ("Spine1", "Spine2", "Chest"),
        ("Neck1", "Neck2", "Head", "HeadEnd"),
    ),
    "smpl": Rig(
        leg("{}_Hip", "{}_Knee", "{}_Ankle", "{}_Foot"),
        arm("{}_Collar", "{}_Shoulder", "{}_Elbow", "{}_Wrist", "{}_Hand"),
        ("Spine1", "Spine2", "Spine3"),
        ("Neck", "Head"),
        ("Pelvis",),
        _LR,
    ),
    "vrm": Rig(
        leg("J_Bip_{}_UpperLeg", "J_Bip_{}_LowerLeg", "J_Bip_{}_Foot", "J_Bip_{}_ToeBase"),
        arm("J_Bip_{}_Shoulder", "J_Bip_{}_UpperArm", "J_Bip_{}_LowerArm", "J_Bip_{}_Hand", "J_Bip_{}_Middle1"),
        ("J_Bip_C_Spine", "J_Bip_C_Chest", "J_Bip_C_UpperChest"),
        ("J_Bip_C_Neck", "J_Bip_C_Head"),
        ("Root", "J_Bip_C_Hips"),
        _LR,
        extra=(("J_Adj_L_FaceEye", "J_Bip_C_Head"), ("J_Sec_Hair1_01", "J_Bip_C_Head")),
    ),
    "3dsmax_biped": Rig(
        leg("Bip01 {} Thigh", "Bip01 {} Calf", "Bip01 {} Foot", "Bip01 {} Toe0"),
        arm("Bip01 {} Clavicle", "Bip01 {} UpperArm", "Bip01 {} Forearm", "Bip01 {} Hand", "Bip01 {} Finger2"),
        ("Bip01 Spine", "Bip01 Spine1", "Bip01 Spine2"),
        ("Bip01 Neck", "Bip01 Head", "Bip01 HeadNub"),
        ("Bip01", "Bip01 Pelvis"),
        _LR,
        arms_on="Bip01 Neck",
    ),
    "daz_genesis8": Rig(
        leg("{}ThighBend", "~{}ThighTwist", "{}Shin", "{}Foot", "~{}Metatarsals", "{}Toe"),
        arm("{}Collar", "{}ShldrBend", "~{}ShldrTwist", "{}ForearmBend", "~{}ForearmTwist", "{}Hand", "{}Mid1"),
        ("abdomenLower", "abdomenUpper", "chestLower", "chestUpper"),
        ("neckLower", "neckUpper", "head"),
        ("hip", "pelvis"),
        _SMALL,
        extra=(("lEye", "head"), ("rEye", "head"), ("lPectoral", "chestUpper"), ("rPectoral", "chestUpper")),
    ),
    "blender_rigify_deform": Rig(
        leg("DEF-thigh.{}", "~DEF-thigh.{}.001", "DEF-shin.{}", "~DEF-shin.{}.001", "DEF-foot.{}", "DEF-toe.{}"),
        arm(
            *("DEF-shoulder.{}", "DEF-upper_arm.{}", "~DEF-upper_arm.{}.001", "DEF-forearm.{}", "~DEF-forearm.{}.001"),
            *("DEF-hand.{}", "DEF-f_middle.01.{}"),
        ),
        ("DEF-spine.001", "DEF-spine.002", "DEF-spine.003"),
        ("DEF-spine.004", "DEF-spine.005", "DEF-spine.006"),
        ("root", "DEF-spine"),
        _LR,
    ),
    "unreal5": Rig(
        leg("thigh_{}", "calf_{}", "foot_{}", "ball_{}"),
        arm("clavicle_{}", "upperarm_{}", "lowerarm_{}", "hand_{}", "middle_01_{}"),
        ("spine_01", "spine_02", "spine_03", "spine_04", "spine_05"),
        ("neck_01", "neck_02", "head"),
        ("root", "pelvis"),
        _SMALL,
        extra=(
            *(("ik_foot_root", "root"), ("ik_foot_l", "ik_foot_root"), ("ik_foot_r", "ik_foot_root")),
            *(("ik_hand_root", "root"), ("ik_hand_gun", "ik_hand_root"), ("ik_hand_l", "ik_hand_gun")),
            *(("thigh_twist_01_l", "thigh_l"), ("upperarm_twist_01_r", "upperarm_r")),
        ),
    ),
    "character_creator": Rig(
        leg("CC_Base_{}_Thigh", "CC_Base_{}_Calf", "CC_Base_{}_Foot", "CC_Base_{}_ToeBase"),
        arm("CC_Base_{}_Clavicle", "CC_Base_{}_Upperarm", "CC_Base_{}_Forearm", "CC_Base_{}_Hand", "CC_Base_{}_Mid1"),
        ("CC_Base_Waist", "CC_Base_Spine01", "CC_Base_Spine02"),
        ("CC_Base_NeckTwist01", "CC_Base_NeckTwist02", "CC_Base_Head"),
        ("CC_Base_Hip", "CC_Base_Pelvis"),
        _LR,
        extra=(
            *(("CC_Base_L_ThighTwist01", "CC_Base_L_Thigh"), ("CC_Base_L_Eye", "CC_Base_Head")),
            *(("CC_Base_JawRoot", "CC_Base_Head"), ("CC_Base_L_Breast", "CC_Base_Spine02")),
        ),
    ),
    "makehuman": Rig(
        leg("~pelvis.{}", "upperleg01.{}", "~upperleg02.{}", "lowerleg01.{}", "~lowerleg02.{}", "foot.{}", "toe1-1.{}"),
        arm(
            *("clavicle.{}", "~shoulder01.{}", "upperarm01.{}", "~upperarm02.{}", "lowerarm01.{}", "~lowerarm02.{}"),
            *("wrist.{}",),
        ),
        ("spine05", "spine04", "spine03", "spine02", "spine01"),
        ("neck01", "neck02", "neck03", "head"),
        ("root",),
        _LR,
        extra=_makehuman_extra(),
    ),
    "optitrack": Rig(
        leg("Skeleton 001_{}Thigh", "Skeleton 001_{}Shin", "Skeleton 001_{}Foot", "Skeleton 001_{}Toe"),
        arm("Skeleton 001_{}Shoulder", "Skeleton 001_{}UArm", "Skeleton 001_{}FArm", "Skeleton 001_{}Hand"),
        ("Skeleton 001_Ab", "Skeleton 001_Chest"),
        ("Skeleton 001_Neck", "Skeleton 001_Head"),
        ("Skeleton 001_Hip",),
        _LR,
    ),
    "rokoko": Rig(
        leg("{}Thigh", "{}Shin", "{}Foot", "{}Toe"),
        arm("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand"),
        ("Spine1", "Spine2", "Spine3", "Spine4"),
        ("Neck", "Head"),
    ),
    "xsens": Rig(
        leg("{}UpperLeg", "{}LowerLeg", "{}Foot", "{}Toe"),
        arm("{}Shoulder", "{}UpperArm", "{}ForeArm", "{}Hand"),
        ("L5", "L3", "T12", "T8"),
        ("Neck", "Head"),
        ("Pelvis",),
    ),
    "perception_neuron": Rig(
        leg("Robot_{}UpLeg", "Robot_{}Leg", "Robot_{}Foot"),
        arm("Robot_{}Shoulder", "Robot_{}Arm", "Robot_{}ForeArm", "Robot_{}Hand", "Robot_{}InHandMiddle"),
        ("Robot_Spine", "Robot_Spine1", "Robot_Spine2", "Robot_Spine3"),
        ("Robot_Neck", "Robot_Head"),
        ("Robot_Hips",),
    ),
    "mmd": Rig(
        leg("{}足", "{}ひざ", "{}足首", "{}つま先"),
        arm("{}肩", "{}腕", "~{}腕捩", "{}ひじ", "~{}手捩", "{}手首", "{}中指１"),
        ("上半身", "上半身2"),
        ("首", "頭"),
        ("センター", "下半身"),
        ("左", "右"),
        extra=(("左足ＩＫ", "センター"), ("右足ＩＫ", "センター"), ("左目", "頭"), ("右目", "頭")),
    ),
    "kaykit": Rig(
        leg("upperleg.{}", "lowerleg.{}", "foot.{}", "toes.{}"),
        bare_arm("upperarm.{}", "lowerarm.{}", "wrist.{}", "hand.{}", "~handslot.{}"),
        ("spine", "chest"),
        ("head",),
        ("root", "hips"),
        _SMALL,
    ),
    "biovision": Rig(
        leg("{}UpLeg", "{}LowLeg", "{}Foot"),
        arm("{}Collar", "{}UpArm", "{}LowArm", "{}Hand"),
        ("Chest",),
        ("Neck", "Head"),
    ),
    "second_life": Rig(
        leg("mHip{}", "mKnee{}", "mAnkle{}", "mFoot{}", "~mToe{}"),
        arm("mCollar{}", "mShoulder{}", "mElbow{}", "mWrist{}", "mHandMiddle1{}"),
        ("mSpine1", "mSpine2", "mTorso", "mSpine3", "mSpine4", "mChest"),
        ("mNeck", "mHead", "mSkull"),
        ("mPelvis",),
        extra=(
            *(("mEyeLeft", "mHead"), ("mFaceJaw", "mHead"), ("mTail1", "mPelvis"), ("mGroin", "mPelvis")),
            *(("mHindLimbsRoot", "mPelvis"), ("mWingsRoot", "mChest"), ("mHandThumb1Left", "mWristLeft")),
        ),
    ),
    "smplx": Rig(
        leg("{}_hip", "{}_knee", "{}_ankle", "{}_foot"),
        arm("{}_collar", "{}_shoulder", "{}_elbow", "{}_wrist", "{}_middle1"),
        ("spine1", "spine2", "spine3"),
        ("neck", "head"),
        ("pelvis",),
        ("left", "right"),
        extra=(
            *(("jaw", "head"), ("left_eye_smplhf", "head"), ("right_eye_smplhf", "head")),
            *(("left_index1", "left_wrist"), ("right_thumb1", "right_wrist")),
        ),
    ),
    "metahuman": Rig(
        leg("thigh_{}", "calf_{}", "foot_{}", "ball_{}"),
        arm("clavicle_{}", "upperarm_{}", "lowerarm_{}", "hand_{}", "~middle_metacarpal_{}", "middle_01_{}"),
        ("spine_01", "spine_02", "spine_03", "spine_04", "spine_05"),
        ("neck_01", "neck_02", "head"),
        ("root", "pelvis"),
        _SMALL,
        extra=(
            *(("thigh_correctiveRoot_l", "thigh_l"), ("thigh_bck_l", "thigh_correctiveRoot_l")),
            *(("calf_kneeBack_l", "calf_l"), ("upperarm_correctiveRoot_l", "upperarm_l")),
            *(("clavicle_pec_l", "clavicle_l"), ("clavicle_scap_l", "clavicle_l"), ("FACIAL_C_FacialRoot", "head")),
            *(
                ("FACIAL_L_Ear", "FACIAL_C_FacialRoot"),
                ("hand_r_wrist_inner", "hand_r"),
                ("spine_04_latissimus_l", "spine_04"),
            ),
        ),
    ),
    "auto_rig_pro": Rig(
        leg("c_thigh_b.{}", "~thigh_twist.{}", "leg_stretch.{}", "~leg_twist.{}", "foot.{}", "toes_01.{}"),
        arm("shoulder.{}", "arm_stretch.{}", "~arm_twist.{}", "forearm_stretch.{}", "~forearm_twist.{}", "hand.{}"),
        ("spine_01.x", "spine_02.x", "spine_03.x"),
        ("neck.x", "head.x"),
        ("c_root_master.x", "root.x"),
        _SMALL,
        extra=(
            ("c_jawbone.x", "head.x"),
            ("c_thigh_fk.l", "root.x"),
            ("c_foot_ik.l", "c_root_master.x"),
            ("c_ear_01.l", "head.x"),
        ),
    ),
    "poser": Rig(
        leg("{} Thigh", "{} Shin", "{} Foot", "{} Toe"),
        arm("{} Collar", "{} Shoulder", "{} Forearm", "{} Hand", "{} Mid 1"),
        ("Abdomen", "Chest"),
        ("Neck", "Head"),
        ("Body", "Hip"),
        extra=(("Left Eye", "Head"), ("Right Eye", "Head"), ("Left Index 1", "Left Hand"), ("Left Buttock", "Hip")),
    ),
    "truebones": Rig(
        leg("{}Thigh", "{}Calf", "{}Foot", "{}Toe0"),
        arm("{}Clavicle", "{}UpperArm", "{}Forearm", "{}Hand", "{}Finger2"),
        ("Spine", "Spine1"),
        ("Neck", "Head"),
        ("Hips",),
        ("BN_L_", "BN_R_"),
    ),
    "mvn": Rig(
        leg("{}Hip", "{}Knee", "{}Ankle", "{}Toe"),
        arm("{}Collar", "{}Shoulder", "{}Elbow", "{}Wrist"),
        ("Chest", "Chest2", "Chest3", "Chest4"),
        ("Neck", "Head"),
    ),
    "kinect": Rig(
        leg("Hip{}", "Knee{}", "Ankle{}", "Foot{}"),
        bare_arm("Shoulder{}", "Elbow{}", "Wrist{}", "Hand{}", "~HandTip{}"),
        ("SpineMid", "SpineShoulder"),
        ("Neck", "Head"),
        ("SpineBase",),
    ),
    "azure_kinect": Rig(
        leg("HIP_{}", "KNEE_{}", "ANKLE_{}", "FOOT_{}"),
        arm("CLAVICLE_{}", "SHOULDER_{}", "ELBOW_{}", "WRIST_{}", "HAND_{}", "~HANDTIP_{}"),
        ("SPINE_NAVEL", "SPINE_CHEST"),
        ("NECK", "HEAD", "NOSE"),
        ("PELVIS",),
        ("LEFT", "RIGHT"),
        extra=(("EYE_LEFT", "HEAD"), ("EAR_LEFT", "HEAD"), ("THUMB_LEFT", "WRIST_LEFT")),
    ),
    "unity_humanoid": Rig(
        leg("{}UpperLeg", "{}LowerLeg", "{}Foot", "{}Toes"),
        arm("{}Shoulder", "{}UpperArm", "{}LowerArm", "{}Hand", "{}MiddleProximal"),
        ("Spine", "Chest", "UpperChest"),
        ("Neck", "Head"),
        extra=(("LeftEye", "Head"), ("Jaw", "Head"), ("LeftThumbProximal", "LeftHand")),
    ),
    "vroid": Rig(
        leg("upper_leg.{}", "lower_leg.{}", "foot.{}", "toes.{}"),
        arm("shoulder.{}", "upper_arm.{}", "lower_arm.{}", "hand.{}", "middle_proximal.{}"),
        ("spine", "chest", "upper_chest"),
        ("neck", "head"),
        ("Root", "hips"),
        _LR,
        extra=(("HairJoint-1", "head"), ("BustLeft", "chest"), ("SkirtFront", "hips")),
    ),
    "roblox_r15": Rig(
        leg("{}UpperLeg", "{}LowerLeg", "{}Foot"),
        bare_arm("{}UpperArm", "{}LowerArm", "{}Hand"),
        ("UpperTorso",),
        ("Head",),
        ("HumanoidRootPart", "LowerTorso"),
    ),
    "source_engine": Rig(
        leg(
            "ValveBiped.Bip01_{}_Thigh",
            "ValveBiped.Bip01_{}_Calf",
            "ValveBiped.Bip01_{}_Foot",
            "ValveBiped.Bip01_{}_Toe0",
        ),
        arm(
            *("ValveBiped.Bip01_{}_Clavicle", "ValveBiped.Bip01_{}_UpperArm", "ValveBiped.Bip01_{}_Forearm"),
            *("ValveBiped.Bip01_{}_Hand", "ValveBiped.Bip01_{}_Finger2"),
        ),
        ("ValveBiped.Bip01_Spine", "ValveBiped.Bip01_Spine1", "ValveBiped.Bip01_Spine2", "ValveBiped.Bip01_Spine4"),
        ("ValveBiped.Bip01_Neck1", "ValveBiped.Bip01_Head1"),
        ("ValveBiped.Bip01_Pelvis",),
        _LR,
        extra=(
            ("ValveBiped.weapon_bone", "ValveBiped.Bip01_R_Hand"),
            ("ValveBiped.Anim_Attachment_LH", "ValveBiped.Bip01_L_Hand"),
        ),
    ),
    "renderpeople": Rig(
        leg("upperleg_{}", "lowerleg_{}", "foot_{}", "ball_{}"),
        arm("shoulder_{}", "upperarm_{}", "lowerarm_{}", "hand_{}", "middle_01_{}"),
        ("spine_01", "spine_02", "spine_03"),
        ("neck", "head", "headEnd"),
        ("root", "hip"),
        _SMALL,
        extra=(("eye_l", "head"), ("jaw", "head"), ("upperarm_twist_l", "upperarm_l")),
    ),
    "spanish": Rig(
        leg("Muslo_{}", "Pantorrilla_{}", "Pie_{}", "Punta_{}"),
        arm("Clavicula_{}", "Brazo_{}", "Antebrazo_{}", "Mano_{}"),
        ("Columna1", "Columna2", "Pecho"),
        ("Cuello", "Cabeza"),
        ("Cadera",),
        ("Izq", "Der"),
    ),
    "german": Rig(
        leg("Oberschenkel_{}", "Unterschenkel_{}", "Fuss_{}", "Zehen_{}"),
        arm("Schluesselbein_{}", "Oberarm_{}", "Unterarm_{}", "Hand_{}"),
        ("Wirbelsaeule", "Brust"),
        ("Hals", "Kopf"),
        ("Becken",),
        ("Links", "Rechts"),
    ),
    "french": Rig(
        leg("Cuisse_{}", "Mollet_{}", "Pied_{}", "Orteils_{}"),
        arm("Clavicule_{}", "Bras_{}", "AvantBras_{}", "Main_{}"),
        ("Colonne1", "Colonne2", "Poitrine"),
        ("Cou", "Tete"),
        ("Bassin",),
        ("Gauche", "Droite"),
    ),
    "upper_case": Rig(
        leg("{}_THIGH", "{}_SHIN", "{}_FOOT", "{}_TOE"),
        arm("{}_CLAVICLE", "{}_UPPERARM", "{}_FOREARM", "{}_HAND"),
        ("SPINE1", "SPINE2"),
        ("NECK", "HEAD"),
        ("ROOT", "PELVIS"),
        _LR,
    ),
    "advanced_skeleton": Rig(
        leg("Hip_{}", "~HipPart1_{}", "Knee_{}", "Ankle_{}", "Toes_{}", "~ToesEnd_{}"),
        arm("Scapula_{}", "Shoulder_{}", "~ShoulderPart1_{}", "Elbow_{}", "Wrist_{}", "MiddleFinger1_{}"),
        ("Spine1_M", "Chest_M"),
        ("Neck_M", "Head_M", "HeadEnd_M"),
        ("Root_M",),
        _LR,
        extra=(("Jaw_M", "Head_M"), ("Eye_L", "Head_M"), ("Cup_L", "Wrist_L")),
    ),
    "godot_ik_props": Rig(
        leg("{}UpperLeg", "{}LowerLeg", "{}Foot", "{}Toes"),
        arm("{}Shoulder", "{}UpperArm", "{}LowerArm", "{}Hand"),
        ("Spine", "Chest", "UpperChest"),
        ("Neck", "Head"),
        ("Root", "Hips"),
        extra=(
            *(
                ("LeftHandIK", "Root"),
                ("LeftElbowPole", "Root"),
                ("RightKneePoleTarget", "Root"),
                ("LeftFootIK", "Root"),
            ),
            *(("RightHandWeapon", "RightHand"), ("LeftHandSword", "LeftHand"), ("HandCamera", "Root")),
        ),
    ),
    "ue_mannequin_ik_first": Rig(
        leg("{}_thigh_jnt", "{}_knee_jnt", "{}_ankle_jnt", "{}_ball_jnt", "~{}_toe_jnt"),
        arm("{}_clavicle_jnt", "{}_shoulder_jnt", "{}_elbow_jnt", "{}_wrist_jnt", "{}_middle_01_jnt"),
        ("c_spine_01_jnt", "c_spine_02_jnt", "c_chest_jnt"),
        ("c_neck_jnt", "c_head_jnt"),
        ("c_root_jnt", "c_pelvis_jnt"),
        ("l", "r"),
    ),
    "ten_spines": Rig(
        leg("{}_leg_upper", "{}_leg_lower", "{}_foot", "{}_toe"),
        arm("{}_clavicle", "{}_arm_upper", "{}_arm_lower", "{}_hand"),
        tuple(f"spine_{number:02d}" for number in range(1, 11)),
        ("neck_01", "neck_02", "head"),
        ("root", "pelvis"),
        _SMALL,
    ),
}


_HEADS = ("head", "頭", "def-spine.006", "cabeza", "kopf", "tete", "tête")


def build(rig: Rig, prefix: str = "", suffix: str = "") -> Skeleton:
    """The skeleton of a rig family, in the canonical T-pose and proportions."""
    rest = CANONICAL.rest_positions
    at = {name: rest[joint] for joint, name in enumerate(CANONICAL.names)}
    places: dict[str, torch.Tensor] = {}
    parents: dict[str, str | None] = {}

    def add(name: str, place: torch.Tensor, parent: str | None) -> str:
        places[name], parents[name] = place, parent
        return name

    for number, name in enumerate(rig.pelvis):
        add(name, at["pelvis"], rig.pelvis[number - 1] if number else None)
    legs_on, spine_on = rig.pelvis[-1], rig.pelvis[0] if rig.pelvis[0] not in ("root", "Root") else rig.pelvis[-1]
    parent = spine_on
    for number, name in enumerate(rig.spine):
        low = 0.3  # the first joint of a spine lies at the loins
        share = low + (1 - low) * number / max(len(rig.spine) - 1, 1)
        knots = torch.stack([at["pelvis"], at["spine1"], at["spine2"], at["spine3"]])
        parent = add(name, _along(knots, share), parent)
    chest = parent
    for number, name in enumerate(rig.neck):
        ends = torch.stack([at["neck"], at["head"]])
        heads = [n for n, each in enumerate(rig.neck) if any(word in each.lower() for word in _HEADS)]
        share = min(number / max(heads[0], 1), 1.0) if number <= heads[0] else 1.0
        tip = torch.tensor([0.0, 0.19, 0.0]) if number > heads[0] else torch.zeros(3)
        parent = add(name, _along(ends, share) + tip, parent)
    for side, word in zip(("left", "right"), rig.sides, strict=True):
        for parts, start in ((rig.legs, legs_on), (rig.arms, rig.arms_on or chest)):
            _add_limb(parts, start, side, word, at, places, add)
    for name, parent in rig.extra:
        add(name, places[parent] + torch.tensor([0.02, 0.02, 0.05]), parent)
    names = list(places)
    offsets = [places[name] - (places[parents[name]] if parents[name] else places[name]) for name in names]
    return Skeleton(
        tuple(prefix + name + suffix for name in names),
        tuple(-1 if parents[name] is None else names.index(str(parents[name])) for name in names),
        torch.stack(offsets),
    )


def _along(knots: torch.Tensor, share: float) -> torch.Tensor:
    """The point at a share of the way along a line of knots (N, 3)."""
    lengths = knots.diff(dim=0).norm(dim=-1)
    way = share * float(lengths.sum())
    for start, end, length in zip(knots[:-1], knots[1:], lengths.tolist(), strict=True):
        if way <= length + 1e-6:
            return start + (end - start) * (way / length if length else 0.0)
        way -= length
    return knots[-1]


def _add_limb(parts, start, side, word, at, places, add) -> None:  # type: ignore[no-untyped-def]
    parent = start
    for number, (name, joint) in enumerate(parts):
        following = next((other for _, other in parts[number + 1 :] if other), "")
        if joint:
            place = at[f"{side}_{joint}"]
        elif following:
            place = (places[parent] + at[f"{side}_{following}"]) / 2
        else:
            place = places[parent] + torch.tensor([0.0, 0.0, 0.05])
        parent = add(name.format(word), place, parent)
