"""Mirror images, headings and turns."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from motions import smooth_motion

from motionclip.errors import SkeletonError
from motionclip.motion import CANONICAL, Motion, Skeleton, canonicalize_heading, heading, horizontal, mirror, turn
from motionclip.motion import rotations as rot

angles = st.floats(-math.pi + 0.01, math.pi - 0.01)


@given(st.integers(0, 999))
def test_mirroring_twice_is_the_identity(seed: int) -> None:
    motion = smooth_motion(5, seed)
    twice = mirror(mirror(motion))
    torch.testing.assert_close(twice.rotations, motion.rotations)
    torch.testing.assert_close(twice.root, motion.root)


@given(st.integers(0, 999))
def test_the_mirror_image_has_the_reflected_positions_of_the_other_side(seed: int) -> None:
    motion = smooth_motion(5, seed)
    reflected = motion.positions[:, list(CANONICAL.swapped_sides)] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(mirror(motion).positions, reflected, atol=1e-5, rtol=0)
    assert (motion.positions - reflected).abs().max() > 0.05
    torch.testing.assert_close(torch.linalg.det(mirror(motion).rotations), torch.ones(5, 24), atol=1e-5, rtol=0)


def test_a_skeleton_without_sides_cannot_be_mirrored() -> None:
    lonely = Skeleton(("root", "left_hip"), (-1, 0), torch.ones(2, 3))
    with pytest.raises(SkeletonError, match="right_hip"):
        mirror(smooth_motion(2, skeleton=lonely))


@given(angles)
def test_heading_is_the_yaw_of_an_upright_body(angle: float) -> None:
    standing = Motion(torch.eye(3).expand(2, 24, 3, 3), torch.zeros(2, 3), 30.0, CANONICAL)
    turned = turn(standing, torch.tensor(angle))
    torch.testing.assert_close(heading(turned), torch.full((2,), angle), atol=1e-4, rtol=0)
    forward = rot.about_y(torch.tensor(angle)) @ torch.tensor([0.0, 0.0, 1.0])
    toes = turned.positions[0, CANONICAL.index("left_foot")] - turned.positions[0, CANONICAL.index("left_ankle")]
    assert toes @ forward > 0.14


def test_only_the_height_is_no_part_of_what_is_horizontal() -> None:
    places = torch.tensor([[[1.0, 2.0, -3.0]], [[4.0, -5.0, 6.0]]], dtype=torch.float64)
    flat = torch.tensor([[[1.0, 0.0, -3.0]], [[4.0, 0.0, 6.0]]], dtype=torch.float64)
    torch.testing.assert_close(horizontal(places), flat, atol=0, rtol=0)


@given(st.integers(0, 999), angles)
def test_canonical_heading_does_not_depend_on_where_the_body_stood(seed: int, angle: float) -> None:
    motion = smooth_motion(6, seed)
    moved = turn(motion, torch.tensor(angle))
    moved = Motion(moved.rotations, moved.root + torch.tensor([3.0, 0.0, -2.0]), 30.0, CANONICAL)
    here, there = canonicalize_heading(motion), canonicalize_heading(moved)
    torch.testing.assert_close(here.positions, there.positions, atol=1e-4, rtol=0)
    torch.testing.assert_close(heading(there)[0], torch.tensor(0.0), atol=1e-4, rtol=0)
    torch.testing.assert_close(there.root[0], torch.tensor([0.0, float(motion.root[0, 1]), 0.0]), atol=1e-5, rtol=0)
