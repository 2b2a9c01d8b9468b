"""Rotations: round trips between representations, and the definitions that roma does not fix."""

import math

import roma
import torch
from hypothesis import given
from hypothesis import strategies as st

from motionclip.motion import rotations as rot

seeds = st.integers(0, 2**31 - 1)


def random_matrices(seed: int, count: int = 8) -> torch.Tensor:
    quaternions = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return roma.unitquat_to_rotmat(torch.nn.functional.normalize(quaternions, dim=-1))


@given(seeds)
def test_round_trips(seed: int) -> None:
    matrices = random_matrices(seed)
    torch.testing.assert_close(rot.sixd_to_matrix(rot.matrix_to_sixd(matrices)), matrices, atol=1e-9, rtol=0)
    torch.testing.assert_close(rot.quat_to_matrix(rot.matrix_to_quat(matrices)), matrices, atol=1e-9, rtol=0)
    torch.testing.assert_close(rot.rotvec_to_matrix(rot.matrix_to_rotvec(matrices)), matrices, atol=1e-7, rtol=0)


def test_sixd_is_the_first_two_columns() -> None:
    matrix = random_matrices(1, 1)[0]
    torch.testing.assert_close(rot.matrix_to_sixd(matrix), torch.cat([matrix[:, 0], matrix[:, 1]]))


@given(seeds)
def test_any_six_numbers_make_a_rotation(seed: int) -> None:
    sixd = torch.randn(8, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    matrices = rot.sixd_to_matrix(sixd)
    torch.testing.assert_close(matrices @ matrices.mT, torch.eye(3).double().expand(8, 3, 3), atol=1e-9, rtol=0)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(8).double())


@given(seeds)
def test_shortest_arc_reaches_its_goal_by_the_angle_between(seed: int) -> None:
    a, b = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    turn = rot.shortest_arc(a, b)
    a, b = torch.nn.functional.normalize(a, dim=-1), torch.nn.functional.normalize(b, dim=-1)
    torch.testing.assert_close((turn @ a[..., None])[..., 0], b, atol=1e-7, rtol=0)
    angle = torch.atan2(torch.linalg.cross(a, b).norm(dim=-1), (a * b).sum(-1))
    torch.testing.assert_close(rot.matrix_to_rotvec(turn).norm(dim=-1), angle, atol=1e-5, rtol=0)


def test_shortest_arc_of_opposite_and_equal_directions() -> None:
    axes = torch.eye(3)
    torch.testing.assert_close((rot.shortest_arc(axes, -axes) @ axes[..., None])[..., 0], -axes, atol=1e-5, rtol=0)
    torch.testing.assert_close(rot.shortest_arc(axes, axes), torch.eye(3).expand(3, 3, 3))


def test_only_turns_beyond_the_limit_are_shortened_to_it() -> None:
    turns = torch.tensor([[0.0, 0.0, 0.0], [0.3, 0.0, -0.4], [0.0, 1.2, -1.6]])
    limited = torch.tensor([[0.0, 0.0, 0.0], [0.3, 0.0, -0.4], [0.0, 0.6, -0.8]])
    torch.testing.assert_close(rot.limit_angle(turns, 1.0), limited)


def test_about_y_turns_z_towards_x() -> None:
    turned = rot.about_y(torch.tensor(math.pi / 2)) @ torch.tensor([0.0, 0.0, 1.0])
    torch.testing.assert_close(turned, torch.tensor([1.0, 0.0, 0.0]), atol=1e-5, rtol=0)


@given(seeds, st.floats(0, 1))
def test_slerp_moves_by_its_share_of_the_angle(seed: int, weight: float) -> None:
    a, b = random_matrices(seed), random_matrices(seed + 1)
    between = rot.slerp(a, b, torch.full((8,), weight, dtype=torch.float64))
    torch.testing.assert_close(rot.geodesic_angle(a, between), weight * rot.geodesic_angle(a, b), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        rot.geodesic_angle(between, b), (1 - weight) * rot.geodesic_angle(a, b), atol=1e-5, rtol=0
    )
