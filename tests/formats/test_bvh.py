"""BVH files as they are found, and as we write them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motionclip.errors import FormatError, MotionError
from motionclip.formats.bvh import read_bvh, write_bvh
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion import rotations as rot
from motionclip.motion.channels import euler_to_matrix
from motionclip.motion.units import UNITS

# A root with every channel in an odd order, a child with only two angles, two tips on one joint.
MESSY = """HIERARCHY
ROOT Hips
{
  OFFSET 1 2 3
  CHANNELS 6 Yrotation Zposition Xposition Zrotation Yposition Xrotation
  JOINT Left Arm
  {
    OFFSET 0 10.5 -1e1
    CHANNELS 2 Xrotation Zrotation
    End Site
    {
      OFFSET 1 0 0
    }
    End Site
    {
      OFFSET 0 2.5E+0 0
    }
  }
  JOINT Head
  {
    OFFSET 0 +30. 0
    CHANNELS 0
  }
}
MOTION
Frames: 2
Frame Time: 0.0083333
10 3 1 20 2 30 40 50
-1e1 .3e1 1. 2.0e+001 2 30 4E1 50.00
"""


def write(folder: Path, text: str, name: str = "file.bvh") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def random_motion(skeleton: Skeleton, frames: int, seed: int, fps: float = 30.0) -> Motion:
    generator = torch.Generator().manual_seed(seed)
    turns = torch.randn(frames, skeleton.num_joints, 3, generator=generator)
    return Motion(rot.rotvec_to_matrix(turns), torch.randn(frames, 3, generator=generator), fps, skeleton)


def by_name(motion: Motion, names: tuple[str, ...]) -> torch.Tensor:
    return motion.positions[:, motion.skeleton.indices(names)]


def test_channels_in_any_order_positions_anywhere_and_several_end_sites(tmp_path: Path) -> None:
    motion = read_bvh(write(tmp_path, MESSY), unit=0.01)
    assert motion.skeleton.names == ("Hips", "Left Arm", "Head")
    assert motion.fps == 120
    assert torch.allclose(motion.root, torch.tensor([[0.01, 0.02, 0.03]] * 2))
    expected = euler_to_matrix(np.array([[10.0, 20.0, 30.0], [-10.0, 20.0, 30.0]]), "YZX")
    assert np.allclose(motion.rotations[:, 0], expected, atol=1e-6)
    assert np.allclose(motion.rotations[1, 1], euler_to_matrix(np.array([[40.0, 50.0]]), "XZ")[0], atol=1e-6)
    assert torch.equal(motion.rotations[:, 2], torch.eye(3).expand(2, 3, 3))
    assert torch.allclose(motion.skeleton.offsets[1:], torch.tensor([[0.0, 0.105, -0.1], [0.0, 0.3, 0.0]]))
    assert [joint for joint, _ in motion.skeleton.end_sites] == [1, 1]
    assert np.allclose([tip for _, tip in motion.skeleton.end_sites], [(0.01, 0.0, 0.0), (0.0, 0.025, 0.0)])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace(" ", "\t"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n{", " {").replace("Left\tArm", "Left Arm"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + " \n\t\n",
        lambda text: text.replace("End Site", "End Site tip"),
        lambda text: text.replace("Frames: 2", "Frames:2").replace("Frame Time: ", "Frame Time:\t"),
        lambda text: text.replace("50.00", "50.0000000000000000000000000"),
    ],
    ids=["crlf", "cr", "tabs", "bom", "braces", "blank-lines", "no-end", "blank-end", "named-site", "header", "digits"],
)
def test_ways_of_writing_make_no_difference(tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def]
    plain, changed = read_bvh(write(tmp_path, MESSY, "a.bvh")), read_bvh(write(tmp_path, change(MESSY), "b.bvh"))
    assert [name.split() for name in plain.skeleton.names] == [name.split() for name in changed.skeleton.names]
    assert torch.equal(plain.rotations, changed.rotations)
    assert torch.equal(plain.root, changed.root)
    assert plain.skeleton.end_sites == changed.skeleton.end_sites
    assert plain.fps == changed.fps


def test_unicode_of_two_bytes_is_understood(tmp_path: Path) -> None:
    (tmp_path / "marked.bvh").write_bytes(MESSY.encode("utf-16"))
    assert torch.equal(read_bvh(tmp_path / "marked.bvh").rotations, read_bvh(write(tmp_path, MESSY)).rotations)


@pytest.mark.parametrize("first", [False, True])
def test_of_several_trees_that_of_a_body_is_read(tmp_path: Path, first: bool) -> None:
    """A body beside a longer chain, which a prop may be, with names of its own or not."""
    body = Motion(torch.eye(3).expand(3, 24, 3, 3), torch.rand(3, 3), 30.0, CANONICAL)
    write_bvh(body, tmp_path / "body.bvh")
    tree, values = (tmp_path / "body.bvh").read_text().removeprefix("HIERARCHY\n").split("MOTION\n")
    start, chain = "{\nOFFSET 0 9 0\nCHANNELS 1 Xrotation\n", ["ROOT pelvis", *(f"JOINT chain{i}" for i in range(30))]
    other = start.join(f"{name}\n" for name in chain) + start + "}\n" * len(chain)
    counts, rows = values.splitlines()[:2], values.splitlines()[2:]
    more = " ".join(["5"] * len(chain))
    rows = [f"{more} {row}" if first else f"{row} {more}" for row in rows]
    trees = other + tree if first else tree + other
    path = write(tmp_path, "HIERARCHY\n" + trees + "\n".join(["MOTION", *counts, *rows]) + "\n")
    with pytest.warns(UserWarning, match="2 trees of joints; that of pelvis is read"):
        found = read_bvh(path)
    alone = read_bvh(tmp_path / "body.bvh")
    assert found.skeleton.names == alone.skeleton.names and torch.equal(found.root, alone.root)
    assert torch.equal(found.rotations, alone.rotations)


@pytest.mark.parametrize(
    ("written", "fps"), [("0.0333333", 30.0), (".0083333", 120.0), ("0.033", 30.0), ("4e-2", 25.0), ("1", 1.0)]
)
def test_frame_time_is_a_whole_rate_where_its_digits_allow(tmp_path: Path, written: str, fps: float) -> None:
    assert read_bvh(write(tmp_path, MESSY.replace("0.0083333", written))).fps == fps


def test_frame_time_of_broadcast_rate_is_not_rounded(tmp_path: Path) -> None:
    motion = read_bvh(write(tmp_path, MESSY.replace("0.0083333", "0.0333667")))
    assert motion.fps == pytest.approx(29.97, abs=1e-3)
    assert read_bvh(write(tmp_path, MESSY), fps=60.0).fps == 60.0


def chain(units: float, name: str = "Spine") -> str:
    """A body of two bones with a span of so many units; the root moves by one unit."""
    return (
        f"HIERARCHY\nROOT Hips\n{{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT {name}\n{{\n"
        f"OFFSET 0 {units / 2} 0\nCHANNELS 1 Xrotation\nEnd Site\n{{\nOFFSET 0 {units / 2} 0\n}}\n}}\n}}\n"
        "MOTION\nFrames: 1\nFrame Time: 0.1\n1 0 0 0\n"
    )


@pytest.mark.parametrize(
    ("span", "name", "metres"),
    [
        (2.2, "Spine", 1.0),
        (220, "Spine", 0.01),
        (40, "Spine", 0.01),
        (40, "LHipJoint", UNITS["cmu"]),
        (230, "LHipJoint", 0.01),
        (2200, "Spine", 0.001),
    ],
)
@pytest.mark.filterwarnings("ignore:.*a unit of cmu")
def test_unit_is_found_from_the_span_of_the_body(tmp_path: Path, span: float, name: str, metres: float) -> None:
    motion = read_bvh(write(tmp_path, chain(span, name)))
    assert motion.root[0, 0].item() == pytest.approx(metres)
    assert motion.skeleton.offsets[1, 1].item() == pytest.approx(metres * span / 2)


def test_unit_given_by_the_caller_wins_and_must_be_positive(tmp_path: Path) -> None:
    path = write(tmp_path, chain(220))
    assert read_bvh(path, unit=0.5).root[0, 0].item() == 0.5
    with pytest.raises(MotionError, match="unit"):
        read_bvh(path, unit=0.0)


def nested(root_values: list[str], child_values: list[str]) -> str:
    six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    frames = "\n".join(f"{root} {child} 0" for root, child in zip(root_values, child_values, strict=True))
    return (
        f"HIERARCHY\nROOT joint_Root\n{{\nOFFSET 0 0 0\n{six}\nJOINT Hips\n{{\nOFFSET 0 93 -3\n{six}\nJOINT Head\n{{\n"
        "OFFSET 0 60 0\nCHANNELS 1 Xrotation\nEnd Site\n{\nOFFSET 0 0 0\n}\n}\n}\n}\n"
        f"MOTION\nFrames: {len(root_values)}\nFrame Time: 0.1\n{frames}\n"
    )


def test_bare_root_is_merged_into_the_travelling_hips(tmp_path: Path) -> None:
    text = nested(["1 0 0 0 0 90"] * 2, ["0 90 10 90 0 0", "0 90 20 90 0 0"])
    motion = read_bvh(write(tmp_path, text), unit=0.01)
    assert motion.skeleton.names == ("Hips", "Head")
    assert motion.skeleton.parents == (-1, 0)
    # a quarter turn about y takes the path along z to x; the root's own place is added
    assert torch.allclose(motion.root, torch.tensor([[0.11, 0.9, 0.0], [0.21, 0.9, 0.0]]), atol=1e-6)
    expected = euler_to_matrix(np.array([[90.0, 90.0]]), "YZ")[0]
    assert np.allclose(motion.rotations[0, 0], expected, atol=1e-6)


def test_moving_root_over_rigid_hips_stays(tmp_path: Path) -> None:
    text = nested(["0 0 0 0 0 0", "9 0 0 0 0 0"], ["0 90 0 0 0 0"] * 2)
    motion = read_bvh(write(tmp_path, text), unit=0.01)
    assert motion.skeleton.names == ("joint_Root", "Hips", "Head")
    assert torch.allclose(motion.skeleton.offsets[1], torch.tensor([0.0, 0.9, 0.0]))  # channels replace OFFSET


def test_loose_bones_get_their_mean_and_a_warning(tmp_path: Path) -> None:
    text = MESSY.replace("CHANNELS 0", "CHANNELS 1 Yposition").replace("40 50", "40 50 28").replace("50.00", "50 32")
    with pytest.warns(UserWarning, match="bones to Head .* 8.5 % of the body"):
        motion = read_bvh(write(tmp_path, text), unit=0.01)
    assert motion.skeleton.offsets[2, 1].item() == pytest.approx(0.30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_bvh(write(tmp_path, text.replace("50 32", "50 28.1")))  # a millimetre in centimetres: within the tolerance


@pytest.mark.parametrize(
    ("encoding", "left", "right"),
    [("utf-8", "左足", "右足"), ("cp932", "左足", "右足"), ("latin-1", "Hüfte", "Hälfte")],
)
def test_names_in_other_encodings_stay_readable_and_distinct(
    tmp_path: Path, encoding: str, left: str, right: str
) -> None:
    text = MESSY.replace("Left Arm", left).replace("JOINT Head", f"JOINT {right}")
    path = tmp_path / "file.bvh"
    path.write_bytes(text.encode(encoding))
    motion = read_bvh(path)
    assert motion.skeleton.names == ("Hips", left, right)
    write_bvh(motion, tmp_path / "again.bvh")
    assert set(read_bvh(tmp_path / "again.bvh").skeleton.names) == {"Hips", left, right}


@given(frames=st.integers(1, 5), seed=st.integers(0, 10_000), fps=st.sampled_from([20.0, 29.97, 30.0, 59.94, 120.0]))
@settings(max_examples=25, deadline=None)
def test_written_file_reads_back_to_a_tenth_of_a_millimetre(
    tmp_path_factory: pytest.TempPathFactory, frames: int, seed: int, fps: float
) -> None:
    motion = random_motion(CANONICAL, frames, seed, fps)
    path = tmp_path_factory.mktemp("bvh") / "written.bvh"
    write_bvh(motion, path)
    again = read_bvh(path)
    assert again.fps == pytest.approx(fps, rel=1e-6)
    assert (by_name(again, CANONICAL.names) - motion.positions).norm(dim=-1).max() < 1e-5  # a hundredth of that
    sites = {(again.skeleton.names[joint], tuple(np.round(tip, 6).tolist())) for joint, tip in again.skeleton.end_sites}
    assert sites == {(CANONICAL.names[joint], tip) for joint, tip in CANONICAL.end_sites}


def test_written_rest_pose_is_the_t_pose_of_the_skeleton(tmp_path: Path) -> None:
    write_bvh(random_motion(CANONICAL, 1, 0), tmp_path / "a.bvh")
    rest = read_bvh(tmp_path / "a.bvh").skeleton
    assert torch.allclose(rest.rest_positions[rest.indices(CANONICAL.names)], CANONICAL.rest_positions, atol=1e-6)
    arm = rest.rest_positions[rest.index("left_wrist")] - rest.rest_positions[rest.index("left_shoulder")]
    assert arm[0] > 0.4
    assert arm[1:].abs().max() < 1e-6


def test_written_angles_run_on_over_half_a_turn(tmp_path: Path) -> None:
    angles = torch.arange(0, 720, 40.0).deg2rad()
    rotations = torch.eye(3).expand(len(angles), 24, 3, 3).clone()
    rotations[:, 0] = rot.about_y(angles)
    write_bvh(Motion(rotations, torch.zeros(len(angles), 3), 30.0, CANONICAL), tmp_path / "a.bvh")
    lines = (tmp_path / "a.bvh").read_text().split("Frame Time")[1].splitlines()[1:]
    turn = np.array([float(line.split()[5]) for line in lines])
    assert np.allclose(np.diff(turn), 40.0, atol=1e-3)


def test_leaf_without_tip_and_a_failed_write(tmp_path: Path) -> None:
    skeleton = Skeleton(("a", "b"), (-1, 0), torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    write_bvh(random_motion(skeleton, 2, 1), tmp_path / "a.bvh")
    assert "End Site" in (tmp_path / "a.bvh").read_text()
    assert read_bvh(tmp_path / "a.bvh").skeleton.end_sites == ()
    before = (tmp_path / "a.bvh").read_bytes()
    with pytest.raises(FormatError, match="joint name"):
        write_bvh(random_motion(replace(skeleton, names=("a", "b}")), 2, 1), tmp_path / "a.bvh")
    assert (tmp_path / "a.bvh").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.bvh"]


def test_real_file_stands_on_the_floor_at_human_size(real_data: Path) -> None:
    path = sorted(real_data.rglob("dataset-1_walk*.bvh"))[0]
    motion = read_bvh(path)
    assert (motion.skeleton.names[0], motion.skeleton.num_joints, motion.fps) == ("Hips", 21, 30.0)
    height = motion.positions[..., 1]
    assert 0.0 < height.min() < 0.1
    assert 1.2 < height.max() < 2.0
