"""Movements on other skeletons: names, rest poses and proportions of theirs, the movement of the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
import torch
from motions import smooth_motion

from motionclip.errors import SkeletonError
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import RIGS, retarget, retarget_onto, retarget_report, standard_rig
from motionclip.motion.retarget.families import BANDAI_NAMCO, LAFAN1, TUNINGS, Family
from motionclip.motion.retarget.humanoid import LIMB_BONES
from motionclip.motion.retarget.rigs import MIXAMO, RIGIFY, UNREAL


def renamed(names: Mapping[str, str], offsets: torch.Tensor = CANONICAL.offsets) -> Skeleton:
    """The canonical tree with other names."""
    return Skeleton(
        tuple(names.get(name, f"part {joint}") for joint, name in enumerate(CANONICAL.names)),
        CANONICAL.parents,
        offsets,
    )


def bent(degrees: float) -> torch.Tensor:
    """Rest offsets with arms that hang by an angle from the T-pose, and elbows and knees a little bent."""
    offsets = CANONICAL.offsets.clone()
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for joint, angle in (("elbow", degrees), ("wrist", degrees + 10), ("hand", degrees + 10)):
            index = CANONICAL.index(f"{side}_{joint}")
            turn = rot.rotvec_to_matrix(torch.deg2rad(torch.tensor([0.0, 0.0, sign * angle])))
            offsets[index] = turn @ offsets[index]
    return offsets


def directions(motion: Motion, bones: list[tuple[int, int]]) -> torch.Tensor:
    ends = torch.tensor(bones)
    return torch.nn.functional.normalize(motion.positions[:, ends[:, 1]] - motion.positions[:, ends[:, 0]], dim=-1)


def assert_same_turns(found: Motion, expected: Motion, joints: Iterable[str]) -> None:
    which = CANONICAL.indices([name for name in joints if "hand" not in name])
    torch.testing.assert_close(found.world[0][:, which], expected.world[0][:, which], atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", [f for f in TUNINGS if not f.axes], ids=lambda family: family.name)
def test_there_and_back_again(family: Family) -> None:
    motion = retarget(smooth_motion())  # on the floor, where it comes back
    back = retarget(retarget_onto(motion, renamed(family.joints)))
    twisted = {"left_elbow", "right_elbow"} if family.hand_twists_forearm else set()
    # a spine of fewer joints bends elsewhere, and the neck makes good for it
    spine = set() if "spine2" in family.joints else {"spine1", "spine3", "neck"}
    assert_same_turns(back, motion, set(family.joints) - twisted - spine)
    assert retarget_report(motion, back).trunk_max < 2.0
    torch.testing.assert_close(back.root[:, ::2], motion.root[:, ::2], atol=1e-4, rtol=0)
    assert (back.root - motion.root).abs().max() < 2e-3  # without joints for the feet the floor is found otherwise


@pytest.mark.parametrize("degrees", [0.0, 45.0, 75.0])
@pytest.mark.parametrize("scale", [0.4, 1.0, 100.0])
def test_limbs_point_as_in_the_source_and_the_path_is_scaled(degrees: float, scale: float) -> None:
    motion = smooth_motion()
    found = retarget_onto(motion, renamed(MIXAMO, bent(degrees) * scale))
    bones = [(CANONICAL.index(a), CANONICAL.index(b)) for a, b in LIMB_BONES]
    torch.testing.assert_close(directions(found, bones), directions(motion, bones), atol=1e-5, rtol=0)
    hips = CANONICAL.indices(["left_hip", "right_hip"])
    there, here = found.positions[:, hips].mean(1), motion.positions[:, hips].mean(1)
    torch.testing.assert_close(there / scale, here, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", [BANDAI_NAMCO, LAFAN1], ids=lambda family: family.name)
def test_axes_read_off_other_files_do_not_matter_where_the_rest_pose_stands(family: Family) -> None:
    motion = smooth_motion()
    joints = set(family.joints) - (set() if "spine2" in family.joints else {"spine1", "spine3", "neck"})
    assert_same_turns(retarget_onto(motion, renamed(family.joints)), motion, joints)


def test_joints_without_counterpart_keep_their_rest_pose_and_one_finger_of_several_is_one() -> None:
    base = renamed(UNREAL)
    extra = Skeleton(
        (*base.names, "index_01_l", "lowerarm_twist_01_l"),
        (*base.parents, base.index("hand_l"), base.index("lowerarm_l")),
        torch.cat([base.offsets, torch.tensor([[0.09, 0.0, 0.03], [0.1, 0.0, 0.0]])]),
    )
    found = retarget_onto(smooth_motion(), extra)
    for name in ("index_01_l", "lowerarm_twist_01_l", "middle_01_l"):
        assert torch.allclose(found.rotations[:, extra.index(name)], torch.eye(3), atol=1e-6)
    assert not torch.allclose(found.rotations[:, extra.index("middle_01_r")], torch.eye(3), atol=0.01)


@pytest.mark.parametrize("rig", RIGS)
def test_standard_rigs_stand_in_a_t_pose_and_move_as_the_canonical_skeleton(rig: str) -> None:
    skeleton, motion = standard_rig(rig), smooth_motion()
    above = skeleton.num_joints - CANONICAL.num_joints
    rest = skeleton.rest_positions[above:] - skeleton.rest_positions[above]
    torch.testing.assert_close(rest, CANONICAL.rest_positions)
    found = retarget_onto(motion, skeleton)
    torch.testing.assert_close(found.positions[:, above:], motion.positions, atol=1e-5, rtol=0)


def test_bones_of_one_kind_may_hang_on_a_root_without_that_prefix() -> None:
    names = tuple(f"DEF-{RIGIFY[name]}" for name in CANONICAL.names)
    skeleton = Skeleton(
        ("root", *names),
        (-1, *(parent + 1 for parent in CANONICAL.parents)),
        torch.cat([torch.zeros(1, 3), CANONICAL.offsets]),
    )
    found = retarget_onto(smooth_motion(), skeleton)
    torch.testing.assert_close(found.positions[:, 1:], smooth_motion().positions, atol=1e-5, rtol=0)


def test_unreals_root_lies_on_the_floor_below_the_pelvis_and_does_not_turn() -> None:
    motion = smooth_motion()
    standing = Motion(torch.eye(3).expand(1, 24, 3, 3), torch.tensor([[0.3, 0.947, 0.5]]), 30.0, CANONICAL)
    skeleton = standard_rig("unreal")
    assert (skeleton.names[0], skeleton.names[1]) == ("root", "pelvis")
    torch.testing.assert_close(retarget_onto(standing, skeleton).root, torch.tensor([[0.3, 0.0, 0.5]]))
    found = retarget_onto(motion, skeleton)
    assert torch.equal(found.rotations[:, 0], torch.eye(3).expand(40, 3, 3))


def test_the_source_may_have_any_names_and_proportions() -> None:
    motion = retarget(smooth_motion())
    source = retarget_onto(motion, renamed(UNREAL, CANONICAL.offsets * 2))
    found = retarget_onto(source, standard_rig("unity"))
    torch.testing.assert_close(found.positions, motion.positions, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("skeleton", "says"),
    [
        (
            renamed({n: n for n in CANONICAL.names if n not in ("left_knee", "left_ankle", "left_foot")}),
            "(?s)not found: .*left_ankle",
        ),
        (renamed(MIXAMO, CANONICAL.offsets.abs()), "does not stand"),
    ],
)
def test_skeletons_that_cannot_be_used(skeleton: Skeleton, says: str) -> None:
    with pytest.raises(SkeletonError, match=says):
        retarget_onto(smooth_motion(), skeleton)


def test_unknown_rigs_are_told_with_those_that_are_known() -> None:
    with pytest.raises(SkeletonError, match="no rig is called 'maya'; expected one of blender, mixamo, unreal, unity"):
        standard_rig("maya")
