"""`motionclip complete` and `reconstruct`: what they write, and how they refuse."""

from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.cli.complete import read_gaps
from motionclip.cli.main import main
from motionclip.io import read_motion, write_motion
from motionclip.motion import Motion, Skeleton


@pytest.fixture(scope="module")
def files(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of motions: two seconds as BVH and as AMASS, twelve seconds, and one without a hand."""
    folder = tmp_path_factory.mktemp("motions")
    walk = motionclip.text_to_motion(motionclip.load(tiny_run), "a person walks", seconds=2)
    write_motion(walk, folder / "walk.bvh")
    write_motion(walk, folder / "walk.amass.npz")
    long = Motion(torch.cat([walk.rotations] * 6), torch.cat([walk.root] * 6), 30, walk.skeleton)
    write_motion(long, folder / "long.bvh")
    names = walk.skeleton.names[:-1]
    tips = tuple(tip for tip in walk.skeleton.end_sites if tip[0] < len(names))
    handless = Skeleton(names, walk.skeleton.parents[:-1], walk.skeleton.offsets[:-1], tips)
    write_motion(Motion(walk.rotations[:, :-1], walk.root, 30, handless), folder / "handless.bvh")
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def test_pictures_are_drawn_beside_what_is_written(files: Path, tiny_run: Path, here: Path) -> None:
    take, model = str(files / "long.bvh"), ["--model", str(tiny_run)]
    assert main(["complete", take, "--gaps", "1:1.5", "11.5:12", "--picture", "gaps.png", *model]) == 0
    assert main(["complete", take, "--extend", "0.5", "--before", "--picture", "early.png", *model]) == 0
    assert main(["reconstruct", take, "--picture", "both.png", *model]) == 0
    assert all(Path(name).is_file() for name in ("gaps.png", "early.png", "both.png"))


def test_gaps_are_two_numbers_of_seconds() -> None:
    assert read_gaps(["2:3", "7.5:8"]) == [(2.0, 3.0), (7.5, 8.0)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--gaps START:STOP"),
        (["--gaps", "1:1.5", "--extend", "1"], "--gaps START:STOP"),
        (["--gaps", "1:1.5", "--before"], "--gaps START:STOP"),
        (["--gaps", "1"], "two numbers"),
        (["--gaps", "1:2:3"], "two numbers"),
        (["--gaps", "1.5:1"], "inside"),
        (["--gaps", "1:nan"], "inside"),
        (["--extend", "9"], "at most"),
        (["--extend", "0"], "a frame or more"),
        (["--gaps", "1:1.5", "--out", "x.fbx"], ".fbx"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_no_file(
    files: Path, tiny_run: Path, here: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["complete", str(files / "walk.bvh"), *arguments, "--model", str(tiny_run)]) == 2
    assert says in capsys.readouterr().err
    assert not list(here.iterdir())
