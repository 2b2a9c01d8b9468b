"""A body that pushes a standing foot back moves forward; without contact nothing changes."""

import torch

from motionclip.model.postprocessing import ankle_corrections, foot_locked_root, lock_feet
from motionclip.motion import CANONICAL, forward_kinematics
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES, CONTACT_JOINTS
from motionclip.motion.kinematics import move_ankles
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

FRAMES = 20


def swinging_leg() -> tuple[torch.Tensor, torch.Tensor]:
    """A body whose left hip swings back while its root stays."""
    turns = torch.zeros(1, FRAMES, 24, 3)
    turns[0, :, CANONICAL.index("left_hip"), 0] = torch.linspace(-0.3, 0.3, FRAMES)
    root = torch.tensor([0.0, 0.95, 0.0]).expand(1, FRAMES, 3)
    return rot.rotvec_to_matrix(turns), root


def places(rotations: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
    return forward_kinematics(rotations, root, CANONICAL)[1]


def feet(rotations: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
    return places(rotations, root)[:, :, CONTACT_INDICES]


def with_legs(rotations: torch.Tensor, root: torch.Tensor, contacts: torch.Tensor) -> torch.Tensor:
    """What the legs alone make good."""
    world = forward_kinematics(rotations, root, CANONICAL)
    return move_ankles(rotations, *world, ankle_corrections(feet(rotations, root), contacts))


def test_the_standing_foot_stays_and_the_body_travels() -> None:
    rotations, root = swinging_leg()
    contacts = torch.zeros(1, FRAMES, 4)
    contacts[..., CONTACT_JOINTS.index("left_ankle")] = 1.0
    planted = foot_locked_root(feet(rotations, root), root, contacts)
    ankle = places(rotations, planted)[0, :, CANONICAL.index("left_ankle")]
    assert (ankle[:, [0, 2]] - ankle[0, [0, 2]]).abs().max() < 1e-4
    assert (planted[0, -1] - root[0, -1]).norm() > 0.3
    torch.testing.assert_close(planted[..., 1], root[..., 1])


def test_in_flight_the_path_is_kept() -> None:
    rotations, root = swinging_leg()
    torch.testing.assert_close(foot_locked_root(feet(rotations, root), root, torch.zeros(1, FRAMES, 4)), root)


def sliding_feet() -> tuple[torch.Tensor, torch.Tensor]:
    """A body on bent knees whose feet slide apart, so that the root can make good for one of them at most."""
    turns = torch.zeros(1, FRAMES, 24, 3)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns[0, :, CANONICAL.index(f"{side}_hip"), 0] = -0.4
        turns[0, :, CANONICAL.index(f"{side}_hip"), 2] = sign * torch.linspace(0.0, 0.1, FRAMES)
        turns[0, :, CANONICAL.index(f"{side}_knee"), 0] = 0.8
    root = torch.tensor([0.0, 0.9, 0.0]).expand(1, FRAMES, 3)
    return rot.rotvec_to_matrix(turns), root


def ankles(rotations: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
    return places(rotations, root)[0][:, CANONICAL.indices(["left_ankle", "right_ankle"])]


def test_feet_that_slide_apart_are_held_by_the_legs() -> None:
    rotations, root = sliding_feet()
    slid, held = ankles(rotations, root), ankles(with_legs(rotations, root, torch.ones(1, FRAMES, 4)), root)
    before, after = (torch.diff(each[..., [0, 2]], dim=0).abs().max() for each in (slid, held))
    assert before > 0.003
    assert after < 0.1 * before  # each foot turns a little, so that its ankle and its ball cannot both stay


def test_feet_in_the_air_are_left_alone() -> None:
    rotations, root = sliding_feet()
    moved = with_legs(rotations, root + 1.0, torch.zeros(1, FRAMES, 4))
    torch.testing.assert_close(moved, rotations, atol=1e-5, rtol=0)


def test_what_a_foot_was_moved_by_fades_after_it_leaves_the_floor() -> None:
    rotations, root = sliding_feet()
    contacts = torch.ones(1, FRAMES, 4)
    contacts[:, FRAMES // 2 :] = 0
    moved = (ankles(with_legs(rotations, root, contacts), root) - ankles(rotations, root))[..., [0, 2]].norm(dim=-1)
    assert (moved[FRAMES // 2 - 1] > 0.004).all()
    assert (moved[-1] < 0.2 * moved[FRAMES // 2 - 1]).all()


def test_no_standing_foot_is_below_the_floor() -> None:
    rotations, root = sliding_feet()
    sunk = ankles(rotations, root - 0.15)
    assert sunk[..., 1].min() < 0
    raised = places(with_legs(rotations, root - 0.15, torch.zeros(1, FRAMES, 4)), root - 0.15)
    soles = raised[0][:, CONTACT_INDICES, 1]
    assert (soles > soles.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2) - 1e-4).all()


def test_root_and_legs_together_leave_no_slide_that_either_alone_leaves() -> None:
    rotations, root = sliding_feet()
    root = root + torch.linspace(0, 0.2, FRAMES)[:, None] * torch.tensor([0.0, 0.0, 1.0])
    contacts = torch.ones(1, FRAMES, 4)
    both = ankles(*lock_feet(rotations, root, contacts))
    planted = ankles(rotations, foot_locked_root(feet(rotations, root), root, contacts))
    slide = [torch.diff(each[..., [0, 2]], dim=0).abs().max() for each in (both, planted, ankles(rotations, root))]
    assert slide[0] < 0.1 * slide[1] < 0.1 * slide[2]
