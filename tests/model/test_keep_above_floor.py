"""A decoded body stays above the floor, and one that is above it stays as it is."""

import torch

from motionclip.model.floor import keep_above_floor
from motionclip.model.postprocessing import postprocess
from motionclip.motion import CANONICAL, forward_kinematics
from motionclip.motion import rotations as rot

HANDS = CANONICAL.indices(["left_hand", "right_hand", "left_elbow", "right_elbow"])
FEET = CANONICAL.indices(["left_foot", "right_foot", "left_ankle", "right_ankle"])


def lying(height: float, frames: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    """A body on its back at a height, whose arms hang down behind it."""
    rotations = torch.eye(3).repeat(1, frames, 24, 1, 1)
    rotations[:, :, 0] = rot.rotvec_to_matrix(torch.tensor([-torch.pi / 2, 0.0, 0.0]))
    back = rot.rotvec_to_matrix(torch.tensor([0.0, torch.pi / 3, 0.0]))
    rotations[:, :, CANONICAL.index("left_shoulder")] = back
    rotations[:, :, CANONICAL.index("right_shoulder")] = back.mT
    root = torch.zeros(1, frames, 3)
    root[..., 1] = height
    return rotations, root


def test_arms_below_the_floor_are_swung_up_and_nothing_else_moves() -> None:
    rotations, root = lying(0.15)
    before = forward_kinematics(rotations, root, CANONICAL)[1]
    assert before[..., HANDS, 1].min() < -0.1
    found, path = keep_above_floor(rotations, root)
    after = forward_kinematics(found, path, CANONICAL)[1]
    assert after[..., 1].min() > 0.029
    others = [
        joint for joint, name in enumerate(CANONICAL.names) if not any(p in name for p in ("elbow", "wrist", "hand"))
    ]
    torch.testing.assert_close(after[..., others, :], before[..., others, :], atol=1e-5, rtol=0)


def test_a_trunk_in_the_floor_lifts_the_body_smoothly() -> None:
    rotations, root = lying(0.3)
    root[:, 20, 1] = -0.2
    found, path = keep_above_floor(rotations, root)
    assert forward_kinematics(found, path, CANONICAL)[1][..., 20, :, 1].min() > 0.029
    lift = path[0, :, 1] - root[0, :, 1]
    assert torch.diff(lift).abs().max() < 0.05
    assert lift[[0, -1]].abs().max() == 0


def test_a_body_above_the_floor_is_left_alone() -> None:
    rotations, root = lying(1.2)
    found, path = keep_above_floor(rotations, root)
    assert torch.equal(found, rotations)
    assert torch.equal(path, root)


def test_it_is_a_step_after_decoding() -> None:
    rotations, root = lying(0.15)
    found, path = postprocess(rotations, root, torch.zeros(1, rotations.shape[1], 4), 30.0)
    assert forward_kinematics(found, path, CANONICAL)[1][..., HANDS, 1].min() > 0.029
