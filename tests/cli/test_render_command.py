"""`motionclip render`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from motionclip.cli.main import main
from motionclip.io import write_motion
from motionclip.motion import CANONICAL, Motion
from smpl_files import save_npz, smpl_arrays


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = torch.zeros(7, 3)
    root[:, 1], root[:, 2] = 0.947, torch.linspace(0, 1.5, 7)
    for name in ("walk.bvh", "slow_walk.npz"):
        write_motion(Motion(torch.eye(3).expand(7, 24, 3, 3), root, 120.0, CANONICAL), tmp_path / name)
    return tmp_path


def rendered(*words: str) -> Image.Image:
    assert main(["render", *words, "--width", "48", "--height", "48"]) == 0
    return Image.open(words[words.index("--out") + 1])


def test_one_file_is_a_film_without_a_caption(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = rendered("walk.bvh", "--out", "a.webp")
    assert (film.size, film.n_frames) == ((48, 48), 4)  # 120 frames a second become 60
    said = capsys.readouterr().out
    assert "4 frames of 48 x 48 at 60 frames/s" in said


def test_several_files_are_side_by_side_with_their_names(walk: Path) -> None:
    named = rendered("walk.bvh", "slow_walk.npz", "--out", "a.gif", "--fps", "40")
    assert named.size == (96, 64)
    assert named.n_frames == 3
    other = rendered("walk.bvh", "slow_walk.npz", "--out", "b.gif", "--fps", "40", "--titles", "one", "two")
    assert named.convert("RGB").tobytes() != other.convert("RGB").tobytes()


def test_one_scene_style_and_camera(walk: Path) -> None:
    pictures = [
        rendered("walk.bvh", "slow_walk.npz", "--out", f"{number}.webp", "--view", "single", *options)
        for number, options in enumerate([(), ("--style", "skeleton"), ("--camera", "still"), ("--apart", "0")])
    ]
    assert {picture.size for picture in pictures} == {(48, 64)}
    assert len({picture.convert("RGB").tobytes() for picture in pictures}) == 4


def test_a_png_is_a_strobe(walk: Path) -> None:
    many = rendered("walk.bvh", "--out", "many.png")
    few = rendered("walk.bvh", "--out", "few.png", "--strobe", "2")
    assert many.size == few.size == (48, 48)
    assert many.tobytes() != few.tobytes()


def test_a_body_of_ones_own_is_drawn(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_npz(walk / "smpl.npz", smpl_arrays(vertices=300))
    own = rendered("walk.bvh", "--out", "own.png", "--body", "smpl.npz")
    assert own.tobytes() != rendered("walk.bvh", "--out", "default.png").tobytes()
    assert main(["render", "walk.bvh", "--out", "no.png", "--body", "smpl.npz", "--style", "skeleton"]) == 2
    assert "style mesh" in capsys.readouterr().err
    assert main(["render", "walk.bvh", "--out", "no.png", "--body", "missing.npz"]) == 2
    assert not Path("no.png").exists()
