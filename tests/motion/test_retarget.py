"""Retargeting: a known movement, dressed as the skeleton of a family, comes back as it was."""

from dataclasses import replace

import pytest
import torch
from motions import smooth_motion
from torch import Tensor

from motionclip.errors import SkeletonError
from motionclip.motion import CANONICAL, Motion, Skeleton, local_rotations
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import floor_height, on_canonical, retarget, retarget_report
from motionclip.motion.retarget.families import BANDAI_NAMCO, CMU_ASF, TUNINGS, Family, find_tuning
from motionclip.motion.retarget.rigs import MIXAMO

IDENTITY = torch.eye(3)
SIDES = ("left", "right")
SMPL = {joint: joint for joint in CANONICAL.names}


def dressed(motion: Motion, names: dict[str, str], neutral: dict[str, Tensor], scale: float = 1.0) -> Motion:
    """The motion on a skeleton with other names, local axes and size, made from the definition.

    ``neutral`` is the world orientation of a joint's local axes in the T-pose (the world's where not
    given), so its world rotation is the canonical one times ``neutral``.
    """
    kept = [joint for joint, name in enumerate(CANONICAL.names) if name in names]
    turns = torch.stack([neutral.get(CANONICAL.names[joint], IDENTITY) for joint in kept])
    parents = [-1]
    for joint in kept[1:]:
        parent = CANONICAL.parents[joint]
        while parent not in kept:
            parent = CANONICAL.parents[parent]
        parents.append(kept.index(parent))
    rest = CANONICAL.rest_positions[kept] * scale
    offsets = torch.zeros(len(kept), 3)
    for joint, parent in enumerate(parents[1:], 1):
        offsets[joint] = turns[parent].T @ (rest[joint] - rest[parent])
    skeleton = Skeleton(tuple(names[CANONICAL.names[joint]] for joint in kept), tuple(parents), offsets)
    world = motion.world[0][:, kept] @ turns
    return Motion(local_rotations(world, skeleton), motion.root * scale, motion.fps, skeleton)


def about(axis: int, degrees: float) -> Tensor:
    return rot.rotvec_to_matrix(torch.deg2rad(torch.tensor(degrees)) * IDENTITY[axis])


def assert_same_pose(found: Motion, expected: Motion, joints: tuple[str, ...] = CANONICAL.names) -> None:
    """Same world rotations of the joints, and the same root path but for the height of the floor."""
    which = CANONICAL.indices(joints)
    torch.testing.assert_close(found.world[0][:, which], expected.world[0][:, which], atol=1e-4, rtol=0)
    drift = found.root - expected.root
    torch.testing.assert_close(drift, drift[:1].expand_as(drift), atol=1e-4, rtol=0)
    torch.testing.assert_close(drift[0, [0, 2]], torch.zeros(2), atol=1e-4, rtol=0)


def test_a_canonical_motion_only_moves_to_the_floor() -> None:
    motion = smooth_motion()
    found = retarget(motion)
    assert found.fps == motion.fps
    assert floor_height(found) == pytest.approx(0, abs=1e-5)
    assert_same_pose(found, motion)


def test_only_a_motion_on_another_skeleton_is_put_on_the_canonical_one() -> None:
    motion = smooth_motion()
    assert on_canonical(motion) is motion
    other = replace(motion, skeleton=replace(CANONICAL, offsets=2 * CANONICAL.offsets))
    assert on_canonical(other).skeleton is CANONICAL
    assert_same_pose(on_canonical(other), replace(motion, root=motion.root / 2))


@pytest.mark.parametrize("scale", [0.5, 1.0, 17.7])
@pytest.mark.parametrize("prefix", ["", "mixamorig:", "Character1_"])
def test_names_prefixes_and_sizes_do_not_matter(prefix: str, scale: float) -> None:
    names = {joint: prefix + name for joint, name in MIXAMO.items()}
    assert_same_pose(retarget(dressed(smooth_motion(), names, {}, scale)), smooth_motion())


