"""Aimed bones: joints get where they should, and nothing else is changed."""

import math

import roma
import torch
from torch import Tensor

from motionclip.model.postprocessing import align_bones
from motionclip.motion import CANONICAL, forward_kinematics
from motionclip.motion import rotations as rot


def turns(size: float, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return roma.rotvec_to_rotmat(torch.randn(40, 24, 3, generator=generator) * size)


def places(rotations: Tensor) -> Tensor:
    return forward_kinematics(rotations, torch.zeros(len(rotations), 3), CANONICAL)[1]


def test_joints_reach_where_they_should_be() -> None:
    true = turns(0.4, 0)
    aimed = align_bones(true @ turns(0.3, 1), places(true))
    torch.testing.assert_close(places(aimed), places(true), atol=1e-5, rtol=0)
    torch.testing.assert_close(aimed @ aimed.mT, torch.eye(3).expand_as(aimed), atol=1e-5, rtol=0)


def test_a_bone_that_points_nearly_away_from_its_goal_gets_there() -> None:
    true = turns(0.4, 0)
    elbow, wrist = CANONICAL.index("left_elbow"), CANONICAL.index("left_wrist")
    away = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, math.radians(165)]))  # the forearm lies along x
    drafted = true.clone()
    drafted[:, elbow] = true[:, elbow] @ away
    aimed = align_bones(drafted, places(true))
    torch.testing.assert_close(places(aimed)[:, wrist], places(true)[:, wrist], atol=1e-5, rtol=0)
    torch.testing.assert_close(aimed[:, elbow] @ aimed[:, elbow].mT, torch.eye(3).expand(40, 3, 3), atol=1e-5, rtol=0)


def test_a_draft_that_is_right_stays() -> None:
    true = turns(0.4, 0)
    torch.testing.assert_close(align_bones(true, places(true)), true, atol=1e-5, rtol=0)


def test_a_bone_keeps_the_turn_about_itself_that_was_drafted() -> None:
    elbow = CANONICAL.index("left_elbow")
    rest = torch.eye(3).expand(1, 24, 3, 3).clone()
    twisted = rest.clone()
    twisted[:, elbow] = roma.rotvec_to_rotmat(torch.tensor([0.7, 0.0, 0.0]))  # the forearm lies along x
    torch.testing.assert_close(align_bones(twisted, places(rest)), twisted, atol=1e-5, rtol=0)


def test_an_error_at_the_shoulder_does_not_reach_the_hand() -> None:
    rest = torch.eye(3).expand(1, 24, 3, 3).clone()
    goal = places(rest)
    shoulder, hand = CANONICAL.index("left_shoulder"), CANONICAL.index("left_hand")
    goal[:, CANONICAL.index("left_elbow"), 1] -= 0.05
    reached = places(align_bones(rest, goal))
    assert float((reached - goal)[0, hand].norm()) < 0.01
    assert float((reached - goal)[0, shoulder].norm()) < 1e-5


def test_there_is_a_gradient_where_nothing_is_to_be_turned() -> None:
    sixd = rot.matrix_to_sixd(turns(0.4, 0)).requires_grad_()
    goal = places(turns(0.4, 0)).requires_grad_()
    align_bones(rot.sixd_to_matrix(sixd), goal).square().sum().backward()
    assert sixd.grad is not None and goal.grad is not None
    assert sixd.grad.isfinite().all() and goal.grad.isfinite().all()
