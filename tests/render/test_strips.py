"""Film strips and contact sheets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from motionclip.body import default_body
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion
from motionclip.render import contact_sheet, filmstrip
from motionclip.render.camera import view_axes
from motionclip.render.stills import side_by_side

BLUE, RED = (0.1, 0.1, 0.9), (0.9, 0.1, 0.1)


def sliding(frames: int, distance: float) -> Motion:
    """A body with lowered arms that slides along +X."""
    root = torch.zeros(frames, 3)
    root[:, 1] = -default_body().sole
    root[:, 0] = torch.linspace(0, distance, frames)
    rotations = torch.eye(3).repeat(frames, 24, 1, 1)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        down = torch.tensor([[0.0, sign, 0.0], [-sign, 0.0, 0.0], [0.0, 0.0, 1.0]])
        rotations[:, CANONICAL.index(f"{side}_shoulder")] = down
    return Motion(rotations, root, 30.0, CANONICAL)


def blobs(strip: Image.Image) -> int:
    """How many bodies stand apart from each other: runs of columns with any saturated colour."""
    values = np.asarray(strip).astype(int)
    columns = (np.ptp(values, axis=2) > 60).any(0)
    return int((np.diff(columns.astype(int), prepend=0) == 1).sum())


def middle(strip: Image.Image, channel: int) -> float:
    """Mean column of the pixels in which one channel is strongest by far."""
    values = np.asarray(strip).astype(int)
    others = np.delete(values, channel, axis=2).max(2)
    return float(np.argwhere(values[..., channel] > 2 * others)[:, 1].mean())


def test_a_body_in_place_is_shown_side_by_side_from_early_to_late() -> None:
    strip = filmstrip(sliding(30, 0.0), poses=5, size=(600, 150), early=BLUE, late=RED)
    assert strip.size == (600, 150)
    assert blobs(strip) == 5
    assert middle(strip, 2) < middle(strip, 0)  # blue is left of red


def test_a_travelling_body_is_shown_along_its_path() -> None:
    far = filmstrip(sliding(30, 8.0), poses=5, size=(600, 150), early=BLUE, late=RED)
    assert blobs(far) == 5
    assert middle(far, 2) < middle(far, 0)
    near = filmstrip(sliding(30, 1.8), poses=8, size=(600, 150), early=BLUE, late=BLUE)
    assert blobs(near) <= 4  # half a metre each: no more than four poses fit on 1.8 m
    assert blobs(filmstrip(sliding(30, 1.0), poses=8, size=(600, 150), early=BLUE, late=BLUE)) == 8


def test_a_path_that_comes_back_is_not_drawn_over_itself() -> None:
    there = sliding(30, 2.0)
    path = torch.cat([there.root, there.root.flip(0), there.root])
    back = Motion(there.rotations.repeat(3, 1, 1, 1), path, 30.0, CANONICAL)
    assert blobs(filmstrip(back, poses=6, size=(600, 120), early=BLUE, late=RED)) == 6


def test_one_frame_and_one_pose() -> None:
    assert blobs(filmstrip(sliding(1, 0.0), poses=8, size=(120, 120))) == 1
    assert blobs(filmstrip(sliding(9, 0.0), poses=1, size=(120, 120))) == 1
    with pytest.raises(MotionError, match="0 poses"):
        filmstrip(sliding(9, 0.0), poses=0)


def test_side_by_side_leaves_room_and_one_depth() -> None:
    rng = np.random.default_rng(0)
    bodies: NDArray[np.float32] = (rng.normal(size=(6, 50, 3)) + rng.normal(size=(6, 1, 3)) * 3).astype(np.float32)
    axes = view_axes(0.7, 0.2)
    placed = bodies + side_by_side(bodies, axes[0])[:, None]
    across = placed @ axes[0]
    assert across.min(1)[1:] - across.max(1)[:-1] == pytest.approx(0.12, abs=1e-5)
    assert np.allclose(placed[..., 1], bodies[..., 1])
    level = np.cross(axes[0], [0, 1, 0])
    depth = (placed.min(1) + placed.max(1)) / 2 @ level
    assert np.allclose(depth, 0, atol=1e-5)


def test_contact_sheet_has_a_title_over_each_strip() -> None:
    motions = [sliding(10, 0.0)] * 3
    sheet = contact_sheet(motions, ["one", "", "a very long title " * 20], columns=2, cell=(240, 90), poses=3)
    values = np.asarray(sheet).astype(int)
    gap, head = 5, 11
    assert sheet.size == (2 * 245 + 5, 2 * (90 + head + gap) + gap)

    def ink(column: int, row: int) -> int:
        top, left = gap + row * (90 + head + gap), gap + column * 245
        return int((values[top : top + head, left : left + 240] < 128).all(-1).sum())

    assert ink(0, 0) > 5
    assert ink(1, 0) == 0
    assert ink(0, 1) > 10 * ink(0, 0)
    assert (values[:, 245 : 245 + gap] == 255).all()  # the long title does not run over


def test_a_title_for_each_motion_is_asked_for() -> None:
    with pytest.raises(MotionError, match="2 motions and 1 titles"):
        contact_sheet([sliding(3, 0.0)] * 2, ["one"])
    with pytest.raises(MotionError, match="at least 1"):
        contact_sheet([], [])
