"""The joint names and hierarchies of known rigs."""

from __future__ import annotations

from rig_building import Rig, arm, bare_arm, leg


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
    "arkit": Rig(
        leg("{}_upLeg_joint", "{}_leg_joint", "{}_foot_joint", "{}_toes_joint", "~{}_toesEnd_joint"),
        arm("{}_shoulder_1_joint", "{}_arm_joint", "{}_forearm_joint", "{}_hand_joint", "{}_handMid_1_joint"),
        tuple(f"spine_{number}_joint" for number in range(1, 8)),
        (*(f"neck_{number}_joint" for number in range(1, 5)), "head_joint"),
        ("root", "hips_joint"),
        ("left", "right"),
        extra=(("jaw_joint", "head_joint"), ("left_eye_joint", "head_joint")),
    ),
    "xsens_joints": Rig(
        leg("j{}Hip", "j{}Knee", "j{}Ankle", "j{}BallFoot"),
        arm("j{}T4Shoulder", "j{}Shoulder", "j{}Elbow", "j{}Wrist"),
        ("jL5S1", "jL4L3", "jL1T12", "jT9T8"),
        ("jT1C7", "jC1Head"),
        ("jPelvis",),
    ),
    "opensim": Rig(
        leg("femur_{}", "tibia_{}", "talus_{}", "toes_{}"),
        bare_arm("humerus_{}", "ulna_{}", "~radius_{}", "hand_{}"),
        ("torso",),
        ("head",),
        ("pelvis",),
        _SMALL,
    ),
    "chinese": Rig(
        leg("{}大腿", "{}小腿", "{}脚", "{}脚趾"),
        arm("{}锁骨", "{}上臂", "{}前臂", "{}手"),
        ("脊椎", "脊椎1", "胸部"),
        ("脖子", "头部"),
        ("骨盆",),
        ("左", "右"),
        extra=(("头发1", "头部"), ("头发2", "头发1")),
    ),
    "korean": Rig(
        leg("{}허벅지", "{}종아리", "{}발", "{}발가락"),
        arm("{}쇄골", "{}위팔", "{}아래팔", "{}손"),
        ("척추", "가슴"),
        ("목", "머리"),
        ("골반",),
        ("왼쪽", "오른쪽"),
    ),
    "russian": Rig(
        leg("Бедро_{}", "Голень_{}", "Стопа_{}", "Носок_{}"),
        arm("Ключица_{}", "Плечо_{}", "Предплечье_{}", "Кисть_{}"),
        ("Позвоночник", "Грудь"),
        ("Шея", "Голова"),
        ("Таз",),
        ("Л", "П"),
    ),
    "portuguese": Rig(
        leg("Coxa_{}", "Canela_{}", "Pé_{}", "DedosPé_{}"),
        arm("Clavícula_{}", "Braço_{}", "Antebraço_{}", "Mão_{}"),
        ("Coluna1", "Coluna2", "Peito"),
        ("Pescoço", "Cabeça"),
        ("Quadril",),
        ("Esq", "Dir"),
    ),
    "flat_case": Rig(
        leg("upperleg{}", "lowerleg{}", "foot{}", "toe{}"),
        arm("shoulder{}", "upperarm{}", "lowerarm{}", "hand{}"),
        ("spine", "spine1"),
        ("neck", "head"),
        ("root", "hips"),
        _SMALL,
    ),
}
