"""`motionclip convert` and `motionclip info`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from motionclip.cli.main import main
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    root = torch.zeros(31, 3)
    root[:, 1], root[:, 2] = 0.93, torch.linspace(0, 1.5, 31)
    write_motion(Motion(torch.eye(3).expand(31, 24, 3, 3), root, 30.0, CANONICAL), tmp_path / "walk.bvh")
    return tmp_path / "walk.bvh"


def test_convert_resamples_and_crops(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = walk.with_name("walk.npz")
    assert main(["convert", str(walk), str(target), "--fps", "60", "--start", "0.5"]) == 0
    motion = read_motion(target)
    assert (motion.fps, motion.num_frames) == (60.0, 31)
    assert motion.root[0, 2].item() == pytest.approx(0.75, abs=1e-5)
    assert "31 frames" in capsys.readouterr().out


def test_convert_to_the_canonical_skeleton(walk: Path) -> None:
    target = walk.with_name("again.npz")
    assert main(["convert", str(walk), str(target), "--retarget"]) == 0
    motion = read_motion(target)
    assert motion.skeleton.names == CANONICAL.names
    assert read_motion(walk).skeleton.names != CANONICAL.names  # a BVH file has its own order


def test_convert_tells_that_a_rest_pose_is_none(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A body that sits at rest."""
    offsets = CANONICAL.offsets.clone()
    knees = CANONICAL.indices(["left_knee", "right_knee"])
    offsets[knees] = offsets[knees].norm(dim=-1, keepdim=True) * torch.tensor([0.0, 0.0, 1.0])
    sitting = replace(CANONICAL, offsets=offsets)
    still = torch.eye(3).expand(31, 24, 3, 3)
    write_motion(Motion(still, torch.zeros(31, 3), 30.0, sitting), walk.with_name("sitting.bvh"))
    for source, told in (("sitting.bvh", True), ("walk.bvh", False)):
        assert main(["convert", str(walk.with_name(source)), str(walk.with_name("out.npz")), "--retarget"]) == 0
        assert ("note: the rest pose is none of a body that stands" in capsys.readouterr().out) == told


@pytest.mark.parametrize(("rig", "first"), [("unreal", "root"), ("mixamo", "mixamorig:Hips")])
def test_convert_to_a_rig_by_name(walk: Path, rig: str, first: str) -> None:
    assert main(["convert", str(walk), str(walk.with_name("rig.bvh")), "--rig", rig]) == 0
    assert read_motion(walk.with_name("rig.bvh")).skeleton.names[0] == first


def test_convert_to_the_rig_of_a_file(walk: Path) -> None:
    own, target = walk.with_name("own.bvh"), walk.with_name("out.bvh")
    assert main(["convert", str(walk), str(own), "--rig", "unity"]) == 0
    assert main(["convert", str(walk), str(target), "--rig", str(own)]) == 0
    assert read_motion(target).skeleton.names == read_motion(own).skeleton.names
    assert torch.allclose(read_motion(target).positions, read_motion(own).positions, atol=1e-4)


def test_info_tells_length_and_size(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(walk)]) == 0
    shown = capsys.readouterr().out
    for fact in ("30 frames/s", "1.03 s", "24 and 5 end sites", "1.50 m over the ground", "by name"):
        assert fact in shown


def test_generate_on_a_rig(tiny_run: Path, tmp_path: Path) -> None:
    words = ["generate", "a person walks", "--seconds", "1", "--model", str(tiny_run), "--rig", "unity", "--out"]
    assert main([*words, str(tmp_path / "walk.bvh")]) == 0
    assert read_motion(tmp_path / "walk.bvh").skeleton.names[0] == "Hips"


def test_in_place_keeps_heights_and_leaves_out_the_path(walk: Path, tmp_path: Path) -> None:
    target = tmp_path / "still.npz"
    assert main(["convert", str(walk), str(target), "--in-place"]) == 0
    still, moving = read_motion(target), read_motion(walk)
    assert torch.allclose(still.root[:, 1], moving.root[:, 1], atol=1e-6)
    assert torch.allclose(still.root[:, [0, 2]], moving.root[:1, [0, 2]].expand(len(still.root), 2), atol=1e-6)
