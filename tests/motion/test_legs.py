"""Ankles go where they are sent, and nothing else of the body moves but what leads there."""

import torch

from motionclip.motion import CANONICAL, forward_kinematics, kinematics
from motionclip.motion import rotations as rot

ANKLES = CANONICAL.indices(["left_ankle", "right_ankle"])
LEGS = CANONICAL.indices([f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle")])


def bodies(count: int = 8) -> torch.Tensor:
    """Random poses with knees that are bent."""
    turns = 0.2 * torch.randn(count, 24, 3, generator=torch.Generator().manual_seed(0))
    turns[:, CANONICAL.indices(["left_knee", "right_knee"]), 0] += 0.7
    return rot.rotvec_to_matrix(turns)


def move_ankles(rotations: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    return kinematics.move_ankles(rotations, *world(rotations), shift)


def world(rotations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return forward_kinematics(rotations, torch.zeros(len(rotations), 3), CANONICAL)


def test_ankles_arrive_and_feet_keep_their_turn() -> None:
    rotations = bodies()
    shift = 0.03 * torch.randn(8, 2, 3, generator=torch.Generator().manual_seed(1))  # short of a straight leg
    turned, places = world(rotations)
    new_turned, new_places = world(move_ankles(rotations, shift))
    torch.testing.assert_close(new_places[:, ANKLES], places[:, ANKLES] + shift, atol=1e-5, rtol=0)
    torch.testing.assert_close(new_turned[:, ANKLES], turned[:, ANKLES], atol=1e-5, rtol=0)


def test_the_rest_of_the_body_is_left_alone() -> None:
    rotations = bodies()
    moved = move_ankles(rotations, torch.full((8, 2, 3), 0.03))
    others = [joint for joint in range(24) if joint not in LEGS]
    assert torch.equal(moved[:, others], rotations[:, others])
    torch.testing.assert_close(moved @ moved.mT, torch.eye(3).expand_as(moved), atol=1e-5, rtol=0)


def test_knees_do_not_turn_over() -> None:
    """A knee that was in front of the line from hip to ankle stays there."""
    bent = torch.eye(3).repeat(1, 24, 1, 1)
    knees, hips = (CANONICAL.indices([f"left_{joint}", f"right_{joint}"]) for joint in ("knee", "hip"))
    bent[:, knees] = rot.rotvec_to_matrix(torch.tensor([0.8, 0.0, 0.0]))
    bent[:, hips] = rot.rotvec_to_matrix(torch.tensor([-0.4, 0.0, 0.0]))
    places = world(move_ankles(bent, torch.tensor([[[0.0, 0.06, 0.0], [0.0, 0.06, 0.0]]])))[1]
    assert (places[:, knees, 2] > places[:, hips, 2] + 0.1).all()


def test_a_place_out_of_reach_stretches_the_leg_towards_it() -> None:
    rotations = bodies()
    _, places = world(rotations)
    hips = CANONICAL.indices(["left_hip", "right_hip"])
    _, moved = world(move_ankles(rotations, torch.tensor([0.0, -5.0, 0.0]).expand(8, 2, 3)))
    before, after = ((each[:, ANKLES] - each[:, hips]).norm(dim=-1) for each in (places, moved))
    assert torch.isfinite(moved).all()
    assert (after > before).all()


def test_a_knee_does_not_jump_where_its_leg_comes_to_its_end() -> None:
    """The knee of a leg that is drawn out evenly, millimetre by millimetre, changes its speed by little."""
    frames = torch.linspace(0, 0.1, 101)
    rotations = bodies(1).expand(101, -1, -1, -1)
    knees, hips = (CANONICAL.indices([f"left_{joint}", f"right_{joint}"]) for joint in ("knee", "hip"))
    places = world(rotations)[1]
    away = torch.nn.functional.normalize(places[:, ANKLES] - places[:, hips], dim=-1)
    drawn = world(move_ankles(rotations, frames[:, None, None] * away))[1][:, knees]
    assert torch.diff(drawn, n=2, dim=0).norm(dim=-1).max() < 5e-4