def test_arms_and_legs_of_the_rest_pose_may_hang_and_spread() -> None:
    """An A-pose: arms 45 degrees down, legs 20 degrees apart; hands turn with the arms, feet are flat."""
    neutral = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        neutral |= {f"{side}_{joint}": about(2, sign * 45) for joint in ("shoulder", "elbow", "wrist", "hand")}
        neutral |= {f"{side}_{joint}": about(2, -sign * 20) for joint in ("hip", "knee")}
    assert_same_pose(retarget(dressed(smooth_motion(), SMPL, neutral)), smooth_motion())


@pytest.mark.parametrize("turn", [about(0, -90), about(0, -90) @ about(1, 180), about(1, 90), about(2, 90)])
def test_a_rest_pose_that_lies_or_looks_elsewhere_is_turned_upright(turn: Tensor) -> None:
    neutral = dict.fromkeys(CANONICAL.names, turn)
    assert_same_pose(retarget(dressed(smooth_motion(), SMPL, neutral)), smooth_motion())


def bandai_namco_axes() -> dict[str, Tensor]:
    """The set's local axes in T-pose, written out by hand: columns are the world directions of x, y, z."""
    x, y, z = IDENTITY
    trunk = torch.stack([y, z, x], dim=-1)
    neutral = {"pelvis": torch.stack([y, -x, z], dim=-1)} | dict.fromkeys(("spine1", "spine3", "neck", "head"), trunk)
    neutral |= dict.fromkeys(("left_hip", "left_knee"), torch.stack([-y, x, z], dim=-1))
    neutral |= dict.fromkeys(("right_hip", "right_knee"), torch.stack([y, x, -z], dim=-1))
    neutral |= dict.fromkeys(("left_shoulder", "left_elbow", "left_wrist"), IDENTITY)
    return neutral | dict.fromkeys(
        ("right_shoulder", "right_elbow", "right_wrist"), torch.diag(torch.tensor([1.0, -1, -1]))
    )


def test_bandai_namco_axes_along_the_bones_come_back() -> None:
    motion = smooth_motion()
    source = dressed(motion, dict(BANDAI_NAMCO.joints), bandai_namco_axes(), 0.96)
    found = retarget(source)
    # its trunk has one joint less, so that the lowest of ours has to bend a little more
    assert_same_pose(found, motion, tuple(name for name in bandai_namco_axes() if name != "spine1"))
    assert retarget_report(source, found).trunk_max < 0.1


def test_cmu_arms_come_back_although_hand_and_upper_arm_carry_the_twist() -> None:
    """In CMU's rest pose elbows point 30 degrees off, and only the hand turns about the forearm."""
    motion = smooth_motion()
    neutral = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        neutral |= {f"{side}_shoulder": about(0, 30)}
        neutral |= {f"{side}_{joint}": about(2, sign * 20) for joint in ("hip", "knee")}
    source = dressed(motion, dict(CMU_ASF.joints), neutral)
    joints = (
        "pelvis",
        "spine3",
        "head",
        *(f"{side}_{joint}" for side in SIDES for joint in ("hip", "knee", "shoulder")),
    )
    assert_same_pose(retarget(source), motion, joints)
    assert retarget_report(source, retarget(source)).limb_max < 0.01


@pytest.mark.parametrize("family", TUNINGS, ids=lambda family: family.name)
def test_every_tuning_is_recognised_and_keeps_limb_directions(family: Family) -> None:
    neutral = bandai_namco_axes() if family.axes else {}
    source = dressed(smooth_motion(), dict(family.joints), neutral)
    tuned = find_tuning(source.skeleton.names)
    assert tuned is not None and tuned[0] is family
    report = retarget_report(source, retarget(source))
    assert report.limb_max < 0.01
    assert report.flips == 0
    assert abs(report.foot_height) < 1e-5


@pytest.mark.parametrize("joint", ["spine2", "neck", "left_collar", "right_hand", "left_foot"])
def test_a_joint_that_the_source_lacks_is_filled_in(joint: str) -> None:
    names = {name: source for name, source in SMPL.items() if name != joint}
    pose = smooth_motion()
    stiff = pose.rotations.clone()
    stiff[:, [CANONICAL.index(joint), *CANONICAL.children[CANONICAL.index(joint)]]] = IDENTITY
    motion = replace(pose, rotations=stiff)
    assert_same_pose(retarget(dressed(motion, names, {})), motion)


