"""Names of joints are cut into words that say a side, a kind of body part, and what is no part of a limb."""

from __future__ import annotations

import pytest

from motionclip.motion.retarget.joint_names import understand_names

ARM = ("clavicle", "upperArm", "elbow", "hand")


@pytest.mark.parametrize(
    ("name", "side", "kind"),
    [
        ("LeftUpLeg", "left", "hip"),
        ("J_Bip_R_LowerLeg", "right", "knee"),
        ("mixamorig12:RightForeArm", "right", "elbow"),
        ("thigh.L.001", "left", "hip"),
        ("lShldrBend", "left", "upperarm"),
        ("RFemur", "right", "hip"),
        ("左ひじ", "left", "elbow"),
        ("右足首", "right", "ankle"),
        ("Épaule_Gauche", "left", "shoulder"),
        ("Knöchel_Links", "left", ""),
        ("Fuß_Rechts", "right", "sole"),
        ("MuñecaDerecha", "right", "wrist"),
        ("L3", "", "spine"),
        ("SpineMid", "", "spine"),
        ("LeftUpLegZero", "left", "hip"),
        ("RightForeArm_offset", "right", "elbow"),
        ("Prop1", "", ""),
        ("Lt_Forearm", "left", "elbow"),
        ("leg_rt_thigh", "right", "hip"),
        ("upperlegl", "left", "hip"),
        ("TOER", "right", "toe"),
        ("left_foot_index", "left", "toe"),
        ("Pé_Esq", "left", "sole"),
        ("Canela_Dir", "right", "knee"),
        ("DedosPé_Esq", "left", "toe"),
        ("Pierna_Superior_Izquierda", "left", "hip"),
        ("Rücken_unten", "", "spine"),
        ("talus_r", "right", "ankle"),
        ("左大臂", "left", "upperarm"),
        ("右小臂", "right", "elbow"),
        ("左手腕", "left", "wrist"),
        ("右前腕", "right", "elbow"),
        ("左脚", "left", "sole"),
        ("右锁骨", "right", "collar"),
        ("颈", "", "neck"),
        ("头部", "", "head"),
        ("骨盆", "", "pelvis"),
        ("왼쪽허벅지", "left", "hip"),
        ("오른발목", "right", "ankle"),
        ("머리", "", "head"),
        ("Бедро_Л", "left", "hip"),
        ("правая_ступня", "right", "sole"),
        ("Предплечье_Пр", "right", "elbow"),
        ("Голова", "", "head"),
    ],
)
def test_a_name_tells_side_and_kind(name: str, side: str, kind: str) -> None:
    found = understand_names((name, "Hips"))[0]
    assert (found.side, found.kind) == (side, kind)


@pytest.mark.parametrize("names", ["{}_joint", "{}_JNT", "L_Boy_{}", "Head_Hunter:{}", "Right Robot {} bone"])
def test_what_most_names_share_says_nothing(names: str) -> None:
    """Words for sides and parts are part of a character's name if nearly all joints have them."""
    parts = ("hips", "spine", "chest", "neck", "head", *(f"{side}_{part}" for side in ("l", "r") for part in ARM))
    found = understand_names(tuple(names.format(part) for part in parts))
    assert found == understand_names(parts)


@pytest.mark.parametrize("name", ["ik_foot_l", "LeftHandSword", "thigh_correctiveRoot_l", "head_nub", "RightEar"])
def test_controls_props_and_faces_are_aside(name: str) -> None:
    assert understand_names((name, "Hips"))[0].aside


def test_fingers_and_twist_bones_are_told() -> None:
    thumb, twist, palm = understand_names(("LeftHandThumb1", "upperarm_twist_01_r", "middle_metacarpal_l"))
    assert thumb.finger == "thumb" and palm.finger == "metacarpal"
    assert twist.twist and twist.side == "right"


def test_what_most_names_begin_with_is_no_word_of_theirs() -> None:
    """A character whose name is a body part's."""
    names = tuple(f"Foot Soldier {part}" for part in ("Hips", "LeftLeg", "RightLeg", "Spine", "Head"))
    assert [name.kind for name in understand_names(names)] == ["pelvis", "leg", "leg", "spine", "head"]
