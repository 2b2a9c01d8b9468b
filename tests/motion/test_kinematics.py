"""Forward kinematics against a slow twin, joint by joint, values and gradients."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from motions import smooth_motion
from torch import Tensor

from motionclip.motion import CANONICAL, Skeleton, forward_kinematics, local_rotations
from motionclip.motion import rotations as rot


def slow_kinematics(rotations: Tensor, root: Tensor, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
    """One joint and one frame at a time, parents first."""
    world: list[list[Tensor]] = []
    places: list[list[Tensor]] = []
    for frame in range(len(root)):
        turned: list[Tensor] = []
        placed: list[Tensor] = []
        for joint, parent in enumerate(skeleton.parents):
            if parent < 0:
                turned.append(rotations[frame, joint])
                placed.append(root[frame])
            else:
                turned.append(turned[parent] @ rotations[frame, joint])
                placed.append(placed[parent] + turned[parent] @ skeleton.offsets[joint].to(root))
        world.append(turned)
        places.append(placed)
    return torch.stack([torch.stack(row) for row in world]), torch.stack([torch.stack(row) for row in places])


@st.composite
def skeletons(draw: st.DrawFn) -> Skeleton:
    count = draw(st.integers(1, 9))
    parents = (-1, *(draw(st.integers(0, joint - 1)) for joint in range(1, count)))
    offsets = torch.randn(count, 3, generator=torch.Generator().manual_seed(draw(st.integers(0, 999))))
    return Skeleton(tuple(f"j{joint}" for joint in range(count)), parents, offsets)


@given(skeletons(), st.integers(0, 999))
def test_equals_the_slow_twin_on_any_tree(skeleton: Skeleton, seed: int) -> None:
    motion = smooth_motion(3, seed, skeleton=skeleton)
    world, positions = forward_kinematics(motion.rotations, motion.root, skeleton)
    slow_world, slow_positions = slow_kinematics(motion.rotations, motion.root, skeleton)
    torch.testing.assert_close(world, slow_world, atol=1e-5, rtol=0)
    torch.testing.assert_close(positions, slow_positions, atol=1e-5, rtol=0)


def test_gradients_equal_those_of_the_slow_twin() -> None:
    motion = smooth_motion(2)
    weights = torch.randn(2, 24, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    gradients = []
    for kinematics in (forward_kinematics, slow_kinematics):
        rotvec = rot.matrix_to_rotvec(motion.rotations.double()).requires_grad_()
        root = motion.root.double().requires_grad_()
        _, positions = kinematics(rot.rotvec_to_matrix(rotvec), root, CANONICAL)
        gradients.append(torch.autograd.grad((positions * weights).sum(), [rotvec, root]))
    for fast, slow in zip(*gradients, strict=True):
        assert fast.abs().max() > 0.1
        torch.testing.assert_close(fast, slow, atol=1e-9, rtol=0)


def test_leading_dimensions_are_kept() -> None:
    motion = smooth_motion(6)
    rotations, root = motion.rotations.reshape(2, 3, 24, 3, 3), motion.root.reshape(2, 3, 3)
    world, positions = forward_kinematics(rotations, root, CANONICAL)
    torch.testing.assert_close(world.flatten(0, 1), motion.world[0])
    torch.testing.assert_close(positions.flatten(0, 1), motion.positions)


@given(skeletons())
def test_local_rotations_undo_the_kinematics(skeleton: Skeleton) -> None:
    motion = smooth_motion(3, skeleton=skeleton)
    torch.testing.assert_close(local_rotations(motion.world[0], skeleton), motion.rotations, atol=1e-5, rtol=0)


def test_a_skeleton_first_used_without_gradients_serves_with_them() -> None:
    skeleton = Skeleton(CANONICAL.names, CANONICAL.parents, CANONICAL.offsets)
    motion = smooth_motion(3)
    with torch.inference_mode():
        forward_kinematics(motion.rotations, motion.root, skeleton)
    rotations = motion.rotations.clone().requires_grad_()
    forward_kinematics(rotations, motion.root, skeleton)[1].sum().backward()
    assert rotations.grad is not None
    assert rotations.grad.abs().sum() > 0


def test_tracing_leaves_nothing_behind() -> None:
    skeleton, motion = Skeleton(CANONICAL.names, CANONICAL.parents, CANONICAL.offsets), smooth_motion(3)

    class Places(torch.nn.Module):
        def forward(self, rotations: Tensor, root: Tensor) -> Tensor:
            return forward_kinematics(rotations, root, skeleton)[1]

    torch.export.export(Places(), (motion.rotations, motion.root))
    places = forward_kinematics(motion.rotations, motion.root, skeleton)[1]
    torch.testing.assert_close(torch.from_numpy(places.numpy()), motion.positions)
