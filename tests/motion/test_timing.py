"""Resampling follows the movement at any rate, and cropping takes the span that was asked for."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from motions import smooth_motion

from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion, crop, resample
from motionclip.motion import rotations as rot


def turning(frames: int, fps: float) -> Motion:
    """Every joint turns about its own fixed axis at a constant 1.5 rad/s, the root moves at 2 m/s along z."""
    time = torch.arange(frames, dtype=torch.float64) / fps
    axes = torch.nn.functional.normalize(torch.randn(24, 3, generator=torch.Generator().manual_seed(2)), dim=-1)
    rotvec = 1.5 * time[:, None, None] * axes.double()
    root = torch.stack([torch.zeros(frames), torch.ones(frames), 2 * time.float()], dim=-1)
    return Motion(rot.rotvec_to_matrix(rotvec).float(), root, fps, CANONICAL)


@pytest.mark.parametrize(("source", "goal"), [(120, 30), (60, 30), (100, 30), (25, 30), (30, 50), (29.97, 30), (7, 13)])
def test_the_resampled_motion_is_where_the_movement_is(source: float, goal: float) -> None:
    """A constant turn is interpolated exactly, at rates that divide and at rates that do not."""
    resampled = resample(turning(50, source), goal)
    exact = turning(resampled.num_frames, goal)
    assert resampled.fps == goal
    assert resampled.num_frames == int(49 * goal / source + 1e-6) + 1
    torch.testing.assert_close(resampled.rotations, exact.rotations, atol=2e-5, rtol=0)
    torch.testing.assert_close(resampled.root, exact.root, atol=1e-5, rtol=0)


@given(st.integers(1, 5), st.integers(2, 30))
def test_a_dividing_rate_picks_frames(factor: int, frames: int) -> None:
    motion = smooth_motion(frames, fps=30.0 * factor)
    torch.testing.assert_close(resample(motion, 30.0).root, motion.root[::factor], atol=1e-5, rtol=0)
    torch.testing.assert_close(resample(motion, 30.0).rotations, motion.rotations[::factor], atol=1e-5, rtol=0)


@given(st.floats(5, 200), st.floats(5, 200), st.integers(1, 40))
def test_no_rate_invents_or_loses_time(source: float, goal: float, frames: int) -> None:
    motion = smooth_motion(frames, fps=source)
    resampled = resample(motion, goal)
    assert (resampled.num_frames - 1) / goal <= (frames - 1) / source + 1e-5
    assert resampled.num_frames / goal > (frames - 1) / source - 1e-5
    torch.testing.assert_close(resampled.root[0], motion.root[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("fps", [0.0, -30.0, float("inf"), float("nan")])
def test_an_impossible_rate_is_refused(fps: float) -> None:
    with pytest.raises(MotionError, match="frame rate"):
        resample(smooth_motion(3), fps)


def test_crop_takes_the_span_in_seconds() -> None:
    motion = smooth_motion(60)
    part = crop(motion, 0.5, 1.5)
    torch.testing.assert_close(part.root, motion.root[15:45])
    torch.testing.assert_close(part.rotations, motion.rotations[15:45])
    assert crop(motion, -1.0, 99.0).num_frames == 60
    torch.testing.assert_close(crop(motion, 0.5).root, motion.root[15:])
    assert crop(motion, 0.0).num_frames == 60
    with pytest.raises(MotionError, match="no frame lies between"):
        crop(motion, 2.5, 3.0)
    with pytest.raises(MotionError, match=r"between 2\.5 s and 2\.0 s"):
        crop(motion, 2.5)
    for start, end in ((float("nan"), None), (0.0, float("nan")), (0.0, float("inf"))):
        with pytest.raises(MotionError, match="no frame lies between"):
            crop(motion, start, end)
