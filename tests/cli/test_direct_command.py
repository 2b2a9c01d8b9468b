"""`motionclip generate` and `edit` with constraints: how they are written, and what is said of them."""

from pathlib import Path

import pytest
import torch

from motionclip.cli.constraints import read_path, read_pin
from motionclip.cli.main import main
from motionclip.errors import MotionClipError
from motionclip.io import read_motion
from motionclip.motion import CANONICAL


def test_generate_along_a_path_through_a_pose_to_a_place(
    tiny_run: Path, files: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("path.csv").write_text("x,z\n0,0\n0.3,0.4\n0.5,1\n")
    options = ["--path", "path.csv", "--pose", f"first={files / 'walk.bvh'}@1", "--pin", "right_hand=0.2,1.2,0.9@1"]
    words = ["generate", "a person walks", "--seconds", "1.5", "--model", str(tiny_run), "--out", "walk.npz"]
    assert main([*words, *options]) == 0
    motion = read_motion("walk.npz")
    hand = motion.positions[30, CANONICAL.index("right_hand")]
    torch.testing.assert_close(hand, torch.tensor([0.2, 1.2, 0.9]), atol=0.02, rtol=0)
    assert motion.root[-1, [0, 2]].tolist() == pytest.approx([0.5, 1], abs=0.15)
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told[:3]] == ["path of 1.13 m", "pose at 0 s", "right_hand at 1 s"]
    assert main([*words, *options, "--keep", "2"]) == 2


def test_pins_and_paths_as_they_are_written(here: Path) -> None:
    pin = read_pin("left_foot=_,0.2,_@1:2.5")
    assert (pin.joint, pin.place, pin.start, pin.end) == ("left_foot", (None, 0.2, None), 1, 2.5)
    Path("path.csv").write_text("x, z, seconds\n0, 0, 0\n1, 2, 3\n")
    path = read_path(Path("path.csv"))
    assert (path.points, path.times) == ([(0, 0), (1, 2)], [0, 3])
    for text in ("right_hand", "right_hand=1,2@3", "right_hand=1,2,3", "right_hand=a,2,3@1", "right_hand=1,1,1@1:2:3"):
        with pytest.raises(MotionClipError, match="expected JOINT"):
            read_pin(text)
    for text, words in (
        ("a,b\n1,2\n", "x and z"),
        ("x,z,y\n1,2,3\n", "x,z,seconds"),
        ("x,z\n1,zero\n", "line 2: not a number"),
        ("x,z\n1\n", "line 2: not a number"),
        ("\n\n", "x and z"),
        ("x,z\n" + "0" * 200_000 + ",1\n", "131,072 characters"),
    ):
        Path("path.csv").write_text(text)
        with pytest.raises(MotionClipError, match=words):
            read_path(Path("path.csv"))


def test_edit_without_words(files: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    walk = str(files / "walk.bvh")
    for options, frames in (
        (["--crop", "0.5:1.5"], 30),
        (["--speed", "2"], 30),
        (["--speed", "0:1", "1:0.5"], 100),
        (["--hold", "1:1"], 60 + 30 + 9),
        (["--reverse", "--mirror"], 60),
        (["--then", walk, walk], 60 + 36 + 36),
    ):
        assert main(["edit", walk, *options, "--out", "made.npz"]) == 0
        assert read_motion("made.npz").num_frames == pytest.approx(frames, abs=1)
    assert main(["edit", walk, "--loop", "1", "--out", "made.npz"]) == 0
    cycle = read_motion("made.npz").num_frames
    assert main(["edit", walk, "--loop", "3", "--curves", "curves.csv", "--out", "made.npz"]) == 0
    assert len(Path("curves.csv").read_text().splitlines()) == 1 + 3 * cycle
    assert read_motion("made.npz").num_frames == 3 * cycle
    assert "ahead a cycle" in capsys.readouterr().out


def test_edit_under_constraints(tiny_run: Path, files: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pin = ["--pin", "right_hand=-0.2,1.2,0.7@1"]
    assert main(["edit", str(files / "walk.bvh"), *pin, "--out", "made.npz", "--model", str(tiny_run)]) == 0
    hand = read_motion("made.npz").positions[30, CANONICAL.index("right_hand")]
    torch.testing.assert_close(hand, torch.tensor([-0.2, 1.2, 0.7]), atol=0.02, rtol=0)
    assert "right_hand at 1 s: 0.0 cm off" in capsys.readouterr().out


def test_edits_without_words_that_do_not_fit(files: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    walk = str(files / "walk.bvh")
    for arguments, words in (
        (["a person walks", "--speed", "2"], "no motion file"),
        ([walk, "--speed", "fast"], "expected numbers"),
        ([walk, "--hold", "1"], "two numbers"),
        ([walk, "--speed", "2", "--style", "elderly"], "expected BASE"),
        (["--mirror"], "expected BASE"),
        ([walk, "--hold", "9:1"], "inside of it"),
    ):
        assert main(["edit", *arguments, "--out", "made.npz"]) == 2
        assert words in " ".join(capsys.readouterr().err.split())
