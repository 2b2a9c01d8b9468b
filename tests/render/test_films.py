"""Films of several motions: in step, equally large, captioned, and refused where they cannot be drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from motionclip.body import default_body
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion, turn
from motionclip.render import Film, make_film, stick_figure
from motionclip.render.captions import caption_row
from motionclip.render.films import COLOURS, caption_height


def standing(frames: int = 4, fps: float = 30.0, *, at: float = 0.0, travel: float = 0.0) -> Motion:
    """A T-pose at a place along +X that slides along +Z."""
    root = torch.zeros(frames, 3)
    root[:, 0], root[:, 1] = at, -default_body().sole
    root[:, 2] = torch.linspace(0, travel, frames)
    return Motion(torch.eye(3).expand(frames, 24, 3, 3), root, fps, CANONICAL)


def drawn(film: Film) -> NDArray[np.int64]:
    """All pictures; as many and as large as was said."""
    pictures = np.stack(list(film.frames)).astype(int)
    assert pictures.shape == (film.count, film.size[1], film.size[0], 3)
    return pictures


def like(picture: NDArray[np.int64], colour: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Where a picture has a colour's hue, whatever the light."""
    hue = np.array(colour) / np.linalg.norm(colour)
    away = picture / np.linalg.norm(picture, axis=-1, keepdims=True).clip(1) - hue
    return np.linalg.norm(away, axis=-1) < 0.06


def test_panels_stand_side_by_side_with_captions_below() -> None:
    film = make_film([standing(), standing()], ["one", "two"], size=(64, 48))
    assert film.size == (128, 48 + caption_height((64, 48)))
    pictures = drawn(film)
    assert np.array_equal(pictures[:, :48, :64], pictures[:, :48, 64:])
    below = pictures[:, 48:]
    assert (below[0] == below[-1]).all()
    assert not np.array_equal(below[0, :, :64], below[0, :, 64:])
    assert drawn(make_film([standing()], size=(64, 48))).shape[1] == 48


def test_bodies_of_one_size_look_equally_large_wherever_they_look_and_go() -> None:
    near, far = standing(), turn(standing(at=7.0, travel=3.0), torch.tensor(2.0))
    picture = drawn(make_film([near, far], size=(96, 96), camera="still"))[0]
    tall = [np.ptp(np.argwhere(like(half, COLOURS[0]))[:, 0]) for half in (picture[:, :96], picture[:, 96:])]
    assert tall[1] == pytest.approx(tall[0], rel=0.25)  # a body that goes towards the camera grows
    alone = drawn(make_film([near], size=(96, 96), camera="still"))[0]
    assert np.ptp(np.argwhere(like(alone, COLOURS[0]))[:, 0]) > 1.4 * tall[0]  # it stands back for the other one


def test_the_shorter_motion_waits_in_its_last_pose() -> None:
    film = make_film([standing(3, travel=0.5), standing(8)], size=(48, 48), camera="still")
    assert film.count == 8
    left = drawn(film)[:, :, :48]
    assert not np.array_equal(left[1], left[2])
    assert (left[3:] == left[2]).all()


def test_rates_are_brought_together() -> None:
    film = make_film([standing(31, 30.0), standing(121, 120.0)], size=(16, 16))
    assert (film.count, film.fps) == (31, 30.0)
    assert make_film([standing(31, 30.0)], size=(16, 16), fps=10).count == 11


def test_a_single_view_has_every_body_in_its_colour_from_left_to_right() -> None:
    motions = [standing(at=5.0), standing(), standing(at=-3.0)]
    picture = drawn(make_film(motions, size=(160, 96), view="single", apart=1.6, camera="still"))[0]
    middles = [np.argwhere(like(picture, colour))[:, 1].mean() for colour in COLOURS[:3]]
    assert middles == sorted(middles)
    assert middles[2] - middles[0] > 50
    together = drawn(make_film(motions, size=(160, 96), view="single", apart=0.0))[0]
    shown = np.stack([like(together, colour) for colour in COLOURS[:3]]).any(0)
    alone = like(drawn(make_film(motions[:1], size=(160, 96), view="single"))[0], COLOURS[0])
    assert (shown ^ alone).sum() < 0.1 * alone.sum()


def test_captions_are_shortened_to_their_share() -> None:
    row = caption_row(["word " * 40, ""], 200, 20)
    assert (row[:, :100] < 120).any()
    assert (row[:, 100:] == 255).all()
    swatch = caption_row(["a"], 100, 20, [(1.0, 0.0, 0.0)])
    assert (swatch == [255, 0, 0]).all(-1).sum() >= 100


def test_the_skeleton_is_inside_the_body() -> None:
    skin, sticks = (
        like(drawn(make_film([standing()], size=(96, 96), body=body))[0], COLOURS[0]) for body in (None, stick_figure())
    )
    assert 100 < sticks.sum() < 0.6 * skin.sum()
    assert (sticks & ~skin).sum() < 0.1 * sticks.sum()


def test_sticks_move_with_their_joints() -> None:
    figure = stick_figure()
    raised = standing(1)
    turns = raised.rotations.clone()
    turns[:, CANONICAL.index("left_elbow")] = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    moved = (figure.pose(Motion(turns, raised.root, 30.0, CANONICAL)) - figure.pose(raised))[0].norm(dim=-1) > 1e-5
    below = figure.weights[:, [CANONICAL.index(f"left_{name}") for name in ("elbow", "wrist", "hand")]].sum(1) > 0
    assert torch.equal(moved, below & moved)
    assert moved.sum() > 0.8 * below.sum()


def test_sticks_are_closed_and_face_outwards() -> None:
    figure = stick_figure()
    a, b, c = figure.vertices[figure.faces].double().unbind(1)
    volume = (torch.linalg.cross(a, b) * c).sum() / 6
    assert 0.003 < float(volume) < 0.02  # cubic metres; the sign is that of the faces


@pytest.mark.parametrize(
    ("motions", "options", "says"),
    [
        ([], {}, "0 motions"),
        ([standing()] * 13, {}, "13 motions"),
        ([standing()], {"titles": ["a", "b"]}, "2 titles for 1"),
        ([standing()], {"size": (8, 64)}, "8 x 64"),
        ([standing()], {"size": (64, 5000)}, "64 x 5000"),
        ([standing()], {"fps": 0}, "0 frames per second"),
        ([standing()], {"fps": 241}, "at most 240"),
        ([standing()], {"fps": float("nan")}, "nan frames per second"),
        ([standing(1000, 0.1)], {"fps": 30}, "at most 216000 frames"),
    ],
)
def test_what_cannot_be_drawn_is_refused(motions: list[Motion], options: dict[str, object], says: str) -> None:
    with pytest.raises(MotionError, match=says):
        make_film(motions, **options)  # type: ignore[arg-type]
