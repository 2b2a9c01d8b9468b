"""Gaps filled and motions continued: seen frames untouched, no jump at a border, seeds, and what cannot be filled."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch

import motionclip
from motionclip.applications.complete import GapWindow, carry_residual, interpolated
from motionclip.applications.reconstruct import reconstruct
from motionclip.errors import ModelError, MotionError, TextError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, crop, resample, turn

#: Enough steps for all but how near the made frames come to the true ones.
complete, extend = partial(motionclip.complete, steps=8), partial(motionclip.extend, steps=8)


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


@pytest.fixture(scope="module")
def walk(model: MotionCLIP) -> Motion:
    """Three seconds somewhere in a room, facing aside."""
    made = turn(motionclip.text_to_motion(model, "a person walks", seconds=3, seed=3), torch.tensor(1.9))
    return replace(made, root=made.root + torch.tensor([2.0, 0.0, -3.0]))


def repeated(motion: Motion, times: int) -> Motion:
    """One motion several times, each from where the last one ended."""
    travel = (motion.root[-1] - motion.root[0]) * torch.tensor([1.0, 0.0, 1.0])
    roots = [motion.root + n * travel for n in range(times)]
    return replace(motion, rotations=torch.cat([motion.rotations] * times), root=torch.cat(roots))


def fastest(motion: Motion) -> torch.Tensor:
    """Speed (T - 1,) of the fastest joint, m/s."""
    return torch.diff(motion.positions, dim=0).norm(dim=-1).amax(dim=1) * motion.fps


def sudden(motion: Motion) -> torch.Tensor:
    """Acceleration (T - 2,) of the joint of which it is largest, m/s^2."""
    return torch.diff(motion.positions, n=2, dim=0).norm(dim=-1).amax(dim=1) * motion.fps**2


def test_seen_frames_are_kept_bit_by_bit_and_the_others_are_made(model: MotionCLIP, walk: Motion) -> None:
    whole = complete(model, walk, [(1.0, 1.8)])
    assert whole.num_frames == walk.num_frames
    for rows in (slice(0, 30), slice(54, 90)):
        assert torch.equal(whole.rotations[rows], walk.rotations[rows])
        assert torch.equal(whole.root[rows], walk.root[rows])
    assert not torch.allclose(whole.rotations[30:54], walk.rotations[30:54], atol=1e-3)


def test_what_stands_in_a_gap_is_not_looked_at(model: MotionCLIP, walk: Motion) -> None:
    root = walk.root.clone()
    root[30:54] += 7
    one, other = (complete(model, motion, [(1.0, 1.8)]) for motion in (walk, replace(walk, root=root)))
    assert torch.equal(one.positions, other.positions)


@pytest.mark.parametrize("gap", [(1.0, 1.8), (0.0, 0.8), (2.2, 3.0)], ids=["inside", "at the start", "at the end"])
def test_borders_do_not_jump_in_pose_place_or_speed(model: MotionCLIP, walk: Motion, gap: tuple[float, float]) -> None:
    whole = complete(model, walk, [gap])
    borders = [frame for frame in (round(gap[0] * 30), round(gap[1] * 30)) if 0 < frame < 90]
    for border in borders:
        assert fastest(whole)[border - 2 : border + 1].max() < 1.5 * fastest(walk).max() + 0.2
        assert sudden(whole)[border - 3 : border + 1].max() < 2 * sudden(walk).max() + 2


@pytest.mark.slow
def test_the_shipped_model_is_nearer_than_a_straight_line(base_model: MotionCLIP) -> None:
    wave = motionclip.text_to_motion(base_model, "a person waves both hands", seconds=4)
    whole, gap = motionclip.complete(base_model, wave, [(1.5, 2.0)]), slice(45, 60)
    straight = interpolated(GapWindow(wave, 45, 60))

    def error(motion: Motion) -> float:
        return (motion.positions - wave.positions)[gap].norm(dim=-1).mean().item()

    assert error(whole) < 0.7 * error(straight)


def test_gaps_of_a_long_motion_are_filled_each_from_what_is_around_it(model: MotionCLIP, walk: Motion) -> None:
    long = repeated(walk, 10)
    seen: list[tuple[int, int]] = []
    whole = complete(model, long, [(20.0, 21.0), (5.0, 5.5)], on_step=lambda *counts: seen.append(counts))
    changed = (whole.rotations != long.rotations).flatten(1).any(dim=1).nonzero()[:, 0]
    assert changed.tolist() == [*range(150, 165), *range(600, 630)]
    assert seen == [(n + 1, 16) for n in range(16)]
    near = complete(model, crop(long, 3.0, 8.0), [(2.0, 2.5)])
    torch.testing.assert_close(whole.rotations[150:165], near.rotations[60:75], atol=1e-3, rtol=0)


def test_a_motion_goes_on_and_begins_earlier(model: MotionCLIP, walk: Motion) -> None:
    after, earlier = extend(model, walk, 1.0), extend(model, walk, 0.5, before=True)
    assert (after.num_frames, earlier.num_frames) == (120, 105)
    assert torch.equal(after.rotations[:90], walk.rotations) and torch.equal(after.root[:90], walk.root)
    assert torch.equal(earlier.rotations[15:], walk.rotations) and torch.equal(earlier.root[15:], walk.root)


def test_seeds_and_words_decide_what_is_made(model: MotionCLIP, walk: Motion) -> None:
    likeliest, one, again, other, told = (
        complete(model, walk, [(0.8, 2.2)], seed=seed, text=text).rotations[24:66]
        for seed, text in [(None, None), (1, None), (1, None), (2, None), (1, "a person waves")]
    )
    assert torch.equal(one, again)
    for different in (likeliest, other, told):
        assert (one - different).abs().max() > 0.02


def test_gradients_are_made_wherever_it_is_called(model: MotionCLIP, walk: Motion) -> None:
    with torch.no_grad():
        quiet = complete(model, walk, [(1.0, 1.5)])
    torch.testing.assert_close(quiet.rotations, complete(model, walk, [(1.0, 1.5)]).rotations, atol=1e-4, rtol=0)
    assert not quiet.rotations.requires_grad


def test_another_rate_and_double_precision(model: MotionCLIP, walk: Motion) -> None:
    fast = resample(replace(walk, rotations=walk.rotations.double(), root=walk.root.double()), 120)
    whole, given = complete(model, fast, [(1.0, 1.5)]), resample(fast, 30)
    assert whole.root.dtype == torch.float64
    assert torch.equal(whole.root[:30], given.root[:30]) and torch.equal(whole.root[45:], given.root[45:])


@pytest.mark.parametrize(
    ("gaps", "says"),
    [
        ([], "no gap"),
        ([(2.0, 1.0)], "inside"),
        ([(-1.0, 1.0)], "inside"),
        ([(2.0, 4.0)], "inside"),
        ([(math.nan, 1.0)], "inside"),
        ([(1.0, 1.001)], "inside"),
        ([(1.0, 1.5), (1.4, 2.0)], "join gaps"),
        ([(1.0, 1.5), (1.5, 2.0)], "join gaps"),
        ([(0.03, 1.0)], "join gaps"),
        ([(0.0, 3.0)], "to see"),
        ([(0.2, 2.9)], "to see"),
    ],
)
def test_gaps_that_cannot_be_filled(
    model: MotionCLIP, walk: Motion, gaps: list[tuple[float, float]], says: str
) -> None:
    with pytest.raises(MotionError, match=says):
        complete(model, walk, gaps)


def test_lengths_that_cannot_be_made_say_what_can(model: MotionCLIP, walk: Motion) -> None:
    with pytest.raises(MotionError, match=r"at most 5\.5"):
        extend(model, walk, 5.6)
    with pytest.raises(MotionError, match=r"at most 5\.5"):
        complete(model, repeated(walk, 4), [(3.0, 9.0)])
    for seconds in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(MotionError, match="a frame or more"):
            extend(model, walk, seconds)
    with pytest.raises(MotionError, match="longer motion"):
        extend(model, walk.frames(0, 10), 1.0)
    with pytest.raises(TextError):
        extend(model, walk, 1.0, text="")
    with pytest.raises(ModelError, match="steps"):
        extend(model, walk, 1.0, steps=0)


def test_a_residual_is_carried_with_its_rate_and_fades_where_nothing_follows() -> None:
    line = torch.arange(50.0)[:, None] * torch.tensor([1.0, -2.0, 0.5])
    torch.testing.assert_close(carry_residual(line, 20, 30, torch.zeros(3), 30.0), line[20:30], atol=1e-4, rtol=0)
    steady = torch.ones(90, 3)
    share = torch.tensor([1.0, 0.0, 0.5])
    onward = carry_residual(steady, 30, 90, share, 30.0)
    torch.testing.assert_close(onward[29:], share.expand(31, 3))
    assert (torch.diff(onward, dim=0) <= 1e-6).all()
    torch.testing.assert_close(carry_residual(steady, 0, 60, share, 30.0), onward.flip(0))


def test_a_rate_dies_away_within_its_reach() -> None:
    kink = torch.zeros(120, 3)
    kink[:30] = torch.arange(-29.0, 1.0)[:, None]  # one a frame, and 0 at the border
    far, near = (carry_residual(kink, 30, 90, torch.zeros(3), 30.0, reach=reach) for reach in (float("inf"), 0.5))
    assert near[14:].abs().max() < 1e-6 and near.max() < 2.5 < far.max()
    assert near[0, 0] > 0.8


def test_the_line_between_borders_and_the_held_pose(walk: Motion) -> None:
    between = interpolated(GapWindow(walk, 30, 60))
    torch.testing.assert_close(torch.diff(between.root[29:61], n=2, dim=0), torch.zeros(30, 3), atol=1e-5, rtol=0)
    held = interpolated(GapWindow(walk, 60, 90))
    assert torch.equal(held.root[60:], walk.root[59].expand(30, 3))


@pytest.mark.parametrize("times", [1, 7])
def test_reconstruction_keeps_length_and_start(model: MotionCLIP, walk: Motion, times: int) -> None:
    given = repeated(walk, times)
    seen: list[tuple[int, int]] = []
    made = reconstruct(model, given, on_piece=lambda *counts: seen.append(counts))
    assert made.num_frames == given.num_frames
    torch.testing.assert_close(made.root[0, [0, 2]], given.root[0, [0, 2]], atol=1e-4, rtol=0)
    aligned = [motion.positions - motion.positions[:, :1] for motion in (made, given)]
    assert (aligned[0] - aligned[1])[:60].norm(dim=-1).mean() < 0.15
    assert seen == ([(1, 1)] if times == 1 else [(n + 1, 4) for n in range(4)])


def test_lengths_around_what_the_model_takes_come_back_whole(model: MotionCLIP, walk: Motion) -> None:
    long = repeated(walk, 4)
    for frames in (2, 24, 179, 180, 181, 200, 336, 337):
        assert reconstruct(model, long.frames(0, frames)).num_frames == frames
