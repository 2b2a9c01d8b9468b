"""The floor is under whatever touches it: no body is in it because its feet are up, and none floats."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import floor_height, put_on_floor
from motionclip.motion.retarget.floor import body_points, sole_points

STANDING = torch.eye(3).repeat(24, 1, 1)


def about(axis: int, degrees: float) -> torch.Tensor:
    return rot.rotvec_to_matrix(torch.deg2rad(torch.tensor(degrees)) * torch.eye(3)[axis])


def posed(**turns: torch.Tensor) -> torch.Tensor:
    rotations = STANDING.clone()
    for joint, turn in turns.items():
        rotations[CANONICAL.index(joint)] = turn
    return rotations


HANDS_UP = {"left_shoulder": about(2, 90), "right_shoulder": about(2, -90)}
POSES = {
    "handstand": posed(pelvis=about(0, 180), **HANDS_UP),
    "on the back": posed(pelvis=about(0, -90)),
    "on the belly": posed(pelvis=about(0, 90)),
    "on the side": posed(pelvis=about(2, 90)),
    "kneeling": posed(left_knee=about(0, 90), right_knee=about(0, 90)),
    "on all fours": posed(
        pelvis=about(0, 90),
        **{f"{side}_hip": about(0, -90) for side in ("left", "right")},
        **{f"{side}_knee": about(0, 90) for side in ("left", "right")},
        left_shoulder=about(1, -90),
        right_shoulder=about(1, 90),
    ),
    "sitting with the legs up": posed(left_hip=about(0, -120), right_hip=about(0, -120)),
}


def still(pose: torch.Tensor, frames: int = 40, height: float = 3.0) -> Motion:
    return Motion(pose.repeat(frames, 1, 1, 1), torch.tensor([[0.0, height, 0.0]]).repeat(frames, 1), 30.0, CANONICAL)


def lowest(motion: Motion) -> torch.Tensor:
    return torch.cat([sole_points(motion), body_points(motion)], dim=1)[..., 1].min(dim=1).values


@pytest.mark.parametrize("pose", POSES)
def test_whatever_is_lowest_lies_on_the_floor(pose: str) -> None:
    found = put_on_floor(still(POSES[pose]))
    assert lowest(found).abs().max() < 0.03
    assert floor_height(found) == pytest.approx(0.0, abs=0.02)


def test_feet_tell_the_floor_where_there_are_feet_on_it() -> None:
    """A body that stands, and then stands on its hands, which are longer than those that the recording had."""
    both = torch.cat([STANDING.repeat(60, 1, 1, 1), POSES["handstand"].repeat(60, 1, 1, 1)])
    on_hands = put_on_floor(still(POSES["handstand"])).root[0, 1]
    on_feet = put_on_floor(still(STANDING)).root[0, 1]
    root = torch.zeros(120, 3)
    root[:60, 1], root[60:, 1] = on_feet, on_hands - 0.12
    found = put_on_floor(Motion(both, root, 30.0, CANONICAL))
    torch.testing.assert_close(found.root[:40, 1], root[:40, 1], atol=1e-5, rtol=0)
    assert lowest(found)[60:].min() > -0.02
    assert found.root[:, 1].diff()[:59].abs().max() < 0.03  # lifted gently, before the hands come


def test_a_body_that_walks_is_not_lifted() -> None:
    """Toes that push off are turned far down, and no sole of a step is lifted."""
    pose = posed(left_hip=about(0, 30), left_ankle=about(0, 50))
    motion = put_on_floor(still(STANDING))
    both = torch.cat([motion.rotations, pose.repeat(40, 1, 1, 1)])
    found = put_on_floor(replace(motion, rotations=both, root=motion.root.repeat(2, 1)))
    torch.testing.assert_close(found.root, motion.root.repeat(2, 1), atol=1e-5, rtol=0)


def test_one_broken_frame_lifts_nothing() -> None:
    motion = put_on_floor(still(STANDING))
    root = motion.root.clone()
    root[0] = 0.0
    torch.testing.assert_close(put_on_floor(replace(motion, root=root)).root[1:], motion.root[1:], atol=1e-5, rtol=0)
