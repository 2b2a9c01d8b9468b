"""Channels of motion files, angles about axes in any order, as rotation matrices: compiled.

In a module of its own, for numba takes 0.2 s to import: what reads no such file does without.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from motionclip.motion.rotations import Doubles

Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def channels_to_matrices(values: Doubles, columns: Ints, axes: Ints, starts: Ints) -> Doubles:  # pragma: no cover
    """Rotation matrices (T, J, 3, 3) of J joints.

    Args:
        values: (T, C) channels, degrees where they are angles.
        columns: (A,) the column of each angle, joint by joint in the order of multiplication.
        axes: (A,) its axis: 0, 1 or 2 for x, y or z.
        starts: (J + 1,) where in ``columns`` the angles of each joint begin.
    """
    frames, joints = values.shape[0], starts.size - 1
    matrices = np.zeros((frames, joints, 3, 3))
    for frame in range(frames):
        for joint in range(joints):
            matrix = matrices[frame, joint]
            matrix[0, 0] = matrix[1, 1] = matrix[2, 2] = 1.0
            for angle in range(starts[joint], starts[joint + 1]):
                radians = np.deg2rad(values[frame, columns[angle]])
                cosine, sine = np.cos(radians), np.sin(radians)
                first, second = (axes[angle] + 1) % 3, (axes[angle] + 2) % 3
                for row in range(3):  # matrix @ R_axis: two columns turn into each other
                    a, b = matrix[row, first], matrix[row, second]
                    matrix[row, first] = cosine * a + sine * b
                    matrix[row, second] = cosine * b - sine * a
    return matrices


def euler_to_matrix(angles: Doubles, axes: str) -> Doubles:
    """Rotation matrices (N, 3, 3) of angles (N, A) in degrees about the A axes, such as ``"ZXY"``."""
    count = len(axes)
    order = np.array(["XYZ".index(axis) for axis in axes], dtype=np.int64)
    return channels_to_matrices(np.asarray(angles, float), np.arange(count), order, np.array([0, count]))[:, 0]
