"""Words are read for what they demand, and motions that do it meet it more than others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import motionclip
from motionclip.applications.demands import Demand, demands_of, met
from motionclip.applications.text_to_motion import Prompts, prompts_of, read
from motionclip.data.synthetic import MOVEMENTS, Movement, hold, jump, to_motion
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, mirror
from motionclip.sides import mirror_words

SENTENCES = [sentence for movement in MOVEMENTS for sentence in (*movement.third, movement.base)]
SYNTHETIC = {movement.name: to_motion(movement.make(np.random.default_rng(0), 1.0)) for movement in MOVEMENTS}


def how_far(text: str, motion: Motion) -> float:
    return met(demands_of(text), motion.positions[None], motion.fps).item()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("walk backwards", [Demand("travel", way="back")]),
        ("a person steps sideways to the left", [Demand("travel", way="left")]),
        ("turn right without walking", [Demand("turn", "right"), Demand("spot")]),
        ("she turns 90 degrees to the left", [Demand("turn", "left", degrees=90.0), Demand("spot")]),
        ("walking in a circle counterclockwise", [Demand("circle", "left")]),
        ("jog on the spot", [Demand("spot"), Demand("steps")]),
        ("get up from the floor", [Demand("low", way="up")]),
        ("a man rises from the sofa", [Demand("sit", way="up")]),
        ("he waves his left hand", [Demand("wave", "left")]),
        ("walks forward, then walks backwards", []),
        ("someone gets back up", []),
        ("sitting on a bench", [Demand("sit")]),
        ("a person stands with the hands by his sides", []),
        ("hop on the left leg", [Demand("hop", "left")]),
        ("she jumps three times", [Demand("jump", count=3)]),
        ("kick with the right foot", [Demand("kick", "right")]),
        ("stand on the right leg", [Demand("lift", "left")]),
        ("raise both arms", [Demand("raise", "both")]),
        ("pick up a coin", [Demand("reach down"), Demand("up again")]),
        ("takes a bow", [Demand("bow")]),
        ("he waves with the left hand", [Demand("wave", "left")]),
        ("stands still without raising the hands", [Demand("still")]),
    ],
)
def test_words_demand_what_they_say(text: str, expected: list[Demand]) -> None:
    assert list(demands_of(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a person dances",
        "opens the box",
        "turn the head",
        "shoots with bow and arrow",
        "turn on the light",
        "",
        "42",
        "ü",
    ],
)
def test_other_words_demand_nothing(text: str) -> None:
    assert demands_of(text) == ()


@pytest.mark.parametrize("movement", MOVEMENTS, ids=lambda movement: movement.name)
def test_a_movement_meets_its_own_words_best(movement: Movement) -> None:
    for text in (*movement.third, movement.base):
        if not demands_of(text):
            continue
        own = how_far(text, SYNTHETIC[movement.name])
        others = {name: how_far(text, motion) for name, motion in SYNTHETIC.items() if name != movement.name}
        assert own > 0.15 and own >= max(others.values()) - 1e-6, (text, own, others)


@pytest.mark.parametrize("text", SENTENCES)
def test_the_mirror_image_meets_the_mirrored_words_as_far(text: str) -> None:
    for motion in SYNTHETIC.values():
        assert how_far(mirror_words(text), mirror(motion)) == pytest.approx(how_far(text, motion), abs=1e-3)


def test_higher_jumps_meet_it_more_and_their_number_counts() -> None:
    none, low, high = (to_motion(each) for each in (hold(60), jump(60, 0.05), jump(60, 0.3)))
    assert how_far("a person jumps", high) > how_far("a person jumps", low) > how_far("a person jumps", none)
    assert how_far("jump once", high) > how_far("jump three times", high)


def test_shares_are_between_none_and_all_of_several_motions_at_once() -> None:
    motions = torch.stack([motion.positions[:30] for motion in SYNTHETIC.values()])
    for text in SENTENCES:
        shares = met(demands_of(text), motions, 30.0)
        assert shares.shape == (len(motions),) and (shares >= 0).all() and (shares <= 1).all()
        alone = torch.cat([met(demands_of(text), motion[None], 30.0) for motion in motions])
        torch.testing.assert_close(shares, alone)


@pytest.mark.parametrize("frames", [2, 3, 7])
def test_the_shortest_motions_are_measured_too(frames: int) -> None:
    motions = torch.stack([motion.positions[:frames] for motion in SYNTHETIC.values()])
    for text in SENTENCES:
        assert met(demands_of(text), motions, 30.0).isfinite().all()


@pytest.mark.slow
def test_takes_are_chosen_by_what_words_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the shipped model, in the mean over seeds."""
    model = motionclip.load()

    def mean(text: str) -> float:
        made = [motionclip.text_to_motion(model, text, seed=seed) for seed in range(3)]
        return sum(how_far(text, motion) for motion in made) / len(made)

    texts = ["someone walks backward slowly", "a person kicks with the left leg", "turn right in place"]
    chosen = [mean(text) for text in texts]
    monkeypatch.setattr("motionclip.applications.text_to_motion.MET", 0.0)
    assert sum(chosen) > sum(map(mean, texts)) + 0.2


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("turn around without walking anywhere", "turn around on the spot"),
        ("surrender", "a person raises both hands above the head"),
        ("a person raises the left hand", "a person raises the left hand"),
        ("a purple idea", "a purple idea"),
    ],
)
def test_words_are_read_as_they_are_meant(text: str, meant: str) -> None:
    assert read(text) == meant


def test_a_prompt_keeps_its_demands(tiny_model: MotionCLIP) -> None:
    both = prompts_of(tiny_model, ["a person jumps", "a person dances"])
    assert [bool(own) for own in both.demands] == [True, False]
    again = Prompts.joined([both.row(1), both.row(0)])
    assert again.demands == both.demands[::-1] and torch.equal(again.latents, both.latents.flip(0))
