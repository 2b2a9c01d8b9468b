"""The worst moments of motions that are made to have one of each kind."""

from dataclasses import replace

import pytest
import torch

from motionclip.metrics.plausibility import LIMITS, plausibility
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES
from motionclip.motion.mass import GRAVITY, centre_of_mass
from motionclip.motion.skeleton import ANKLE_HEIGHT

FPS = 30.0
STANDING = ANKLE_HEIGHT - CANONICAL.rest_positions[CONTACT_INDICES[0], 1].item()


def standing(frames: int = 45) -> Motion:
    """A body that stands in T-pose on the floor."""
    root = torch.tensor([0.0, STANDING, 0.0]).expand(frames, 3).clone()
    return Motion(torch.eye(3).repeat(frames, 24, 1, 1), root, FPS, CANONICAL)


def raised(heights: torch.Tensor) -> Motion:
    still = standing(len(heights))
    return replace(still, root=still.root + heights[:, None] * torch.tensor([0.0, 1.0, 0.0]))


def turned(joint: str, degrees: torch.Tensor, axis: int = 1) -> Motion:
    still = standing(len(degrees))
    rotations = still.rotations.clone()
    turn = torch.zeros(len(degrees), 3)
    turn[:, axis] = degrees.deg2rad()
    rotations[:, CANONICAL.index(joint)] = rot.rotvec_to_matrix(turn)
    return replace(still, rotations=rotations)


def test_a_body_that_stands_does_nothing_impossible() -> None:
    found = plausibility(standing())
    assert found.penetration_cm < 0.2 and found.floating_cm == found.travel_speed_m_s == 0
    assert not found.faults and found.excess == 0


def test_a_body_in_the_floor() -> None:
    found = plausibility(raised(torch.full((10,), -0.06)))
    assert found.penetration_cm == pytest.approx(6, abs=0.2) and set(found.faults) == {"penetration_cm"}
    assert found.excess == pytest.approx(1, abs=0.1)  # twice the limit


def test_a_leap_is_a_fall_and_a_hover_is_none() -> None:
    time = torch.arange(19) / FPS
    leap = torch.cat([torch.zeros(8), GRAVITY / 2 * time * (time[-1] - time), torch.zeros(8)])
    assert plausibility(raised(leap)).floating_cm < 2
    hover = torch.cat([torch.linspace(0, 0.4, 8), torch.full((19,), 0.4), torch.linspace(0.4, 0, 8)])
    assert plausibility(raised(hover)).floating_cm > LIMITS["floating_cm"]


def test_hands_on_the_floor_carry_the_body() -> None:
    upside_down = turned("pelvis", torch.full((30,), 180.0), axis=2)
    low = upside_down.positions[..., 1].min()
    handstand = replace(upside_down, root=upside_down.root - low * torch.tensor([0.0, 1.0, 0.0]))
    assert plausibility(handstand).floating_cm == 0


def test_a_wrung_waist_and_a_limb_that_flies() -> None:
    assert plausibility(turned("spine1", torch.full((5,), 80.0))).twist_deg == pytest.approx(80, abs=0.1)
    swing = plausibility(turned("left_shoulder", torch.arange(10) * 45.0))
    assert set(swing.faults) == {"limb_speed_m_s"} and swing.limb_speed_m_s > 12


def test_the_centre_of_mass_is_in_the_trunk_and_follows_an_arm() -> None:
    rest = centre_of_mass(CANONICAL.rest_positions)
    assert abs(rest[0]) < 1e-6 and 0 < rest[1] < 0.2
    lifted = turned("left_shoulder", torch.tensor([90.0]), axis=2)
    assert centre_of_mass(lifted.positions)[0, 1] - STANDING > rest[1] + 0.005
