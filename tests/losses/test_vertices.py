"""The closed form against plainly skinned vertices: values and gradients, on the default body and on SMPL's shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from motionclip.body import Body, default_body, load_smpl
from motionclip.losses.reconstruction import moment_factor, vertex_error
from motionclip.motion import CANONICAL, forward_kinematics
from motionclip.motion import rotations as rot
from smpl_files import save_npz, save_pickle, smpl_arrays, smpl_vertices

FRAMES = 4


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return smpl_arrays()


@pytest.fixture(scope="module", params=["default", "smpl.npz", "smpl.pkl"])
def body(request: pytest.FixtureRequest, arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Body:
    if request.param == "default":
        return default_body()
    save = save_pickle if request.param.endswith(".pkl") else save_npz
    return load_smpl(save(tmp_path_factory.mktemp("smpl") / request.param, arrays))


def turns(seed: int) -> Tensor:
    """Rotation vectors (T, 24, 3)."""
    return torch.randn(FRAMES, 24, 3, generator=torch.Generator().manual_seed(seed)) * 0.3


def world(local: Tensor) -> Tensor:
    return forward_kinematics(local, local.new_zeros(len(local), 3), CANONICAL)[0]


def closed_form(body: Body, local: Tensor, target: Tensor) -> Tensor:
    return vertex_error(world(local) - world(target), moment_factor(body))


def in_place(body: Body, local: Tensor) -> Tensor:
    return body.skin(world(local), local.new_zeros(len(local), 3))


def skinned(vertices: Callable[[Tensor], Tensor], local: Tensor, target: Tensor) -> Tensor:
    return (vertices(local) - vertices(target)).square().sum(dim=-1).mean(dim=-1)


def with_gradient(loss: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """The loss of two seeded poses (T,), m^2, and its gradient (T, 24, 3) by rotation vectors."""
    moved = turns(0).requires_grad_()
    value = loss(rot.rotvec_to_matrix(moved), rot.rotvec_to_matrix(turns(1)))
    return value.detach(), torch.autograd.grad(value.sum(), moved)[0]


def check_same(closed: tuple[Tensor, Tensor], plain: tuple[Tensor, Tensor]) -> None:
    assert plain[0].min() > 0.01
    torch.testing.assert_close(closed[0], plain[0], rtol=1e-4, atol=0)
    torch.testing.assert_close(closed[1], plain[1], rtol=1e-4, atol=1e-4 * float(plain[1].abs().max()))


def test_closed_form_equals_plainly_skinned_vertices(body: Body) -> None:
    check_same(
        with_gradient(lambda local, target: closed_form(body, local, target)),
        with_gradient(lambda local, target: skinned(lambda pose: in_place(body, pose), local, target)),
    )


def test_closed_form_equals_smpl_without_its_pose_blend_shapes(arrays: dict[str, Any], tmp_path: Path) -> None:
    body = load_smpl(save_npz(tmp_path / "smpl.npz", arrays))
    stiff = arrays | {"posedirs": arrays["posedirs"] * 0}
    check_same(
        with_gradient(lambda local, target: closed_form(body, local, target)),
        with_gradient(lambda local, target: skinned(lambda pose: smpl_vertices(stiff, pose), local, target)),
    )


def test_pose_blend_shapes_change_the_distance_by_no_more_than_they_move_vertices(
    arrays: dict[str, Any], tmp_path: Path
) -> None:
    body = load_smpl(save_npz(tmp_path / "smpl.npz", arrays))
    stiff = arrays | {"posedirs": arrays["posedirs"] * 0}
    local, target = rot.rotvec_to_matrix(turns(0)), rot.rotvec_to_matrix(turns(1))
    closed = closed_form(body, local, target).sqrt()
    full = skinned(lambda pose: smpl_vertices(arrays, pose), local, target).sqrt()

    def correction(pose: Tensor) -> Tensor:
        return smpl_vertices(arrays, pose) - smpl_vertices(stiff, pose)

    size = skinned(correction, local, target).sqrt()
    assert size.min() > 0.003
    assert ((full - closed).abs() < size).all()
    assert (full - closed).abs().max() > 1e-5, "the twin's blend shapes do nothing"
