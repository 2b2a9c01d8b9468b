"""One motion after the other: no jump in pose, speed or place, wherever and whichever way each of them was."""

import math

import pytest
import torch
from torch import Tensor

from motionclip.applications.transitions import best_entry, blend_motions
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion, heading, turn
from motionclip.motion import rotations as rot

FPS, OVERLAP = 30.0, 24
HIP_HEIGHT = 0.935


def walking(frames: int, speed: float, bend: float = 0.0, joint: str = "left_elbow") -> Motion:
    """A body that slides forward at ``speed`` m/s with one joint bent about its x axis by ``bend`` radians."""
    root = torch.zeros(frames, 3)
    root[:, 1], root[:, 2] = HIP_HEIGHT, speed / FPS * torch.arange(frames)
    rotations = torch.eye(3).repeat(frames, 24, 1, 1)
    rotations[:, CANONICAL.index(joint)] = rot.rotvec_to_matrix(torch.tensor([bend, 0.0, 0.0]))
    return Motion(rotations, root, FPS, CANONICAL)


def speeds(points: Tensor) -> Tensor:
    return torch.diff(points, dim=0).norm(dim=-1) * FPS


def test_length_and_both_ends_are_kept() -> None:
    first, second = walking(60, 1.0), walking(50, 2.0, bend=1.0)
    film = blend_motions(first, second, OVERLAP)
    assert film.num_frames == 60 + 50 - OVERLAP
    torch.testing.assert_close(film.root[: 60 - OVERLAP], first.root[: 60 - OVERLAP])
    torch.testing.assert_close(film.rotations[60:], second.rotations[OVERLAP:])


def test_what_follows_goes_on_where_the_first_one_is_and_the_way_it_faces() -> None:
    first = turn(walking(60, 1.0), torch.tensor(0.7))
    second = turn(walking(60, 1.0), torch.tensor(-2.5))
    second = Motion(second.rotations, second.root + torch.tensor([5.0, 0.0, -3.0]), FPS, CANONICAL)
    film = blend_motions(first, second, OVERLAP)
    torch.testing.assert_close(heading(film), torch.full((96,), 0.7), atol=1e-4, rtol=0)
    along = torch.tensor([math.sin(0.7), 0.0, math.cos(0.7)])
    expected = torch.arange(96.0)[:, None] / FPS * along
    torch.testing.assert_close(film.root * torch.tensor([1.0, 0.0, 1.0]), expected, atol=1e-3, rtol=0)


def test_speed_changes_smoothly_and_only_from_one_to_the_other() -> None:
    first, second = walking(60, 2.0, joint="left_wrist"), walking(60, 4.0, joint="left_wrist")
    film = blend_motions(first, second, OVERLAP)
    pace = speeds(film.root)
    assert pace.min() > 1.99 and pace.max() < 4.01
    assert torch.diff(pace).abs().max() < 3 * 2.0 / OVERLAP  # 1.9 times the mean, at the steepest


def test_joints_do_not_jump_where_the_shortest_arc_changes_sides() -> None:
    first, second = walking(60, 1.0), walking(60, 1.0)
    bends = torch.linspace(0.8 * math.pi, 1.2 * math.pi, OVERLAP)
    elbow = CANONICAL.index("left_elbow")
    second.rotations[:OVERLAP, elbow] = rot.rotvec_to_matrix(bends[:, None] * torch.tensor([1.0, 0.0, 0.0]))
    second.rotations[OVERLAP:, elbow] = second.rotations[OVERLAP - 1, elbow]
    film = blend_motions(first, second, OVERLAP)
    turned = rot.geodesic_angle(film.rotations[1:, elbow], film.rotations[:-1, elbow])
    assert turned.max() < 0.4


def test_a_planted_foot_stays_where_two_motions_mix() -> None:
    """Hips that sway over feet that stand: the mix of two such moves the feet, until the body is moved instead."""

    def swaying(towards: float) -> Motion:
        motion = walking(60, 0.0)
        angle = towards * torch.linspace(0, 0.4, 60)
        lean = rot.rotvec_to_matrix(angle[:, None] * torch.tensor([1.0, 0.0, 0.0]))
        for side in ("left", "right"):
            motion.rotations[:, CANONICAL.index(f"{side}_hip")] = lean
            motion.rotations[:, CANONICAL.index(f"{side}_ankle")] = lean.mT
        feet = motion.positions[:, CANONICAL.index("left_ankle")]
        standing = motion.root - (feet - feet[:1])
        return Motion(motion.rotations, standing, FPS, CANONICAL)

    film = blend_motions(swaying(1.0), swaying(-1.0), OVERLAP)
    foot = film.positions[:, CANONICAL.index("left_ankle")]
    assert speeds(foot[:, [0, 2]]).max() < 0.1
    assert foot[:, 1].max() - foot[:, 1].min() < 1e-3


@pytest.mark.parametrize("overlap", [0, 1, 31])
def test_overlaps_that_do_not_fit(overlap: int) -> None:
    with pytest.raises(MotionError, match="overlap"):
        blend_motions(walking(60, 1.0), walking(30, 1.0), overlap)


def test_an_overlap_may_be_all_of_a_motion() -> None:
    assert blend_motions(walking(24, 1.0), walking(24, 1.0), 24).num_frames == 24


def test_a_step_goes_on_where_it_is() -> None:
    """A swinging leg, entered at several phases: the same phase is found, and of two motions the one that swings."""

    def swinging(frames: int, first: int) -> Motion:
        motion = walking(frames, 1.0)
        angle = 0.5 * torch.sin(2 * math.pi * (torch.arange(frames) + first) / 30)
        motion.rotations[:, CANONICAL.index("left_hip")] = rot.rotvec_to_matrix(
            angle[:, None] * torch.tensor([1.0, 0.0, 0.0])
        )
        return motion

    still, leg = walking(60, 1.0), swinging(60, 0)
    for phase in (0, 7, 22):
        ending = turn(swinging(OVERLAP, phase), torch.tensor(1.1))
        assert best_entry(ending, [still, leg], 30) == (1, phase)
