"""The body: what ships is sound, and skinning is linear blend skinning."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from motionclip.body import Body, default_body
from motionclip.errors import ModelError, SkeletonError
from motionclip.motion import CANONICAL, Motion, Skeleton, forward_kinematics, mirror
from motionclip.motion import rotations as rot
from motionclip.motion.skeleton import ANKLE_HEIGHT


def random_motion(frames: int, seed: int = 0, skeleton: Skeleton = CANONICAL, size: float = 0.6) -> Motion:
    generator = torch.Generator().manual_seed(seed)
    turns = torch.randn(frames, skeleton.num_joints, 3, generator=generator) * size
    return Motion(rot.rotvec_to_matrix(turns), torch.randn(frames, 3, generator=generator), 30.0, skeleton)


def blended_one_by_one(body: Body, turned: Tensor, placed: Tensor) -> Tensor:
    """Slow twin of ``skin`` for one pose, from the definition."""
    out = torch.zeros_like(body.vertices)
    for joint in range(body.skeleton.num_joints):
        local = body.vertices - body.skeleton.rest_positions[joint]
        out += body.weights[:, joint, None] * (local @ turned[joint].T + placed[joint])
    return out


def mirrored_vertex(body: Body) -> Tensor:
    """For each vertex the index of the nearest one to its mirror image."""
    return torch.cdist(body.vertices * torch.tensor([-1.0, 1, 1]), body.vertices).argmin(1)


def test_default_body_is_left_right_symmetric() -> None:
    body = default_body()
    twin = mirrored_vertex(body)
    assert torch.equal(body.vertices[twin], body.vertices * torch.tensor([-1.0, 1, 1]))
    assert torch.allclose(body.weights[twin], body.weights[:, list(CANONICAL.swapped_sides)], atol=1e-4)


def test_default_body_is_closed_and_faces_outwards() -> None:
    body = default_body()
    edges = torch.cat([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]])
    _, counts = edges.sort(1).values.unique(dim=0, return_counts=True)
    assert (counts == 2).all()
    assert len(edges.unique(dim=0)) == len(edges)  # each edge once in each direction
    a, b, c = body.vertices[body.faces].unbind(1)
    volume = float((a * torch.linalg.cross(b, c)).sum() / 6)
    assert 0.04 < volume < 0.09  # cubic metres; negative if faces pointed inwards


def test_default_body_height_and_influences() -> None:
    body = default_body()
    height = body.vertices[:, 1].max() - body.vertices[:, 1].min()
    assert 1.69 < height < 1.72
    assert ((body.weights > 0).sum(1) <= 4).all()
    assert (body.weights.sum(0) > 0).all(), "some joint moves nothing"


def test_every_joint_is_inside_the_body() -> None:
    body = default_body()
    corners = body.vertices.double()[body.faces]
    for name, joint in zip(CANONICAL.names, CANONICAL.rest_positions.double(), strict=True):
        a, b, c = (corners - joint).unbind(1)
        la, lb, lc = a.norm(dim=1), b.norm(dim=1), c.norm(dim=1)
        triple = (a * torch.linalg.cross(b, c)).sum(1)
        base = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
        winding = torch.atan2(triple, base).sum() / (2 * torch.pi)  # solid angle over 4 pi: 1 inside, 0 outside
        assert winding > 0.9, f"{name} is outside"


def test_soles_are_flat_and_as_high_as_the_skeleton_says() -> None:
    body = default_body()
    height = body.vertices[:, 1] - CANONICAL.rest_positions[CANONICAL.index("left_ankle"), 1] + ANKLE_HEIGHT
    assert height.min().abs() < 1e-6
    sole = (height < 1e-4) & (body.vertices[:, 0] > 0)
    assert sole.sum() > 40
    along = body.vertices[sole, 2].sort().values
    assert along[-1] - along[0] > 0.18, "heel and toes both touch the floor"


def test_rest_pose_gives_the_rest_vertices() -> None:
    body = default_body()
    still = Motion(torch.eye(3).expand(1, 24, 3, 3), torch.zeros(1, 3), 30.0, CANONICAL)
    assert torch.allclose(body.pose(still)[0], body.vertices, atol=1e-6)


def test_skin_equals_the_slow_twin() -> None:
    body, motion = default_body(), random_motion(3)
    turned, placed = motion.world
    fast = body.skin(turned, motion.root)
    slow = torch.stack([blended_one_by_one(body, r, p) for r, p in zip(turned, placed, strict=True)])
    assert (fast - slow).abs().max() < 1e-5
    torch.testing.assert_close(body.skin(turned[:1, None], motion.root[:1, None])[0, 0], fast[0], atol=1e-5, rtol=0)


@settings(max_examples=15, deadline=None)
@given(st.floats(-3, 3), st.tuples(*[st.floats(-5, 5)] * 3))
def test_moving_the_root_moves_the_body_rigidly(angle: float, step: tuple[float, float, float]) -> None:
    body, motion = default_body(), random_motion(1, seed=3)
    yaw = rot.about_y(torch.tensor(angle))
    turned = motion.rotations.clone()
    turned[:, 0] = yaw @ turned[:, 0]
    moved = replace(motion, rotations=turned, root=motion.root @ yaw.T + torch.tensor(step))
    expected = body.pose(motion) @ yaw.T + torch.tensor(step)
    assert torch.allclose(body.pose(moved), expected, atol=2e-5)


def test_a_mirrored_motion_gives_the_mirrored_body() -> None:
    body, motion = default_body(), random_motion(2, seed=5)
    image = body.pose(mirror(motion))[:, mirrored_vertex(body)]
    assert torch.allclose(image, body.pose(motion) * torch.tensor([-1.0, 1, 1]), atol=2e-4)


def test_gradients_reach_rotations_and_root() -> None:
    body = default_body()
    few = torch.arange(0, body.num_vertices, 900)
    small = Body(
        body.vertices[few].double(), body.weights[few].double(), torch.zeros(0, 3, dtype=torch.long), CANONICAL
    )
    turns = (torch.randn(1, 24, 3, generator=torch.Generator().manual_seed(1)).double() * 0.3).requires_grad_()
    root = torch.zeros(1, 3, dtype=torch.double, requires_grad=True)

    def posed(turns: Tensor, root: Tensor) -> Tensor:
        return small.skin(forward_kinematics(rot.rotvec_to_matrix(turns), root, CANONICAL)[0], root)

    assert torch.autograd.gradcheck(posed, (turns, root))


def test_a_motion_of_another_size_keeps_its_feet_on_the_floor() -> None:
    big = Skeleton(CANONICAL.names, CANONICAL.parents, CANONICAL.offsets * 1.25)
    body = default_body()
    standing = Motion(torch.eye(3).expand(2, 24, 3, 3), torch.tensor([[0, -body.sole * 1.25, 0]] * 2), 30.0, big)
    assert body.fitted(standing).skeleton is CANONICAL
    assert body.pose(standing)[..., 1].min().abs() < 1e-4


def test_a_motion_without_the_joints_is_refused() -> None:
    pair = Skeleton(("a", "b"), (-1, 0), torch.ones(2, 3))
    with pytest.raises(SkeletonError):
        default_body().pose(Motion(torch.eye(3).expand(1, 2, 3, 3), torch.zeros(1, 3), 30.0, pair))


def test_wrong_arrays_are_refused() -> None:
    body = default_body()
    with pytest.raises(ModelError, match=r"expected \(V, 3\)"):
        replace(body, weights=body.weights[:, :5])
    with pytest.raises(ModelError, match="outside 0 to"):
        replace(body, faces=body.faces + 1)
    with pytest.raises(ModelError, match="add up to 1"):
        replace(body, weights=body.weights * 0.5)


def test_a_body_first_used_without_gradients_has_them_later() -> None:
    body = replace(default_body())
    rotations, root = torch.eye(3).repeat(24, 1, 1), torch.zeros(3)
    with torch.inference_mode():
        body.skin(rotations, root)
    body.skin(rotations.requires_grad_(), root).sum().backward()
    assert rotations.grad is not None
