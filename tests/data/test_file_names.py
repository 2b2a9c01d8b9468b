"""Names as words: of mirrors of ACCAD, LAFAN1, KayKit, asset packs, and of users."""

import pytest

from motionclip.data.file_names import words_of, words_of_take


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a/Walk_forward-02.bvh", "walk forward"),
        ("JumpHigh.bvh", "jump high"),
        ("take_a_bow.bvh", "take a bow"),
        ("01_02.bvh", ""),
        ("Take_001.fbx", ""),
        ("dance/take01.bvh", ""),
        ("walk_45.bvh", "walk"),
        ("Male1_B10_WalkTurnLeft45.bvh", "walk turn left 45"),
        ("Female1_B15_WalkTurnAround180.bvh", "walk turn around 180"),
        ("Male1_C19_Run2Hop2Walk.bvh", "run to hop to walk"),
        ("Female1_B21_S2_PutDownBoxToWalk.bvh", "put down box to walk"),
        ("Female1_A02_SwayT2.bvh", "sway"),
        ("Male1_A15_SkipToStand_Take_001.bvh", "skip to stand"),
        ("walk1_subject1.bvh", "walk"),
        ("fallAndGetUp1_subject4.bvh", "fall and get up"),
        ("kaykit_1H_Melee_Attack_Chop.bvh", "one handed melee attack chop"),
        ("kaykit_Death_A.bvh", "death"),
        ("Jog_Fwd_Loop", "jog forward"),
        ("T-Pose", "t pose"),
        ("HumanArmature|Man_Walk", "man walk"),
        ("Walk.001", "walk"),
    ],
)
def test_words_of_names(name, words):
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("take", "words"),
    [("Roll", "roll"), (None, "big jump"), ("mixamo.com", "big jump"), ("ArmatureAction", "big jump")],
)
def test_an_animation_that_nobody_has_named_is_called_like_its_file(take, words):
    assert words_of_take(take, "BigJump.fbx") == words
