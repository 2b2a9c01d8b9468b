"""`motionclip info`: conventions with reasons, body parts, and a map of joints to edit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from motionclip.cli.main import main
from motionclip.io import write_motion
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion.retarget.humanoid import ROLES

ROOT = torch.tensor([[0.0, 0.93, 0.0]]).expand(5, 3)


@pytest.fixture
def stand(tmp_path: Path) -> Path:
    write_motion(Motion(torch.eye(3).expand(5, 24, 3, 3), ROOT, 30.0, CANONICAL), tmp_path / "stand.bvh")
    return tmp_path / "stand.bvh"


@pytest.fixture
def nameless(tmp_path: Path) -> Path:
    """A body whose joints say nothing, and a chain that is none."""
    names = tuple(f"bone{number}" for number in range(24))
    arm = replace(CANONICAL, names=names, offsets=CANONICAL.offsets * 0 + 0.01)
    chain = Skeleton(arm.names, (-1, *range(23)), arm.offsets)
    write_motion(Motion(torch.eye(3).expand(5, 24, 3, 3), ROOT, 30.0, chain), tmp_path / "chain.bvh")
    return tmp_path / "chain.bvh"


def test_each_choice_is_told_with_its_reason(stand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(stand)]) == 0
    shown = capsys.readouterr().out
    for fact in ("30 frames/s (of the file)", "+y (the rest pose stands along it)", "cm (the body is", "right (toes"):
        assert fact in shown
    assert "100 % of limbs and head by name" in shown and "left_knee (by name)" in shown
    assert main(["info", str(stand), "--source-fps", "24", "--up=-z", "--unit", "0.0254", "--facing", "x"]) == 0
    shown = capsys.readouterr().out
    for fact in ("24 frames/s (given)", "-z (given)", "inch (given)", "+x (given)"):
        assert fact in shown


def test_whether_the_rest_pose_is_a_pose_is_told(stand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(stand)]) == 0
    assert "that of a body that stands" in capsys.readouterr().out
    along_one_axis = replace(CANONICAL, offsets=torch.tensor([[0.0, 0.2, 0.0]]).expand(24, 3))
    write_motion(Motion(torch.eye(3).expand(5, 24, 3, 3), ROOT, 30.0, along_one_axis), stand)
    assert main(["info", str(stand)]) == 0
    assert "none of a body that stands" in capsys.readouterr().out


def test_animations_are_listed(stand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_motion(Motion(torch.eye(3).expand(5, 24, 3, 3), ROOT, 30.0, CANONICAL), stand.with_suffix(".glb"))
    assert main(["info", str(stand.with_suffix(".glb")), "--list"]) == 0
    assert main(["info", str(stand), "--list"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 2 and "without a name" in shown[1]


def test_a_template_is_edited_and_given_back(stand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = stand.with_name("map.json")
    assert main(["info", str(stand), "--joints-template", str(template)]) == 0
    joints = json.loads(template.read_text(encoding="utf-8"))
    assert set(joints) == {*ROLES, "#joints"} and joints["left_knee"] == "left_knee"
    template.write_text(json.dumps(joints | {"left_hand": "", "left_knee": "left_ankle", "left_ankle": "left_foot"}))
    capsys.readouterr()
    assert main(["info", str(stand), "--joints", str(template)]) == 0
    assert "left_ankle (given)" in capsys.readouterr().out


def test_what_is_no_body_still_gets_a_template(nameless: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = nameless.with_name("map.json")
    assert main(["info", str(nameless), "--joints-template", str(template)]) == 0
    assert "not recognised" in capsys.readouterr().out
    assert "bone7" in json.loads(template.read_text(encoding="utf-8"))["#joints"]
    assert main(["convert", str(nameless), str(nameless.with_name("out.glb"))]) == 2
    error = capsys.readouterr().err
    assert "--joints" in error and error.count("\n") <= 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ('{"wing": "a"}', "body part 'wing'"),
        ('{"head": 3}', "head: Expected `str`"),
    ],
)
def test_a_wrong_map_is_refused(stand: Path, capsys: pytest.CaptureFixture[str], content: str, message: str) -> None:
    stand.with_name("map.json").write_text(content)
    assert main(["info", str(stand), "--joints", str(stand.with_name("map.json"))]) == 2
    assert message in capsys.readouterr().err
