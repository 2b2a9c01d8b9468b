"""Euler angles against products of elementary turns, and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motionclip.motion import rotations as rot
from motionclip.motion.channels import euler_to_matrix
from motionclip.motion.rotations import matrix_to_zxy

AXES = {"X": [1.0, 0.0, 0.0], "Y": [0.0, 1.0, 0.0], "Z": [0.0, 0.0, 1.0]}
ANGLE = st.floats(-720, 720)


def slow_product(angles: list[float], axes: str) -> np.ndarray:
    product = torch.eye(3, dtype=torch.float64)
    for angle, axis in zip(angles, axes, strict=True):
        product = product @ rot.rotvec_to_matrix(torch.tensor(AXES[axis], dtype=torch.float64) * np.deg2rad(angle))
    return product.numpy()


@pytest.mark.parametrize("axes", ["XYZ", "ZXY", "YZX", "ZYX", "XZY", "YXZ", "ZXZ", "XY", "Y", ""])
@given(angles=st.lists(ANGLE, min_size=3, max_size=3))
@settings(max_examples=20, deadline=None)
def test_any_order_equals_the_product_of_turns(axes: str, angles: list[float]) -> None:
    angles = angles[: len(axes)]
    assert np.allclose(euler_to_matrix(np.array([angles]), axes)[0], slow_product(angles, axes), atol=1e-12)


@given(z=ANGLE, x=st.one_of(ANGLE, st.sampled_from([90.0, -90.0, 89.9999, -90.0001, 270.0])), y=ANGLE)
@settings(max_examples=200, deadline=None)
def test_matrix_to_zxy_gives_the_same_rotation_back_even_in_gimbal_lock(z: float, x: float, y: float) -> None:
    matrix = euler_to_matrix(np.array([[z, x, y]]), "ZXY").astype(np.float32).astype(float)
    again = euler_to_matrix(matrix_to_zxy(matrix), "ZXY")
    assert np.abs(again - matrix).max() < 1e-6
