"""The words that kinematics gives to movements written by hand, and to their mirror images."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch

from motionclip.data.kinematic_captions import describe
from motionclip.data.kinematic_phrases import PHRASES, conjugate
from motionclip.data.kinematics import measure
from motionclip.data.kinematics.signals import smooth, spans, swings, turning_points
from motionclip.data.synthetic import MOVEMENTS, STAND, Track, gait, hold, jump, keyframes, squat_pose, to_motion
from motionclip.errors import DataError
from motionclip.motion import Motion, mirror, turn
from motionclip.sides import mirror_words

SYNTHETIC = {movement.name: movement.make for movement in MOVEMENTS}


def facts_of(motion: Motion) -> set[tuple[str, str, str]]:
    facts = measure(motion.positions.double().numpy(), motion.fps)
    return {(fact.what, fact.side, fact.way) for fact in facts}


def words_of(motion: Motion, seed: int = 0, count: int = 4) -> tuple[str, ...]:
    return describe(motion.positions, motion.fps, Random(seed), count)


def moved(track: Track, path: np.ndarray) -> Motion:
    """The motion of a track, carried along a path (T, 3)."""
    motion = to_motion(track)
    return replace(motion, root=motion.root + torch.from_numpy(path - path[:1]).float())


def synthetic(name: str, speed: float = 1.0) -> Motion:
    return to_motion(SYNTHETIC[name](np.random.default_rng(0), speed))


CASES = {
    "walk": {("walk", "", "forward")},
    "walk-back": {("walk", "", "back")},
    "run": {("run", "", "forward")},
    "turn-left": {("turn", "left", "around")},
    "turn-right": {("turn", "right", "around")},
    "raise-left": {("raise", "left", "above the head")},
    "raise-both": {("raise", "both", "above the head")},
    "kick-left": {("kick", "left", "forward")},
    "kick-right": {("kick", "right", "forward")},
    "wave-left": {("wave", "left", "")},
    "bow": {("bend", "", "forward again")},
    "squat": {("squat", "", "down and up")},
    "jump": {("jump", "", "up")},
    "stand": {("still", "", "")},
}


@pytest.mark.parametrize("name", CASES)
def test_facts_of_synthetic_movements(name: str) -> None:
    assert facts_of(synthetic(name)) >= CASES[name]


def test_a_punch_is_fast() -> None:
    assert ("punch", "right", "") in facts_of(synthetic("punch-right", 2.0))
    assert "punch" not in {what for what, *_ in facts_of(synthetic("punch-right", 0.7))}


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_mirror_image_has_the_mirrored_words(name: str) -> None:
    motion = synthetic(name)
    for seed in range(5):
        assert words_of(mirror(motion), seed) == tuple(mirror_words(text) for text in words_of(motion, seed))


@pytest.mark.parametrize("name", ["walk", "walk-back", "turn-left", "kick-right", "jump"])
def test_where_the_body_stands_and_faces_does_not_matter(name: str) -> None:
    motion = synthetic(name)
    elsewhere = turn(motion, torch.tensor(2.0))
    elsewhere = replace(elsewhere, root=elsewhere.root + torch.tensor([3.0, 0.0, -5.0]))
    assert facts_of(elsewhere) == facts_of(motion)


@pytest.mark.parametrize("rate", [20.0, 60.0])
def test_facts_at_other_rates(rate: float) -> None:
    from motionclip.motion import resample

    for name in ("walk", "turn-left", "kick-left", "squat", "jump"):
        assert facts_of(resample(synthetic(name), rate)) >= CASES[name], name


def test_words_are_drawn_by_the_generator_alone() -> None:
    motion = synthetic("walk-back")
    assert words_of(motion, 1) == words_of(motion, 1)
    assert len({words_of(motion, seed) for seed in range(20)}) > 5
    assert words_of(motion, 0)[0] in ("walk backwards", "walking backwards")


def test_sentences_differ_and_are_no_more_than_asked() -> None:
    for name in SYNTHETIC:
        for count in (1, 2, 4):
            texts = words_of(synthetic(name), 3, count)
            assert 1 <= len(texts) <= count
            assert len(set(texts)) == len(texts)


def test_what_happens_first_is_said_first() -> None:
    arms = {f"{side}_shoulder": (0, sign * 15, sign * -80) for side, sign in (("left", -1), ("right", 1))}
    down, up = squat_pose(0.95), {**STAND, **arms, "left_elbow": (0, 0, 0), "right_elbow": (0, 0, 0)}
    keys = [(0, STAND), (0.15, down), (0.3, down), (0.45, STAND), (0.6, STAND), (0.75, up), (1, up)]
    motion = to_motion(keyframes(keys, 150))
    full = [text for text in words_of(motion, 0, 8) if "squat" in text or "crouch" in text or "knees" in text]
    told = [text for text in full if "both" in text]
    assert told
    assert all(re.search("(squat|crouch|knees).* both", text) for text in told)


def test_directions_are_the_bodys_own() -> None:
    """A body that faces forward and steps to a side."""
    frames = 90
    for way, sign in {"left": 1.0, "right": -1.0}.items():
        track = gait(frames, 0.9, 2, knee=30, arms=0)
        steps = np.linspace(0, 2.5, frames)[:, None] * np.array([sign, 0, 0])
        spread = 14 * np.sin(2 * np.pi * 0.9 * np.arange(frames) / 30)
        track.angles[:, 1, 2] += 10 + spread
        track.angles[:, 2, 2] -= 10 + spread
        sideways = to_motion(track)
        sideways = replace(
            sideways, root=sideways.root * torch.tensor([0.0, 1.0, 0.0]) + torch.from_numpy(steps).float()
        )
        assert ("walk", "", way) in facts_of(sideways)


def test_gliding_without_steps_is_no_walk() -> None:
    frames = 90
    path = np.linspace(0, 3, frames)[:, None] * np.array([0.0, 0.0, 1.0])
    assert not {what for what, *_ in facts_of(moved(hold(frames), path))} & {"walk", "jog", "run"}


def test_jumps_are_counted() -> None:
    one, two = jump(60, 0.3), jump(60, 0.3)
    both = Track(*(np.concatenate([getattr(one, part), getattr(two, part)]) for part in ("angles", "yaw", "air")))
    motion = to_motion(both)
    (fact,) = [fact for fact in measure(motion.positions.double().numpy(), motion.fps) if fact.what == "jump"]
    assert fact.count == 2
    assert any("twice" in text for text in words_of(motion, 0, 6))


def test_little_is_said_of_little() -> None:
    motion = to_motion(hold(90))
    assert all("still" in text or "mov" in text or "motion" in text for text in words_of(motion, 0))
    assert words_of(motion.frames(0, 10)) == ()


@pytest.mark.parametrize("shape", [(60, 23, 3), (60, 24), (24, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="canonical skeleton"):
        describe(np.zeros(shape), 30.0, Random(0))


def test_positions_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        describe(np.full((60, 24, 3), np.nan), 30.0, Random(0))


@pytest.mark.parametrize(
    ("phrase", "third", "ing"),
    [
        ("*walk back", "walks back", "walking back"),
        ("*run and *turn", "runs and turns", "running and turning"),
        ("*lie down", "lies down", "lying down"),
        ("*reach up", "reaches up", "reaching up"),
        ("*raise it", "raises it", "raising it"),
        ("*go on", "goes on", "going on"),
    ],
)
def test_verbs(phrase: str, third: str, ing: str) -> None:
    assert (conjugate(phrase, "third"), conjugate(phrase, "ing")) == (third, ing)
    assert conjugate(phrase, "order") == phrase.replace("*", "")


def test_every_phrase_has_a_verb_and_mirrors() -> None:
    for kind, phrases in PHRASES.items():
        assert all(phrase.startswith("*") for phrase in phrases), kind


def test_spans_begin_and_end_where_a_value_is_certain() -> None:
    values = np.array([0, 2, 3, 2, 0, 2, 2, 0])
    assert spans(values > 1, values > 2) == [(1, 4)]
    assert spans(values > 1) == [(1, 4), (5, 7)]
    assert spans(values > 1, least=3) == [(1, 4)]


def test_turning_points_ignore_small_swings() -> None:
    values = np.array([0.0, 1.0, 0.95, 2.0, 0.5, 0.6, 0.4, 3.0])
    assert turning_points(values, 0.5) == [0, 3, 6, 7]
    assert swings(values, 0.5) == 3


def test_smoothing_keeps_a_straight_line() -> None:
    line = np.arange(20.0)[:, None] * np.ones(2)
    assert smooth(line, 5)[2:-2] == pytest.approx(line[2:-2])
    assert len(smooth(line, 5)) == 20
