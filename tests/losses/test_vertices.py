"""The closed form against plainly skinned vertices: values and gradients."""

import roma
import torch

from motionclip.body import default_body, relative_transforms
from motionclip.losses.vertices import moment_factor, vertex_error
from motionclip.motion import CANONICAL, forward_kinematics


def posed(turns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return forward_kinematics(roma.rotvec_to_rotmat(turns), torch.zeros(turns.shape[0], 3), CANONICAL)


def test_closed_form_equals_skinned_vertices() -> None:
    body = default_body()
    generator = torch.Generator().manual_seed(0)
    turns = (torch.randn(4, 24, 3, generator=generator) * 0.4).requires_grad_()
    target = posed(torch.randn(4, 24, 3, generator=generator) * 0.4)
    world, places = posed(turns)
    change = relative_transforms(world, places, CANONICAL) - relative_transforms(*target, CANONICAL)
    closed = vertex_error(change, moment_factor(body))
    plain = (body.skin(world, places) - body.skin(*target)).square().sum(dim=-1).mean(dim=-1)
    torch.testing.assert_close(closed, plain, rtol=1e-4, atol=1e-6)
    gradient = torch.autograd.grad(closed.sum(), turns, retain_graph=True)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(plain.sum(), turns)[0], rtol=1e-3, atol=1e-5)
