"""`motionclip complete` and `reconstruct`."""

from functools import partial
from pathlib import Path

import pytest

import motionclip
from motionclip.cli.complete import read_gaps
from motionclip.cli.main import main
from motionclip.io import read_motion


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands, not what they make, are tested here: eight steps of descent are enough."""
    for name in ("complete", "extend"):
        monkeypatch.setattr(motionclip, name, partial(getattr(motionclip, name), steps=8))


@pytest.mark.parametrize("name", ["walk.bvh", "walk.amass.npz", "long.bvh", "handless.bvh"])
def test_every_file_is_completed_and_reconstructed(files: Path, tiny_run: Path, here: Path, name: str) -> None:
    take, model = str(files / name), ["--model", str(tiny_run)]
    frames = 360 if name == "long.bvh" else 60
    assert main(["complete", take, "--gaps", "0.8:1.2", *model]) == 0
    assert read_motion("complete.bvh").num_frames == frames
    assert main(["complete", take, "--extend", "0.5", "--text", "a person waves", "--out", "on.npz", *model]) == 0
    assert read_motion("on.npz").num_frames == frames + 15
    assert main(["reconstruct", take, *model]) == 0
    assert read_motion("reconstructed.bvh").num_frames == frames


@pytest.mark.slow
def test_pictures_are_drawn_beside_what_is_written(files: Path, tiny_run: Path, here: Path) -> None:
    take, model = str(files / "long.bvh"), ["--model", str(tiny_run)]
    assert main(["complete", take, "--gaps", "1:1.5", "11.5:12", "--picture", "gaps.png", *model]) == 0
    assert main(["complete", take, "--extend", "0.5", "--before", "--picture", "early.png", *model]) == 0
    assert main(["reconstruct", take, "--picture", "both.png", *model]) == 0
    assert all(Path(name).is_file() for name in ("gaps.png", "early.png", "both.png"))


def test_gaps_are_two_numbers_of_seconds() -> None:
    assert read_gaps(["2:3", "7.5:8"]) == [(2.0, 3.0), (7.5, 8.0)]
