"""Curves of root and contacts: where the body is, which way it faces, and which foot stands."""

import csv
import math
from pathlib import Path

import pytest
import torch

from motionclip.formats.curve_table import write_curves
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot


def test_curves_say_where_the_body_is_and_which_foot_stands(tmp_path: Path) -> None:
    rotations = torch.eye(3).repeat(40, 24, 1, 1)
    rotations[:, 0] = rot.about_y(torch.linspace(0, 3 * math.pi, 40))
    rotations[20:, CANONICAL.index("right_knee")] = rot.rotvec_to_matrix(torch.tensor([1.5, 0.0, 0.0]))
    feet = CANONICAL.rest_positions[CANONICAL.index("left_ankle"), 1].item()
    root = torch.tensor([0.0, 0.074 - feet, 0.0]).repeat(40, 1)
    write_curves(Motion(rotations, root, 30, CANONICAL), tmp_path / "curves.csv")
    rows = list(csv.DictReader((tmp_path / "curves.csv").open()))
    assert len(rows) == 40 and float(rows[30]["time"]) == pytest.approx(1.0)
    assert float(rows[-1]["yaw"]) == pytest.approx(540, abs=0.1)
    assert float(rows[0]["root_y"]) == pytest.approx(0.074 - feet, abs=1e-4)
    standing = Motion(torch.eye(3).repeat(5, 24, 1, 1), root[:5], 30, CANONICAL)
    write_curves(standing, tmp_path / "curves.csv")
    assert (tmp_path / "curves.csv").read_text().splitlines()[2].endswith("1,1,1,1")
    assert rows[30]["right_ankle"] == "0"
