"""Rotations, on top of roma. A rotation matrix acts on column vectors.

Inside the package a rotation is a 3 x 3 matrix; other representations are used at the borders (files, features) and are
converted here.

- Rotation vectors: axis times angle, radians.
- Quaternions: roma's order (x, y, z, w), unit.
- 6D: the first two *columns* of the matrix, [first (3), second (3)], after Zhou et al., "On the Continuity of Rotation
  Representations in Neural Networks", CVPR 2019.
- Euler angles: degrees, any order and number of axes. Axes (a, b, c) with angles (A, B, C) mean R_a(A) R_b(B) R_c(C):
  each rotation is about the axes that the ones before it have moved, as BVH channels are meant.
"""

from __future__ import annotations

import math

import numpy as np
import roma
import torch
from numpy.typing import NDArray
from torch import Tensor

Doubles = NDArray[np.float64]

Y_AXIS = (0.0, 1.0, 0.0)


def matrix_to_sixd(matrix: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) to 6D (..., 6): first column, then second column."""
    return matrix[..., :, :2].transpose(-1, -2).flatten(-2)


def sixd_to_matrix(sixd: Tensor) -> Tensor:
    """6D (..., 6) to rotation matrices (..., 3, 3) by Gram-Schmidt; any non-parallel pair is valid."""
    # components lie outermost: sums over three numbers that are innermost in memory take ten times as long
    first, second = sixd.movedim(-1, 0).contiguous().unflatten(0, (2, 3))
    x = unit(first)
    y = unit(second - (x * second).sum(dim=0) * x)
    return torch.stack([x, y, cross(x, y)], dim=1).movedim((0, 1), (-2, -1))


def unit(vectors: Tensor) -> Tensor:
    """Returns vectors (3, ...), components first, of length 1."""
    return vectors / vectors.square().sum(dim=0).clamp(min=1e-24).sqrt()


def cross(left: Tensor, right: Tensor) -> Tensor:
    """Returns the cross products (3, ...) of vectors (3, ...), components first."""
    (a, b, c), (x, y, z) = left.unbind(), right.unbind()
    return torch.stack([b * z - c * y, c * x - a * z, a * y - b * x])


def matrix_to_rotvec(matrix: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) to rotation vectors (..., 3), radians."""
    return roma.rotmat_to_rotvec(matrix)


def rotvec_to_matrix(rotvec: Tensor) -> Tensor:
    """Rotation vectors (..., 3), radians, to rotation matrices (..., 3, 3)."""
    return roma.rotvec_to_rotmat(rotvec)


def matrix_to_quat(matrix: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) to unit quaternions (..., 4), order (x, y, z, w).

    Each row of the matrix 4 q q^T is a multiple of the quaternion; the one with the largest diagonal is taken
    (Shepperd, "Quaternion from rotation matrix", 1978). roma does so by indices that no exported graph can have.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = (row.unbind(-1) for row in matrix.unbind(-2))
    xw, yw, zw = zy - yz, xz - zx, yx - xy
    outer = torch.stack(
        [
            torch.stack([1 + xx - yy - zz, xy + yx, xz + zx, xw], dim=-1),
            torch.stack([xy + yx, 1 - xx + yy - zz, yz + zy, yw], dim=-1),
            torch.stack([xz + zx, yz + zy, 1 - xx - yy + zz, zw], dim=-1),
            torch.stack([xw, yw, zw, 1 + xx + yy + zz], dim=-1),
        ],
        dim=-2,
    )
    largest = outer.diagonal(dim1=-2, dim2=-1).argmax(dim=-1)
    row = outer.gather(-2, largest[..., None, None].expand_as(outer[..., :1, :]))[..., 0, :]
    return torch.nn.functional.normalize(row, dim=-1)


def quat_to_matrix(quat: Tensor) -> Tensor:
    """Unit quaternions (..., 4), order (x, y, z, w), to rotation matrices (..., 3, 3)."""
    return roma.unitquat_to_rotmat(quat)


