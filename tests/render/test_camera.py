"""Cameras: axes are a rotation, and framing is as tight as it can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionclip.render.camera import framing, view_axes

angles = st.floats(-3.2, 3.2)


@given(angles, st.floats(0, 1.5))
def test_axes_are_right_handed_and_level(azimuth: float, elevation: float) -> None:
    axes = view_axes(azimuth, elevation)
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    assert axes[0, 1] == 0
    assert axes[2, 1] == pytest.approx(np.sin(elevation))


def test_azimuth_is_where_the_camera_stands() -> None:
    assert np.allclose(view_axes(0, 0)[2], [0, 0, 1])
    assert np.allclose(view_axes(np.pi / 2, 0)[2], [1, 0, 0])
    assert np.allclose(view_axes(0, 0)[0], [1, 0, 0])


@given(st.integers(0, 1000), angles, st.floats(0.2, 6))
def test_framing_sees_all_points_and_touches_two_borders(seed: int, azimuth: float, aspect: float) -> None:
    points = np.random.default_rng(seed).normal(size=(20, 3)) * [1.5, 0.7, 1.0]
    camera = framing(points, view_axes(azimuth, 0.2), aspect, padding=0.0)
    x, y, z = ((points - camera.eye) @ camera.axes.T).T
    assert (z < 0).all()
    slope = np.tan(camera.field_of_view / 2)
    across, up = x / -z / (slope * aspect), y / -z / slope
    assert max(np.abs(across).max(), np.abs(up).max()) <= 1 + 1e-9
    tight_x = min(across.max(), -across.min())
    tight_y = min(up.max(), -up.min())
    assert max(tight_x, tight_y) == pytest.approx(1)
    assert across.max() == pytest.approx(-across.min()) or tight_y == pytest.approx(1)


def test_padding_moves_the_camera_away() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3))
    near, far = (framing(points, view_axes(0.3, 0.2), 1.0, padding) for padding in (0.0, 0.3))
    assert far.eye @ far.axes[2] > near.eye @ near.axes[2] + 0.3
