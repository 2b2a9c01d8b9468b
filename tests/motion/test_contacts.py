"""Foot contact is being low and being at rest, both."""

import pytest
import torch

from motionclip.errors import MotionError
from motionclip.motion import CANONICAL
from motionclip.motion.contacts import CONTACT_JOINTS, foot_contacts
from motionclip.motion.skeleton import ANKLE_HEIGHT


def standing(frames: int) -> torch.Tensor:
    """(T, 24, 3) positions of the rest pose on the floor."""
    rest = CANONICAL.rest_positions
    height = ANKLE_HEIGHT - rest[CANONICAL.index("left_ankle"), 1]
    return (rest + torch.tensor([0.0, 1.0, 0.0]) * height).expand(frames, -1, -1).clone()


def test_a_standing_body_touches_with_both_feet() -> None:
    assert foot_contacts(standing(5), 30.0).all()
    assert foot_contacts(standing(1), 30.0).all()


def test_the_order_is_left_ankle_left_foot_right_ankle_right_foot() -> None:
    positions = standing(5)
    for column, joint in enumerate(CONTACT_JOINTS):
        lifted = positions.clone()
        lifted[:, CANONICAL.index(joint), 1] += 0.2
        expected = torch.ones(5, 4, dtype=torch.bool)
        expected[:, column] = False
        assert torch.equal(foot_contacts(lifted, 30.0), expected)


def test_a_sliding_foot_does_not_touch() -> None:
    positions = standing(10)
    positions[:, CANONICAL.index("right_ankle"), 2] += torch.arange(10) * 1.0 / 30
    contacts = foot_contacts(positions, 30.0)
    assert not contacts[:, 2].any()
    assert contacts[:, [0, 1, 3]].all()
    assert foot_contacts(positions, 3.0).all()  # the same path in ten times the time


def test_batches_are_judged_clip_by_clip() -> None:
    here, there = standing(6), standing(6) + torch.tensor([0.0, 0.3, 0.0])
    contacts = foot_contacts(torch.stack([here, there]), 30.0)
    assert contacts.shape == (2, 6, 4)
    assert contacts[0].all()
    assert not contacts[1].any()


def test_positions_of_another_skeleton_are_refused() -> None:
    with pytest.raises(MotionError, match="expected"):
        foot_contacts(torch.zeros(5, 22, 3), 30.0)
    with pytest.raises(MotionError, match="at least 1"):
        foot_contacts(torch.zeros(0, 24, 3), 30.0)
