"""Body parts are found by names of every rig family, and by shape where names say nothing; motions go round."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from motions import smooth_motion
from rig_families import FAMILIES, Rig, build

from motionclip.errors import SkeletonError
from motionclip.motion import CANONICAL, Motion, Skeleton, local_rotations
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import find_humanoid, retarget, retarget_onto, retarget_report
from motionclip.motion.retarget.humanoid import REQUIRED


def wanted(rig: Rig) -> dict[str, str]:
    """Canonical joint to name for the limbs of a rig."""
    return {
        f"{side}_{joint}": name.format(word)
        for side, word in zip(("left", "right"), rig.sides, strict=True)
        for name, joint in (*rig.legs, *rig.arms)
        if joint
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_every_joint_of_every_family_is_found(family: str) -> None:
    rig = FAMILIES[family]
    found = find_humanoid(build(rig))
    assert found.confidence == 1.0
    assert {role: found.names[role] for role in wanted(rig)} == wanted(rig)
    assert found.names["pelvis"] == rig.pelvis[-1]
    assert [found.skeleton.names[joint] for joint in found.spine] == list(rig.spine)


@pytest.mark.parametrize(
    ("prefix", "suffix"), [("mixamorig", ""), ("mixamorig:", "_07"), ("My_Hero_", ""), ("a|b:", "")]
)
def test_prefixes_name_spaces_and_suffixes_do_not_matter(prefix: str, suffix: str) -> None:
    found = find_humanoid(build(FAMILIES["mixamo"], prefix, suffix))
    assert found.names["left_hip"] == f"{prefix}LeftUpLeg{suffix}" and found.confidence == 1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_motions_go_onto_every_family_and_back(family: str) -> None:
    wild = smooth_motion()
    mild = rot.rotvec_to_matrix(
        0.3 * rot.matrix_to_rotvec(wild.rotations)
    )  # a stiff trunk cannot bend as much as a supple one
    if not any(joint == "collar" for _, joint in FAMILIES[family].arms):
        mild[:, CANONICAL.indices(["left_collar", "right_collar"])] = torch.eye(3)
    motion = replace(wild, rotations=mild)
    there = retarget_onto(motion, build(FAMILIES[family]))
    back = retarget(there)
    report = retarget_report(there, back)
    assert report.limb_max < 0.1 and report.trunk_max < 2.0 and report.heading_max < 2.0
    limbs = CANONICAL.indices([name for name in REQUIRED if name not in ("pelvis", "head")])
    ours = (motion.positions - motion.positions[:, :1])[:, limbs]
    away = ((back.positions - back.positions[:, :1])[:, limbs] - ours).norm(dim=-1)
    assert away.max() < 0.01


def numbered(skeleton: Skeleton) -> Skeleton:
    """The skeleton under names that say nothing."""
    names = tuple(f"joint{number}" for number in range(skeleton.num_joints))
    return Skeleton(names, skeleton.parents, skeleton.offsets)


def test_shape_tells_where_names_do_not() -> None:
    found = find_humanoid(numbered(CANONICAL))
    assert found.confidence == 0.0
    assert all(found.joints[role] == CANONICAL.index(role) for role in REQUIRED if role != "head")


def test_given_joints_are_believed() -> None:
    given = {"left_hand": "left_wrist"}
    assert find_humanoid(replace(CANONICAL, roles=given)).names["left_hand"] == "left_wrist"
    with pytest.raises(SkeletonError, match="unknown roles left_wing"):
        find_humanoid(replace(CANONICAL, roles={"left_wing": "left_wrist"}))


def test_what_is_no_body_is_refused_in_a_few_lines() -> None:
    chain = Skeleton(tuple(f"bone_{n}" for n in range(60)), (-1, *range(59)), torch.ones(60, 3))
    with pytest.raises(SkeletonError, match="not recognised as a human body") as error:
        find_humanoid(chain)
    lines = str(error.value).splitlines()
    assert len(lines) <= 5 and all(len(line) < 400 for line in lines) and "--joints" in lines[-1]


def test_a_rest_pose_that_is_none_does_not_matter() -> None:
    # bones along +Y, turned in every frame to where they belong
    motion = smooth_motion()
    world = motion.world[0]
    offsets = CANONICAL.offsets
    up = torch.tensor([0.0, 1.0, 0.0])
    turns = torch.eye(3).repeat(24, 1, 1)
    for joint, children in enumerate(CANONICAL.children):
        if len(children) == 1:
            turns[joint] = rot.shortest_arc(up, offsets[children[0]])
    flat = torch.stack(
        [turns[max(parent, 0)].mT @ offset for parent, offset in zip(CANONICAL.parents, offsets, strict=True)]
    )
    skeleton = Skeleton(CANONICAL.names, CANONICAL.parents, flat)
    source = Motion(local_rotations(world @ turns, skeleton), motion.root, motion.fps, skeleton)
    torch.testing.assert_close(source.positions, motion.positions, atol=1e-4, rtol=0)
    report = retarget_report(source, retarget(source))
    assert report.limb_max < 0.1 and report.trunk_max < 2.0 and not report.rest_pose_used