def test_missing_joints_are_named() -> None:
    names = {joint: name for joint, name in MIXAMO.items() if "knee" not in joint}
    with pytest.raises(SkeletonError, match=r"not found: .*left_knee.*right_knee"):
        retarget(dressed(smooth_motion(), names, {}))


def test_jumps_and_steps_keep_their_height() -> None:
    """A body that stands, jumps by 0.4 m, and goes on standing on a step of 0.3 m."""
    frames = 90
    root = torch.zeros(frames, 3)
    root[30:40, 1] = 0.4
    root[60:, 1] = 0.3
    standing = Motion(IDENTITY.expand(frames, 24, 3, 3), root + torch.tensor([0.0, 5.0, 0.0]), 30.0, CANONICAL)
    heights = retarget(standing).root[:, 1]
    floor = heights[0]
    assert floor == pytest.approx(0.947, abs=0.01)  # the pelvis of the rest pose above its soles
    torch.testing.assert_close(heights - floor, root[:, 1], atol=1e-4, rtol=0)


def test_a_single_bad_frame_does_not_move_the_floor() -> None:
    motion = smooth_motion(60)
    broken = motion.root.clone()
    broken[7, 1] -= 3.0
    assert abs(floor_height(replace(motion, root=broken)) - floor_height(motion)) < 0.01


def test_the_report_sees_a_wrong_limb_a_high_floor_and_a_flip() -> None:
    motion = smooth_motion()
    elbow = CANONICAL.index("left_elbow")
    rotations = motion.rotations.clone()
    rotations[20, elbow] = rotations[20, elbow] @ about(1, 120)
    found = replace(retarget(motion), rotations=rotations)
    report = retarget_report(motion, replace(found, root=found.root + torch.tensor([0.0, 0.5, 0.0])))
    assert report.limb_max == pytest.approx(120, abs=0.1)
    assert report.foot_height == pytest.approx(0.5, abs=0.02)
    assert report.flips >= 2


def test_one_frame_is_enough() -> None:
    source = smooth_motion(1)
    assert retarget_report(source, retarget(source)).flips == 0


def stopping(rise: float) -> Motion:
    """A body that stands still at twelve places 0.4 m apart along +Z, each ``rise`` metres above the one before."""
    places = torch.arange(12).repeat_interleave(10)
    root = torch.stack([torch.zeros(120), 2.0 + rise * places, 0.4 * places], dim=-1)
    return Motion(IDENTITY.expand(120, 24, 3, 3), root, 30.0, CANONICAL)


def test_a_tilted_floor_is_made_level_and_stairs_stay() -> None:
    level = retarget(stopping(0.01)).root[:, 1]
    assert level.max() - level.min() < 0.02  # of 0.11 m
    stairs = retarget(stopping(0.15)).root
    torch.testing.assert_close(stairs[:, 1] - stairs[0, 1], stopping(0.15).root[:, 1] - 2.0, atol=1e-4, rtol=0)
    hill = retarget(stopping(0.03)).root
    torch.testing.assert_close(hill[:, 1] - hill[0, 1], stopping(0.03).root[:, 1] - 2.0, atol=1e-4, rtol=0)


def test_a_missing_middle_of_the_spine_is_made_good() -> None:
    """The shoulders lie as in the source, and the spine bends evenly."""
    source = dressed(smooth_motion(), {name: name for name in CANONICAL.names if name != "spine2"}, {})
    found = retarget(source)
    assert retarget_report(source, found).trunk_max < 0.1
    lower, middle, upper = (found.world[0][:, CANONICAL.index(f"spine{number}")] for number in (1, 2, 3))
    both = rot.geodesic_angle(lower, middle) + rot.geodesic_angle(middle, upper)
    assert (both < 1.5 * rot.geodesic_angle(lower, upper) + 0.05).all()
