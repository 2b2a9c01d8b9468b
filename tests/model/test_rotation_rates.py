"""Turns that no body makes are spread over time; all others are left alone."""

import math

import torch

from motionclip.model.turning import (
    MAX_JOINT_RATE,
    MAX_ROOT_RATE,
    limit_joint_rotation_rate,
    limit_root_rotation_rate,
)
from motionclip.motion import CANONICAL
from motionclip.motion import rotations as rot


def turning(angles: torch.Tensor) -> torch.Tensor:
    """Rotations (1, T, 24, 3, 3) of a body whose root turns to angles (T,)."""
    matrices = torch.eye(3).repeat(1, len(angles), 24, 1, 1)
    matrices[0, :, 0] = rot.about_y(angles)
    return matrices


def test_a_jump_becomes_a_turn_around_its_moment() -> None:
    jump = torch.zeros(40)
    jump[20:] = math.radians(150)
    steady = limit_root_rotation_rate(turning(jump), 30.0)[0, :, 0]
    steps = rot.geodesic_angle(steady[1:], steady[:-1])
    assert steps.max() <= MAX_ROOT_RATE / 30 + 1e-4
    torch.testing.assert_close(steady[[0, -1]], rot.about_y(jump[[0, -1]]))
    half = rot.about_y(torch.tensor(math.radians(75)))
    assert rot.geodesic_angle(steady[19:21], half).min() < math.radians(15)


def test_turns_that_bodies_make_are_left_alone() -> None:
    spin = turning(torch.linspace(0, 2 * math.pi, 30))
    assert torch.equal(limit_root_rotation_rate(spin, 30.0), spin)
    assert torch.equal(limit_joint_rotation_rate(spin, 30.0), spin)
    for limit in (limit_root_rotation_rate, limit_joint_rotation_rate):
        assert limit(spin[:, :1], 30.0).shape == (1, 1, 24, 3, 3)


def test_a_wrist_that_snaps_takes_its_time_and_others_are_left_alone() -> None:
    turns = torch.zeros(2, 30, 24, 3)
    wrist, elbow = CANONICAL.index("left_wrist"), CANONICAL.index("left_elbow")
    turns[0, 15:, wrist, 2] = 2.0
    turns[:, :, elbow, 1] = torch.linspace(0, 1, 30)
    rotations = rot.rotvec_to_matrix(turns)
    steady = limit_joint_rotation_rate(rotations, 30.0)
    swings = rot.geodesic_angle(steady[:, 1:], steady[:, :-1])
    assert swings.max() < MAX_JOINT_RATE / 30 + 1e-3
    torch.testing.assert_close(steady[0, -1, wrist], rotations[0, -1, wrist], atol=1e-5, rtol=0)
    others = [joint for joint in range(24) if joint != wrist]
    torch.testing.assert_close(steady[:, :, others], rotations[:, :, others], atol=1e-5, rtol=0)
