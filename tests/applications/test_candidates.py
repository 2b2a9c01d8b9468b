"""Takes of one text: drawn as their seeds say, ranked by words, by physics and by difference."""

from dataclasses import replace

import pytest
import torch

import motionclip
from motionclip.applications.candidates import Candidate, candidates, rank
from motionclip.applications.text_to_motion import quality
from motionclip.errors import ModelError
from motionclip.metrics.plausibility import LIMITS, plausibility
from motionclip.model.pipeline import MotionCLIP


@pytest.fixture(scope="module")
def takes(tiny_model: MotionCLIP) -> list[Candidate]:
    return candidates(tiny_model, "a person walks", count=4, keep=4, seconds=1, seed=3)


def test_takes_are_those_of_their_seeds(tiny_model: MotionCLIP, takes: list[Candidate]) -> None:
    assert sorted(take.seed for take in takes) == [12, 13, 14, 15]
    for take in takes:
        again = motionclip.text_to_motion(tiny_model, "a person walks", seconds=1, seed=take.seed, takes=1)
        torch.testing.assert_close(take.motion.rotations, again.rotations, atol=1e-4, rtol=0)
        assert take.plausibility == plausibility(take.motion)


def test_the_best_is_what_text_to_motion_makes(tiny_model: MotionCLIP, takes: list[Candidate]) -> None:
    made = motionclip.text_to_motion(tiny_model, "a person walks", seconds=1, seed=3, takes=4)
    torch.testing.assert_close(takes[0].motion.rotations, made.rotations, atol=1e-4, rtol=0)


def test_the_best_are_kept_in_their_order(tiny_model: MotionCLIP, takes: list[Candidate]) -> None:
    kept = candidates(tiny_model, "a person walks", count=4, keep=2, seconds=1, seed=3)
    assert [take.seed for take in kept] == [take.seed for take in takes[:2]]


def test_rank_goes_by_words_by_physics_and_by_difference(takes: list[Candidate]) -> None:
    sound = replace(takes[0].plausibility, **dict.fromkeys(LIMITS, 0.0))
    broken = replace(sound, penetration_cm=4 * LIMITS["penetration_cm"])
    good, alike, poor = (replace(takes[0], quality=quality(value, 0.0, sound)) for value in (0.6, 0.58, 0.5))
    apart = torch.eye(3)
    assert rank([poor, good, alike], apart) == [1, 2, 0]
    assert rank([replace(good, quality=quality(0.6, 0.0, broken)), alike, poor], apart) == [1, 2, 0]
    assert rank([good, replace(poor, quality=quality(0.5, 1.0, sound)), alike], apart) == [1, 0, 2]
    near = apart.clone()
    near[0, 1] = near[1, 0] = 0.95
    assert rank([good, alike, poor], near) == [0, 2, 1]


@pytest.mark.parametrize(("count", "keep"), [(2, 3), (0, 0), (2, 0)])
def test_numbers_that_do_not_fit(tiny_model: MotionCLIP, count: int, keep: int) -> None:
    with pytest.raises(ModelError, match="candidates"):
        candidates(tiny_model, "a person walks", count=count, keep=keep)
