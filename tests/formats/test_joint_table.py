"""CSV tables of joint positions: what is written is read back, on the names of any rig by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from motionclip.errors import FormatError
from motionclip.formats import load_rig
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot


def swinging() -> Motion:
    """Arms and legs that swing, in a body that walks on."""
    time = torch.arange(24) / 24.0
    rotations = torch.eye(3).repeat(24, 24, 1, 1)
    for joint, size in (("left_hip", 0.4), ("right_hip", -0.4), ("left_shoulder", 1.2), ("right_shoulder", -0.9)):
        vectors = torch.stack([size * torch.sin(6 * time), 0.0 * time, 0.2 * size * time], dim=1)
        rotations[:, CANONICAL.index(joint)] = rot.rotvec_to_matrix(vectors)
    root = torch.stack([0.0 * time, 0.95 + 0.0 * time, time], dim=1)
    return Motion(rotations, root, 24.0, CANONICAL)


@pytest.mark.parametrize("rig", [None, "mixamo", "unreal"])
def test_a_table_is_read_back(tmp_path: Path, rig: str | None) -> None:
    path = tmp_path / "walk.csv"
    write_motion(swinging(), path, None if rig is None else load_rig(rig))
    motion = read_motion(path)
    assert motion.fps == 24.0
    relative = (m.positions - m.positions[:, :1] for m in (motion, swinging()))
    assert torch.allclose(*relative, atol=1e-3)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_that_a_spreadsheet_saved_again_is_read(tmp_path: Path, separator: str) -> None:
    """Where the comma is the decimal one, spreadsheets separate by semicolons or tabs."""
    write_motion(swinging(), tmp_path / "ours.csv")
    text = (tmp_path / "ours.csv").read_text().replace("time", "Time", 1).replace(",", separator).replace("\n", "\r\n")
    (tmp_path / "theirs.csv").write_text(text if separator == "," else text.replace(".", ","), newline="")
    found, ours = read_motion(tmp_path / "theirs.csv"), read_motion(tmp_path / "ours.csv")
    assert torch.equal(found.positions, ours.positions) and found.fps == ours.fps


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("file,text\na.bvh,walks\n", "the header is 'file,text'"),
        ("time,a_x,a_y,a_z\n0,1,2,3\n0.1,1,2,3\n", "show no body"),
        ("time,a_x,a_y,a_z\n0,1,2,3\n", "--source-fps"),
        ("time,a_x,a_y,a_z\n0,1,2\n1,2,3\n", "2 lines of 3 numbers"),
        ("time,a_x,a_y,a_z\n0,1,2,x\n", "cannot be read"),
        ("time,a_x,a_y,a_z\n", "0 lines"),
        ("time,a_x,a_y,a_z\n0,1,2,nan\n1,1,2,3\n", "2 lines"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FormatError, match=says):
        read_motion(tmp_path / "a.csv")
