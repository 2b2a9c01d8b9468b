"""`motionclip convert` and `motionclip info`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from motionclip.cli.main import main
from motionclip.formats import read_motion, write_motion
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


def test_info_tells_length_and_size(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(walk)]) == 0
    shown = capsys.readouterr().out
    for fact in ("30 frames/s", "1.03 s", "24 and 5 tips", "1.50 m over the ground", "smpl"):
        assert fact in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["convert", "{}", "x.fbx"], "'.fbx' cannot be written"),
        (["convert", "none.bvh", "x.npz"], "none.bvh"),
        (["convert", "{}", "x.npz", "--start", "9"], "no frame lies between"),
        (["convert", "{}", "x.npz", "--fps", "-1"], "cannot resample"),
        (["info", "{}", "--asf", "x.asf"], "expected an .amc file"),
        (["info", "x.npz", "--scale", "1"], "expected a .bvh file"),
    ],
)
def test_bad_input_is_one_line_and_no_file(
    walk: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(walk.parent)
    assert main([word.format(walk) for word in arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("motionclip: ")
    assert [path.name for path in walk.parent.iterdir()] == ["walk.bvh"]
