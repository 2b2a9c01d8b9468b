"""Body parts are found by names of every rig family, and by shape where names say nothing; motions go round."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from motions import smooth_motion
from rig_building import Rig, build
from rig_families import FAMILIES

from motionclip.errors import SkeletonError
from motionclip.formats import load_rig
from motionclip.formats.bvh import write_bvh
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion, Skeleton, local_rotations
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import find_humanoid, rest_pose_is_used, retarget, retarget_report
from motionclip.motion.retarget.humanoid import REQUIRED

#: Rigs as other programs rename them: three.js, Sketchfab, SMPL's own FBX, a character's name before each joint.
RENAMED = (
    *(("mixamo", "mixamorig", ""), ("mixamo", "mixamorig:", "_07"), ("mixamo", "My_Hero_", "")),
    *(("smpl", "m_avg_", ""), ("unreal5", "Armature|", ""), ("xsens", "MVN:", "")),
)


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


def test_makehumans_rig_is_whole() -> None:
    assert build(FAMILIES["makehuman"]).num_joints > 140


@pytest.mark.parametrize(("family", "prefix", "suffix"), [*((family, "", "") for family in FAMILIES), *RENAMED])
def test_motions_go_onto_every_familys_file_and_back(family: str, prefix: str, suffix: str, tmp_path: Path) -> None:
    wild = smooth_motion()
    mild = rot.rotvec_to_matrix(
        0.3 * rot.matrix_to_rotvec(wild.rotations)
    )  # a stiff trunk cannot bend as much as a supple one
    if not any(joint == "collar" for _, joint in FAMILIES[family].arms):
        mild[:, CANONICAL.indices(["left_collar", "right_collar"])] = torch.eye(3)
        if len(FAMILIES[family].spine) == 1:  # one rigid block from the loins to the arms
            mild[:, CANONICAL.indices(["spine1", "spine2", "spine3"])] = torch.eye(3)
    motion = replace(wild, rotations=mild)
    skeleton = build(FAMILIES[family], prefix, suffix)
    still = torch.eye(3).expand(1, skeleton.num_joints, 3, 3)
    write_bvh(Motion(still, torch.zeros(1, 3), 30.0, skeleton), tmp_path / "rig.bvh")
    write_motion(motion, tmp_path / "motion.bvh", load_rig(tmp_path / "rig.bvh"))
    there = read_motion(tmp_path / "motion.bvh")
    assert sorted(there.skeleton.names) == sorted(skeleton.names)
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


@pytest.mark.parametrize("family", FAMILIES)
def test_shape_tells_the_limbs_of_every_family(family: str) -> None:
    rig = FAMILIES[family]
    skeleton = build(rig)
    found = find_humanoid(numbered(skeleton))
    limbs = {role: name for role, name in wanted(rig).items() if role in REQUIRED}
    assert {role: skeleton.names[found.joints[role]] for role in limbs} == limbs


@pytest.mark.parametrize("number", range(1, 11))
def test_spines_of_any_length_are_found_whole(number: int) -> None:
    rig = replace(FAMILIES["mixamo"], spine=tuple(f"Spine{each}" for each in range(number)))
    found = find_humanoid(build(rig))
    assert [found.skeleton.names[joint] for joint in found.spine] == list(rig.spine)


@pytest.mark.parametrize("fore", [("Thigh", "Calf", "Foot"), ("UpperArm", "Forearm", "Hand")])
def test_a_body_on_four_feet_is_refused(fore: tuple[str, str, str]) -> None:
    """Whatever its limbs are called."""
    parts = {"Pelvis": ("", (0.0, 0.6, 0.0)), "Spine": ("Pelvis", (0.0, 0.6, 0.3)), "Chest": ("Spine", (0.0, 0.6, 0.6))}
    parts |= {
        "Neck": ("Chest", (0.0, 0.75, 0.75)),
        "Head": ("Neck", (0.0, 0.85, 0.9)),
        "Tail": ("Pelvis", (0, 0.5, -0.2)),
    }
    for side, x in (("L", 0.12), ("R", -0.12)):
        for names, parent, z in ((("Thigh", "Calf", "Foot"), "Pelvis", 0.0), (fore, "Chest", 0.6)):
            front = "Front " if z and fore[0] == "Thigh" else ""
            for name, y in zip(names, (0.55, 0.3, 0.08), strict=True):
                parts[f"{side} {front}{name}"] = (parent, (x, y, z))
                parent = f"{side} {front}{name}"
    names = tuple(parts)
    at = {name: torch.tensor(place) for name, (_, place) in parts.items()}
    skeleton = Skeleton(
        names,
        tuple(names.index(parent) if parent else -1 for parent, _ in parts.values()),
        torch.stack([at[name] - (at[parent] if parent else at[name]) for name, (parent, _) in parts.items()]),
    )
    with pytest.raises(SkeletonError):
        find_humanoid(skeleton)


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


def test_limbs_that_all_hang_along_one_axis_with_the_feet_are_no_pose() -> None:
    """Some converters store each bone along an axis of its joint: legs and arms hang as in a pose, and so do feet."""
    offsets = CANONICAL.offsets.clone()
    down = torch.tensor([0.0, -1.0, 0.0])
    for name in ("elbow", "wrist", "hand"):
        for joint in CANONICAL.indices([f"left_{name}", f"right_{name}"]):
            offsets[joint] = offsets[joint].norm() * down
    standing = replace(CANONICAL, offsets=offsets)
    assert rest_pose_is_used(find_humanoid(standing))  # arms that hang are a pose
    hanging = offsets.clone()
    for joint in CANONICAL.indices(["left_foot", "right_foot"]):
        hanging[joint] = hanging[joint].norm() * down
    assert not rest_pose_is_used(find_humanoid(replace(CANONICAL, offsets=hanging)))