def geodesic_angle(a: Tensor, b: Tensor) -> Tensor:
    """Angle (...,) in radians of the rotation between matrices a and b (..., 3, 3)."""
    return roma.rotmat_geodesic_distance(a, b)


def slerp(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Shortest-arc spherical interpolation of matrices (N, ..., 3, 3) by weight (N,) in [0, 1]."""
    steps = roma.rotmat_to_rotvec(a.transpose(-1, -2) @ b)  # (N, ..., 3)
    weight = weight.reshape(-1, *[1] * (steps.dim() - 1))
    return a @ roma.rotvec_to_rotmat(weight * steps)


def limit_angle(rotvec: Tensor, most: float) -> Tensor:
    """Returns rotation vectors (..., 3) whose angle is clamped to ``most`` radians."""
    return rotvec * (most / rotvec.norm(dim=-1, keepdim=True).clamp(min=1e-9)).clamp(max=1.0)


def about_y(angle: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) about the vertical axis by angle (...,) in radians."""
    axis = torch.tensor(Y_AXIS, dtype=angle.dtype, device=angle.device)
    return roma.rotvec_to_rotmat(angle[..., None] * axis)


def yaw_of_left(left: Tensor) -> Tensor:
    """Yaw (...,) in radians of a body whose left side points along ``left`` (..., 3): 0 faces +Z, positive +X."""
    return torch.atan2(-left[..., 2], left[..., 0])


def shortest_arc(a: Tensor, b: Tensor) -> Tensor:
    """Smallest rotations (..., 3, 3) that take directions a onto directions b (..., 3).

    For opposite directions any half turn is smallest; one about an axis normal to ``a`` is returned.
    """
    a = torch.nn.functional.normalize(a, dim=-1)
    b = torch.nn.functional.normalize(b, dim=-1)
    cosine = (a * b).sum(-1, keepdim=True).clamp(-1, 1)
    axis = torch.linalg.cross(a, b)
    least = torch.nn.functional.one_hot(a.abs().argmin(-1), 3).to(a)
    axis = torch.where(cosine < -1 + 1e-7, torch.linalg.cross(a, least), axis)
    axis = torch.nn.functional.normalize(axis, dim=-1)
    return roma.rotvec_to_rotmat(axis * torch.atan2(torch.linalg.cross(a, b).norm(dim=-1, keepdim=True), cosine))


def unwound(turns: Tensor) -> Tensor:
    """Returns rotation vectors (T, J, 3) of the same rotations that are continuous over frames, up to one full turn.

    A rotation has two vectors, the short way (angle a) and the long way (2 pi - a, about the opposite axis). The short
    one jumps to the opposite side where the angle passes half a turn; here the one nearer to the frame before is taken.
    """
    followed = list(turns[:1])
    for turn_now in turns[1:]:
        angle = turn_now.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        other = turn_now * (1 - 2 * math.pi / angle)
        nearer = (other - followed[-1]).norm(dim=-1) < (turn_now - followed[-1]).norm(dim=-1)
        followed.append(torch.where(nearer[:, None], other, turn_now))
    return torch.stack(followed) if followed else turns


# Euler angles: NumPy in float64, as files have them


def matrix_to_zxy(matrices: Doubles) -> Doubles:
    """Angles (..., 3) in degrees (Z, X, Y) of rotation matrices (..., 3, 3), R = R_z R_x R_y.

    X is in [-90, 90]. Near its ends Z is poorly determined (gimbal lock), so Y is found from what is
    left after Z is undone: the product is exact for any Z.
    """
    z = np.arctan2(-matrices[..., 0, 1], matrices[..., 1, 1])
    cosine, sine = np.cos(z)[..., None], np.sin(z)[..., None]
    first = cosine * matrices[..., 0, :] + sine * matrices[..., 1, :]  # rows of R_z(-z) R = R_x R_y
    second = cosine * matrices[..., 1, :] - sine * matrices[..., 0, :]
    x, y = np.arctan2(matrices[..., 2, 1], second[..., 1]), np.arctan2(first[..., 2], first[..., 0])
    return np.rad2deg(np.stack([z, x, y], axis=-1))
