"""Films: right length, right rate, and the motion in them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from motionclip.errors import FormatError
from motionclip.io import write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.render import make_film
from motionclip.render.stills import write_filmstrip
from motionclip.render.video import frame_ticks, write_film, write_video


def waving(frames: int = 8, fps: float = 30.0) -> Motion:
    """One arm goes up and down."""
    rotations = torch.eye(3).repeat(frames, 24, 1, 1)
    angle = torch.linspace(-1.2, 1.2, frames)
    arm = CANONICAL.index("left_shoulder")
    rotations[:, arm, 0, 0], rotations[:, arm, 0, 1] = angle.cos(), -angle.sin()
    rotations[:, arm, 1, 0], rotations[:, arm, 1, 1] = angle.sin(), angle.cos()
    return Motion(rotations, torch.tensor([[0, 0.947, 0]]).repeat(frames, 1), fps, CANONICAL)


@pytest.mark.parametrize("fps", [30.0, 29.97])
def test_mp4_has_the_rate_and_the_frames_of_the_motion(tmp_path: Path, fps: float) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "a.mp4"
    write_video(waving(8, fps), path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)]
        assert float(stream.average_rate) == pytest.approx(fps, rel=1e-3)
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert float(stream.duration * stream.time_base) == pytest.approx(8 / fps, rel=0.01)
    assert len(pictures) == 8
    assert np.abs(pictures[0].astype(int) - pictures[-1]).max() > 60


def test_mp4_without_its_package_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(FormatError, match=r"pip install motionclip\[video\]"):
        write_video(waving(2), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("fps", "shown"), [(20.0, 9), (100.0, 5)])
def test_gif_lasts_as_long_as_the_motion(tmp_path: Path, fps: float, shown: int) -> None:
    path = tmp_path / "a.gif"
    write_video(waving(9, fps), path)
    with Image.open(path) as film:
        assert film.n_frames == shown
        assert film.info["loop"] == 0
        durations, pictures = [], []
        for frame in range(film.n_frames):
            film.seek(frame)
            durations.append(film.info["duration"])
            pictures.append(np.asarray(film.convert("RGB")).astype(int))
    rate = min(fps, 50.0)
    assert sum(durations) == pytest.approx(1000 * shown / rate, abs=5)
    assert min(durations) >= 20
    assert np.abs(pictures[0] - pictures[-1]).max() > 60


@given(st.integers(1, 400), st.floats(1, 50))
def test_ticks_never_drift(count: int, fps: float) -> None:
    ends = np.cumsum(frame_ticks(count, fps, 100))
    assert np.abs(ends - np.arange(1, count + 1) * 100 / fps).max() <= 0.5 + 1e-6


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"\.mp4, \.gif or \.webp"):
        write_video(waving(2), tmp_path / "a.avi")


def test_picture_is_a_png(tmp_path: Path) -> None:
    write_filmstrip(waving(5), tmp_path / "a.png")
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG"
        assert np.asarray(picture).std() > 5


def test_webp_lasts_as_long_as_the_motion(tmp_path: Path) -> None:
    write_video(waving(9, 29.97), tmp_path / "a.webp")
    with Image.open(tmp_path / "a.webp") as film:
        assert (film.n_frames, film.size) == (9, (512, 512))
        durations, pictures = [], []
        for frame in range(film.n_frames):
            film.seek(frame)
            film.load()
            durations.append(film.info["duration"])
            pictures.append(np.asarray(film.convert("RGB")).astype(int))
    assert sum(durations) == pytest.approx(9000 / 29.97, abs=1)
    assert np.abs(pictures[0] - pictures[-1]).max() > 60


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
def test_progress_reaches_the_end_picture_by_picture(tmp_path: Path, suffix: str) -> None:
    if suffix == ".mp4":
        pytest.importorskip("av")
    told: list[tuple[int, int]] = []
    write_film(make_film([waving(5)], size=(32, 32)), tmp_path / f"a{suffix}", lambda *done: told.append(done))
    assert told == [(done, 5) for done in range(1, 6)]


def test_writing_a_motion_as_a_film_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_motion(waving(3), tmp_path / "a.gif", progress=lambda *done: told.append(done))
    write_motion(waving(3), tmp_path / "a.bvh", progress=lambda *done: told.append(done))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_film_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(b"before")

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(make_film([waving(5)], size=(32, 32)), path, stop)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("a.mp4", {"size": (33, 32)}, "even width and height"),
        ("a.gif", {"size": (32, 32), "fps": 60}, "at most 50"),
        ("a.webp", {"size": (4096, 4096), "fps": 240}, r"at most 11 of that size .* or \.mp4"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_before_it_is_drawn(
    tmp_path: Path, name: str, options: dict[str, object], says: str
) -> None:
    if name == "a.mp4":
        pytest.importorskip("av")
    film = make_film([waving(8)], **options)  # type: ignore[arg-type]
    with pytest.raises(FormatError, match=says):
        write_film(film, tmp_path / name)
    assert not list(tmp_path.iterdir())
