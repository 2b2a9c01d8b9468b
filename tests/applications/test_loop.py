"""A loop closes in pose and speed, and goes on from where it ended."""

import math

import pytest
import torch

from motionclip.applications.loop import make_loop, repeat
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion, turn
from motionclip.motion import rotations as rot

PERIOD = 34


def striding(frames: int) -> Motion:
    """A body that goes ahead and to its left on a bend of 0.2 radians a second, with legs that swing."""
    time = torch.arange(frames)
    swing = 0.5 * torch.sin(2 * math.pi * time / PERIOD)[:, None] * torch.tensor([1.0, 0.0, 0.0])
    rotations = torch.eye(3).repeat(frames, 24, 1, 1)
    for side, sign in (("left", 1), ("right", -1)):
        rotations[:, CANONICAL.index(f"{side}_hip")] = rot.rotvec_to_matrix(sign * swing)
    facing = 0.2 * time / 30
    rotations[:, 0] = rot.about_y(facing)
    step = torch.stack([facing.sin(), torch.zeros(frames), facing.cos()], dim=-1) / 30
    root = torch.cat([torch.zeros(1, 3), step[:-1].cumsum(dim=0)]) + torch.tensor([0.0, 0.94, 0.0])
    return turn(Motion(rotations, root, 30, CANONICAL), torch.tensor(1.0))


def test_a_cycle_of_steps_is_found_and_closes() -> None:
    loop = make_loop(striding(100))
    assert loop.motion.num_frames % PERIOD == 0
    assert loop.gap_cm < 0.5
    assert loop.turn == pytest.approx(0.2 * loop.motion.num_frames / 30, abs=0.01)
    assert math.hypot(*loop.displacement) == pytest.approx(loop.motion.num_frames / 30, rel=0.02)
    torch.testing.assert_close(loop.motion.root[0, [0, 2]], torch.zeros(2))


def test_repeated_it_goes_on_without_a_jump() -> None:
    loop = make_loop(striding(100))
    thrice = repeat(loop, 3)
    assert thrice.num_frames == 3 * loop.motion.num_frames
    pace = torch.diff(thrice.positions, dim=0).norm(dim=-1)
    assert pace.max() < 1.1 * torch.diff(loop.motion.positions, dim=0).norm(dim=-1).max()
    assert torch.diff(pace, dim=0).abs().max() < 0.02


def test_what_is_no_loop() -> None:
    with pytest.raises(MotionError, match="a loop of"):
        make_loop(striding(20))
    with pytest.raises(MotionError, match="at least once"):
        repeat(make_loop(striding(100)), 0)
