"""Procedural movements do what their words say."""

from functools import cache

import pytest
import torch

from motionclip.data.clip import SPLITS
from motionclip.data.synthetic import MOVEMENTS, synthetic_source
from motionclip.motion import CANONICAL, heading, mirror
from motionclip.motion.skeleton import FOOT_HEIGHT


@cache
def clips(count=120):
    """The first clips; 120 hold each movement at three speeds twice."""
    return [item.read() for item in synthetic_source(count).items]


def of(category):
    return [clip for clip in clips() if clip.category == category]


def lifted(clip, side):
    """Whether that hand comes above the head."""
    positions = clip.motion.positions
    hand = positions[:, CANONICAL.index(f"{side}_wrist"), 1]
    return bool((hand > positions[:, CANONICAL.index("neck"), 1]).any())


def test_each_movement_is_in_each_split_at_three_speeds():
    found = {(clip.category, clip.style, clip.split) for clip in clips(600)}
    assert found == {
        (m.name, style, split) for m in MOVEMENTS for style in ("normal", "slow", "fast") for split in SPLITS
    }


def test_the_same_seed_gives_the_same_clip_and_another_seed_another():
    again, other = synthetic_source(3).items[2].read(), synthetic_source(3, seed=1).items[2].read()
    assert torch.equal(clips()[2].motion.rotations, again.motion.rotations)
    assert not torch.equal(clips()[2].motion.root[:50], other.motion.root[:50])


def test_no_sole_is_below_the_floor():
    for clip in clips()[:60]:
        toes = clip.motion.positions[:, CANONICAL.indices(["left_foot", "right_foot"]), 1]
        assert float(toes.min()) > FOOT_HEIGHT - 1e-3


@pytest.mark.parametrize(("category", "sign"), [("walk", 1), ("walk-back", -1), ("run", 1)])
def test_gaits_travel_their_way_at_a_human_speed(category, sign):
    for clip in of(category):
        speed = sign * float(clip.motion.root[-1, 2] - clip.motion.root[0, 2]) / clip.motion.duration
        assert (1.8 if category == "run" else 0.3) < speed < (6 if category == "run" else 2.5)


def test_running_is_faster_than_walking_and_fast_than_slow():
    def speed(category, style):
        clips = [clip for clip in of(category) if clip.style == style]
        return sum(float(clip.motion.root[-1, 2]) / clip.motion.duration for clip in clips) / len(clips)

    assert speed("run", "normal") > 1.5 * speed("walk", "normal")
    assert speed("walk", "fast") > 1.3 * speed("walk", "slow")


@pytest.mark.parametrize(("side", "sign"), [("left", 1), ("right", -1)])
def test_turning_left_turns_towards_plus_x(side, sign):
    for clip in of(f"walk-turn-{side}"):
        yaw = heading(clip.motion)
        assert 0.8 < sign * float(yaw[-1] - yaw[0]) < 2.5
        assert sign * float(clip.motion.root[-1, 0]) > 0.3


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
def test_the_named_hand_is_the_one_that_moves(side, other):
    for name in ("wave", "raise"):
        for clip in of(f"{name}-{side}"):
            assert lifted(clip, side)
            assert not lifted(clip, other)
            assert all(side in caption.text and other not in caption.text for caption in clip.captions)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_named_foot_kicks_forward(side):
    for clip in of(f"kick-{side}"):
        foot = clip.motion.positions[:, CANONICAL.index(f"{side}_foot")]
        assert float(foot[:, 1].max()) > 0.5
        assert float(foot[:, 2].max()) > 0.5


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_named_hand_punches_forward(side):
    for clip in of(f"punch-{side}"):
        hand = clip.motion.positions[:, CANONICAL.index(f"{side}_wrist")] - clip.motion.root[:, None][:, 0]
        assert float(hand[:, 2].max()) > 0.4


def test_jumps_leave_the_floor_squats_do_not():
    lowest = {name: [float(c.motion.positions[..., 1].amin(-1).max()) for c in of(name)] for name in ("jump", "squat")}
    assert min(lowest["jump"]) > 0.12
    assert max(lowest["squat"]) < 0.04
    assert max(float(clip.motion.root[:, 1].min()) for clip in of("squat")) < 0.75


def test_a_bow_lowers_the_head():
    for clip in of("bow"):
        head = clip.motion.positions[:, CANONICAL.index("head"), 1]
        assert float(head.min()) < float(head[0]) - 0.15


def test_standing_feet_do_not_slide_while_walking():
    for clip in of("walk")[:6]:
        feet = clip.motion.positions[:, CANONICAL.indices(["left_foot", "right_foot"])]
        slide = (feet[1:] - feet[:-1])[..., [0, 2]].norm(dim=-1).amin(-1)
        assert float(slide.median()) < 2e-3


def test_a_mirrored_left_movement_is_not_the_left_one():
    clip = of("wave-left")[0]
    assert not torch.allclose(mirror(clip.motion).positions, clip.motion.positions, atol=0.1)
