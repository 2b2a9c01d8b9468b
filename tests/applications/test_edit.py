"""Latent arithmetic and styles, on a small model for what must hold of any, and on the shipped one for what it can."""

from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.applications.arithmetic import meanings, to_plane
from motionclip.applications.edit import edit, recognised_style, restyle
from motionclip.data import canonical_sentences
from motionclip.errors import ModelError, TextError
from motionclip.model.pipeline import MotionCLIP
from motionclip.model.sphere import to_sphere
from motionclip.motion import Motion

WALK, WAVE = "a person walks", "a person waves"


@pytest.fixture(scope="module")
def model(tiny_run: Path) -> MotionCLIP:
    return motionclip.load(tiny_run)


@pytest.fixture(scope="module")
def base() -> MotionCLIP:
    return motionclip.load()


def near(one: Motion, other: Motion) -> float:
    """Largest distance of joints, metres."""
    return float((one.positions - other.positions).norm(dim=-1).max())


def test_no_strength_and_no_difference_change_nothing(model: MotionCLIP) -> None:
    same = motionclip.text_to_motion(model, WALK, seconds=1)
    assert near(edit(model, WALK, plus=WAVE, strength=0, seconds=1), same) < 1e-3
    assert near(edit(model, WALK, minus=WAVE, plus=WAVE, seconds=1), same) < 1e-3
    assert near(edit(model, WALK, minus=WALK, plus=WAVE, strength=5, seconds=1), same) > 0.02


def test_a_motion_less_itself_with_another_is_the_other(model: MotionCLIP) -> None:
    walk, wave = motionclip.text_to_motion(model, [WALK, WAVE], seconds=1)
    seen = model.decode(model.encode([wave]), 1.0)[0]
    assert near(edit(model, walk, minus=walk, plus=wave), seen) < 1e-3


def test_scores_are_added_in_proportion_to_the_strength(model: MotionCLIP) -> None:
    walk, wave = motionclip.text_to_motion(model, [WALK, WAVE], seconds=1)
    a, b = to_plane(model, model.encode([walk, wave]))
    half = edit(model, walk, minus=walk, plus=wave, strength=0.5)
    assert near(half, model.decode(to_sphere((a + b)[None] / 2), 1.0)[0]) < 1e-3


def test_the_seed_is_that_of_the_base(model: MotionCLIP) -> None:
    first, second = (motionclip.text_to_motion(model, WALK, seconds=1, seed=seed) for seed in (0, 1))
    assert near(first, second) > 0.02
    assert near(edit(model, WALK, plus=WAVE, strength=0, seconds=1, seed=1), second) < 1e-3
    assert near(restyle(model, WALK, "elderly", strength=0, seconds=1, seed=1), second) < 1e-3


def test_words_that_differ_in_nothing_mean_the_same(model: MotionCLIP) -> None:
    one, other, third = meanings(model, [WALK, WALK, WAVE], 1.0, draws=2)
    torch.testing.assert_close(one, other)
    assert (one - third).abs().max() > 0.01


def test_what_cannot_be_edited(model: MotionCLIP) -> None:
    with pytest.raises(ModelError, match="minus, plus"):
        edit(model, WALK)
    with pytest.raises(ModelError, match="strength"):
        edit(model, WALK, plus=WAVE, strength=float("nan"), seconds=1)
    with pytest.raises(TextError):
        edit(model, WALK, plus="", seconds=1)
    with pytest.raises(TextError):
        restyle(model, WALK, "word " * 300, seconds=1)


def nearest(model: MotionCLIP, motion: Motion) -> tuple[str, str]:
    known = canonical_sentences(2)
    texts = model.embed_text([text for *_, text in known])
    content, style, _ = known[int((model.encode([motion]) @ texts.T).argmax())]
    return content, style


@pytest.mark.parametrize(("style", "strength"), [("elderly", 1.5), ("youthful", 1.0)])
def test_a_style_replaces_another_and_the_content_stays(base: MotionCLIP, style: str, strength: float) -> None:
    walk = motionclip.text_to_motion(base, "an exhausted person walks", seconds=3)
    assert recognised_style(base, base.encode([walk])) == "exhausted"
    assert nearest(base, restyle(base, walk, style, strength=strength)) == ("walk", style)


def test_words_replace_words(base: MotionCLIP) -> None:
    made = edit(base, WALK, minus=WALK, plus="a person walks like an elderly person", seed=4, seconds=3)
    assert nearest(base, made) == ("walk", "elderly")


def test_a_style_in_other_words(base: MotionCLIP) -> None:
    """What Bandai-Namco data set 1 alone knows, and what no table knows."""
    plain = motionclip.text_to_motion(base, WALK, seconds=2)
    sad, free = restyle(base, plain, "sad"), restyle(base, plain, "as if sad")
    assert near(sad, plain) > 0.05 and near(free, plain) > 0.05
    assert torch.isfinite(free.positions).all()
