"""Pictures of motions show the body, upright on the floor, in its colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from motionclip.body import default_body
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion, turn
from motionclip.render import Look, render_frames
from motionclip.render.camera import facing_azimuth, outline, place_cameras

RED = (0.9, 0.1, 0.1)


def sliding(frames: int = 6, distance: float = 0.0) -> Motion:
    """A T-pose that slides along +Z."""
    root = torch.zeros(frames, 3)
    root[:, 1] = -default_body().sole
    root[:, 2] = torch.linspace(0, distance, frames)
    return Motion(torch.eye(3).expand(frames, 24, 3, 3), root, 30.0, CANONICAL)


def is_red(pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    values = pictures.astype(int)
    return (values[..., 0] > 60) & (values[..., 0] > 2.5 * values[..., 1])


def test_shape_type_and_repeatability() -> None:
    pictures = render_frames(sliding(), (96, 64))
    assert pictures.shape == (6, 64, 96, 3)
    assert pictures.dtype == np.uint8
    assert np.array_equal(pictures, render_frames(sliding(), (96, 64)))
    assert render_frames(sliding(), 32).shape == (6, 32, 32, 3)


@pytest.mark.parametrize("camera", ["follow", "still"])
def test_the_body_is_in_every_picture_and_not_cut(camera: str) -> None:
    motion = sliding(6, 3.0)
    red = is_red(render_frames(motion, 96, colour=RED, camera=camera))
    assert (red.sum((1, 2)) > 100).all()
    assert not (red[:, 0].any() or red[:, -1].any() or red[:, :, 0].any() or red[:, :, -1].any())


def test_a_following_camera_keeps_the_body_in_place_and_moves_the_floor() -> None:
    motion = sliding(40, 8.0)
    followed = render_frames(motion, 64, colour=RED)
    still = render_frames(motion, 64, colour=RED, camera="still")

    def middles(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.array([np.argwhere(is_red(picture)).mean(0) for picture in pictures])

    assert np.ptp(middles(followed)[:, 1]) < np.ptp(middles(still)[:, 1]) / 8
    assert not np.array_equal(followed[15, :, :8], followed[20, :, :8])


def test_the_floor_is_lit_and_the_shadow_is_darker() -> None:
    picture = render_frames(sliding(1), 128)[0].astype(int)
    assert picture[:8].min() > 235  # sky
    below = picture[96:].sum(-1)
    assert below.min() < 0.75 * np.median(below)


def test_the_view_turns_with_the_body() -> None:
    motion = sliding(4, 0.5)
    turned = turn(motion, torch.tensor(1.1))
    assert facing_azimuth(turned) == pytest.approx(facing_azimuth(motion) + 1.1, abs=1e-5)
    assert np.array_equal(
        render_frames(motion, 32, azimuth=0.2), render_frames(motion, 32, azimuth=0.2, body=default_body())
    )
    assert not np.array_equal(render_frames(motion, 32, azimuth=0.2), render_frames(motion, 32, azimuth=2.0))


def test_the_camera_is_the_same_object_while_it_rests() -> None:
    (cameras,) = place_cameras([[sliding(5, 2.0)]], 1.0, "still", [0.3])
    assert all(camera is cameras[0] for camera in cameras)
    (moving,) = place_cameras([[sliding(5, 2.0)]], 1.0, "follow", [0.3])
    assert moving[4].eye[2] > moving[0].eye[2]


def test_the_outline_encloses_the_body() -> None:
    motion = sliding(1)
    points, vertices = outline(motion)[0], default_body().pose(motion)[0].numpy()
    assert points[:, 1].max() > vertices[:, 1].max() - 0.03
    assert points[:, 1].min() == pytest.approx(0, abs=1e-6)


def test_colours_of_the_look_are_used() -> None:
    look = Look(background=(0.1, 0.2, 0.3))
    assert np.abs(render_frames(sliding(1), 48, look=look)[0, 0, 0] - np.array([26, 51, 77])).max() <= 1


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(MotionError, match="0 x 64"):
        render_frames(sliding(), (0, 64))
