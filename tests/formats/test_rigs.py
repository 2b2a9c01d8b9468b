"""Files on other rigs: by name, and on the user's own BVH."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from gltf_document import Document
from test_gltf import smooth_motion
from user_characters import armature_of_centimetres

from motionclip.errors import FormatError, SkeletonError
from motionclip.formats import load_rig
from motionclip.formats.bvh import read_bvh_skeleton
from motionclip.io import check_writable, read_motion, write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion.retarget import RIGS

NAMES = {
    "blender": ("spine", "spine.001", "thigh.L", "shin.R", "upper_arm.L", "hand.R"),
    "mixamo": ("mixamorig:Hips", "mixamorig:Spine2", "mixamorig:LeftUpLeg", "mixamorig:RightForeArm"),
    "unreal": ("root", "pelvis", "spine_01", "thigh_l", "calf_r", "upperarm_l", "hand_r", "ball_l"),
    "unity": ("Hips", "UpperChest", "LeftUpperLeg", "RightLowerArm", "LeftToes"),
}

#: In metres, with arms that hang, more tips than ours and a root of its own; nobody moves.
OWN = """HIERARCHY
ROOT reference
{
OFFSET 0 0 0
CHANNELS 6 Xposition Yposition Zposition Xrotation Yrotation Zrotation
JOINT Hips
{
OFFSET 0 0.9 0
CHANNELS 3 Xrotation Yrotation Zrotation
"""


def own_bvh(path: Path) -> Path:
    """A rig in metres: OWN and below it trunk, hanging arms, legs."""

    def joint(name: str, offset: str, *children: str) -> str:
        below = "".join(children) or "End Site\n{\nOFFSET 0 0.1 0\n}\n"
        return f"JOINT {name}\n{{\nOFFSET {offset}\nCHANNELS 3 Zrotation Xrotation Yrotation\n{below}}}\n"

    def side(word: str, x: int) -> tuple[str, str]:
        hand = joint(f"{word}Hand", "0 -0.25 0")
        arm = joint(f"{word}Arm", f"{x * 0.15} 0.2 0", joint(f"{word}ForeArm", "0 -0.3 0", hand))
        foot = joint(f"{word}Foot", "0 -0.4 0", joint(f"{word}ToeBase", "0 -0.05 0.1"))
        return arm, joint(f"{word}UpLeg", f"{x * 0.1} 0 0", joint(f"{word}Leg", "0 -0.4 0", foot))

    (left_arm, left_leg), (right_arm, right_leg) = side("Left", 1), side("Right", -1)
    trunk = joint("Spine", "0 0.1 0", joint("Spine2", "0 0.2 0", joint("Head", "0 0.3 0"), left_arm, right_arm))
    tail = joint("Tail", "0 0 -0.2")
    path.write_text(OWN + trunk + left_leg + right_leg + tail + "}\n}\n")
    return path


@pytest.mark.parametrize("rig", RIGS)
def test_names_and_a_rest_pose_in_bvh(tmp_path: Path, rig: str) -> None:
    motion, worn = smooth_motion(), load_rig(rig)
    write_motion(motion, tmp_path / "motion.bvh", worn)
    found = read_motion(tmp_path / "motion.bvh")
    assert set(NAMES[rig]) <= set(found.skeleton.names) == set(worn.skeleton.names)
    expected = worn.fitted(motion)
    order = worn.skeleton.indices(found.skeleton.names)
    assert (found.positions - expected.positions[:, order]).abs().max() < 1e-5
    rest = found.skeleton.rest_positions
    arms = rest[[i for i, name in enumerate(found.skeleton.names) if "hand" in name.lower()]]
    assert np.ptp(arms[:, 1].numpy()) < 0.01 and np.ptp(arms[:, 0].numpy()) > 1.3  # the arms are spread


@pytest.mark.parametrize("rig", RIGS)
def test_names_and_skin_in_glb(tmp_path: Path, rig: str) -> None:
    motion, worn = smooth_motion(), load_rig(rig)
    write_motion(motion, tmp_path / "motion.glb", worn)
    write_motion(motion, tmp_path / "plain.glb")
    document, plain = Document(tmp_path / "motion.glb"), Document(tmp_path / "plain.glb")
    names = [document.json["nodes"][joint]["name"] for joint in document.json["skins"][0]["joints"]]
    assert tuple(names) == worn.skeleton.names
    assert np.abs(document.vertices(0.4) - plain.vertices(0.4)).max() < 2e-5


def test_the_default_bvh_has_a_t_pose_as_rest_pose(tmp_path: Path) -> None:
    write_motion(smooth_motion(), tmp_path / "motion.bvh")
    skeleton = read_motion(tmp_path / "motion.bvh").skeleton
    rest = skeleton.rest_positions[skeleton.indices(CANONICAL.names)]
    torch.testing.assert_close(rest, CANONICAL.rest_positions, atol=1e-5, rtol=0)


def test_a_users_bvh_keeps_its_joints_its_offsets_and_its_unit(tmp_path: Path) -> None:
    own = own_bvh(tmp_path / "own.bvh")
    rig = load_rig(own)
    write_motion(smooth_motion(), tmp_path / "motion.bvh", rig)
    before, after = read_bvh_skeleton(own), read_bvh_skeleton(tmp_path / "motion.bvh")
    assert before[1] == after[1] == 1.0
    assert (after[0].names, after[0].parents) == (before[0].names, before[0].parents)
    torch.testing.assert_close(after[0].offsets, before[0].offsets, atol=1e-5, rtol=0)
    found, expected = read_motion(tmp_path / "motion.bvh"), rig.fitted(smooth_motion())
    assert found.skeleton.names == before[0].names
    assert (found.positions - expected.positions).abs().max() < 1e-5
    tail = found.rotations[:, found.skeleton.index("Tail")]
    assert (tail - torch.eye(3)).abs().max() < 1e-5


def test_a_users_character_can_be_written_as_bvh(tmp_path: Path) -> None:
    rig = load_rig(armature_of_centimetres(tmp_path / "own.glb"))
    write_motion(smooth_motion(), tmp_path / "motion.bvh", rig)
    found, expected = read_motion(tmp_path / "motion.bvh"), rig.fitted(smooth_motion())
    order = rig.skeleton.indices(found.skeleton.names)
    assert (found.positions - expected.positions[:, order]).abs().max() < 1e-4


def test_joint_positions_in_csv(tmp_path: Path) -> None:
    motion = smooth_motion(5, fps=24.0)
    write_motion(motion, tmp_path / "motion.csv")
    with (tmp_path / "motion.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header[:5] == ["time", "pelvis_x", "pelvis_y", "pelvis_z", "left_hip_x"] and len(header) == 1 + 3 * 24
    values = np.array(rows, dtype=float)
    assert np.allclose(values[:, 0], np.arange(5) / 24, atol=1e-6)
    assert np.abs(values[:, 1:].reshape(5, 24, 3) - motion.positions.numpy()).max() < 1e-6
    write_motion(motion, tmp_path / "rig.csv", load_rig("unreal"))
    assert (tmp_path / "rig.csv").read_text().startswith("time,root_x,root_y,root_z,pelvis_x")


def test_names_that_csv_must_quote(tmp_path: Path) -> None:
    skeleton = type(CANONICAL)(('a "b", c',), (-1,), torch.zeros(1, 3))
    write_motion(Motion(torch.eye(3)[None, None], torch.zeros(1, 3), 1.0, skeleton), tmp_path / "motion.csv")
    with (tmp_path / "motion.csv").open(newline="") as file:
        assert next(csv.reader(file))[1] == 'a "b", c_x'


@pytest.mark.parametrize("rig", ["maya", "Mixamo", "rig.fbx", "rig"])
def test_unknown_rigs(rig: str) -> None:
    with pytest.raises(
        FormatError, match=r"expected one of blender, mixamo, unreal, unity, or a \.bvh, \.glb or \.vrm"
    ):
        load_rig(rig)


@pytest.mark.parametrize("name", ["motion.mp4", "motion.png", "motion.amass.npz", "motion.npy"])
def test_formats_that_hold_no_rig(name: str) -> None:
    with pytest.raises(FormatError, match=r"cannot hold the rig unity; expected one of \.bvh, \.csv, \.npz, \.glb"):
        check_writable(name, load_rig("unity"))


def test_a_bvh_has_no_skin_and_a_users_skin_stays_in_its_glb(tmp_path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"\.glb cannot hold the rig .*own\.bvh; expected one of \.bvh, \.csv, \.npz$"
    ):
        check_writable("motion.glb", load_rig(own_bvh(tmp_path / "own.bvh")))
    with pytest.raises(FormatError, match=r"\.usdc cannot hold the rig .*own\.glb"):
        check_writable("motion.usdc", load_rig(armature_of_centimetres(tmp_path / "own.glb")))


def test_bvh_files_that_are_no_rig(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        load_rig(tmp_path / "none.bvh")
    (tmp_path / "empty.bvh").write_text("HIERARCHY\n")
    with pytest.raises(FormatError, match="the hierarchy ends early"):
        load_rig(tmp_path / "empty.bvh")
    own = own_bvh(tmp_path / "own.bvh")
    own.write_text(own.read_text().replace("LeftUpLeg", "tentacle"))
    with pytest.raises(SkeletonError, match=r"(?s)own\.bvh: .*not found: .*left_hip"):
        load_rig(own)
