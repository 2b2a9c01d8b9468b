"""Other speeds, holds and the way back: where the body is when, and no jump of speed."""

import pytest
import torch
from motions import smooth_motion

from motionclip.errors import MotionError
from motionclip.motion.retime import change_speed, hold, reverse

MOTION = smooth_motion(61)


def test_one_speed_for_all() -> None:
    fast, slow = change_speed(MOTION, [(0, 2.0)]), change_speed(MOTION, [(0, 0.5)])
    assert (fast.num_frames, slow.num_frames) == (31, 121)
    torch.testing.assert_close(fast.root, MOTION.root[::2], atol=1e-5, rtol=0)
    torch.testing.assert_close(slow.rotations[::2], MOTION.rotations, atol=1e-4, rtol=0)


def test_a_curve_changes_speed_evenly_where_it_says() -> None:
    made = change_speed(MOTION, [(0.5, 1.0), (1.0, 0.5)])
    torch.testing.assert_close(made.root[:16], MOTION.root[:16], atol=1e-5, rtol=0)
    torch.testing.assert_close(made.root[-1], MOTION.root[-1], atol=0.02, rtol=0)
    # half the speed for a second, and between them the mean of 1 / speed: 0.5 s x ln(2) / 0.5
    assert made.duration - 1 / 30 == pytest.approx(0.5 + 0.693 + 2.0, abs=0.05)
    assert torch.diff(torch.diff(made.root, dim=0).norm(dim=-1)).abs().max() < 0.004


def test_a_hold_stands_still_and_neither_stops_nor_starts_with_a_jerk() -> None:
    held = hold(MOTION, 1.0, 0.5)
    assert held.num_frames == 61 + 15 + 9
    still = (held.root - MOTION.root[30]).norm(dim=-1) < 1e-5
    assert still.sum() in (15, 16, 17)
    pace = torch.diff(held.root, dim=0).norm(dim=-1)
    assert torch.diff(pace).abs().max() < 0.35 * pace.max()
    torch.testing.assert_close(held.root[:20], MOTION.root[:20], atol=1e-5, rtol=0)
    torch.testing.assert_close(held.root[-1], MOTION.root[-1], atol=0.02, rtol=0)


def test_back_and_forth_is_the_same() -> None:
    assert torch.equal(reverse(reverse(MOTION)).rotations, MOTION.rotations)
    assert torch.equal(reverse(MOTION).root[0], MOTION.root[-1])


def test_what_is_no_time() -> None:
    for curve in ([], [(0, 0.0)], [(0, 30.0)], [(1, 1.0), (0.5, 1.0)], [(float("nan"), 1.0)]):
        with pytest.raises(MotionError, match="speed curve"):
            change_speed(MOTION, curve)
    for at, seconds in ((-1, 1), (3, 1), (1, 0), (1, float("inf"))):
        with pytest.raises(MotionError, match="held"):
            hold(MOTION, at, seconds)
