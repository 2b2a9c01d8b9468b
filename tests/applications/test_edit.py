"""Latent arithmetic and styles, on a small model for what must hold of any, and on the shipped one for what it can."""

from copy import deepcopy

import pytest
import torch

import motionclip
from motionclip.applications.edit import edit, meanings, nearest_sentence, restyle
from motionclip.applications.text_to_motion import latents_of
from motionclip.data import canonical_sentences
from motionclip.errors import ModelError, TextError
from motionclip.model.network import to_sphere
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

WALK, WAVE = "a person walks", "a person waves"


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


@pytest.fixture(scope="module")
def base(base_model: MotionCLIP) -> MotionCLIP:
    return base_model


def near(one: Motion, other: Motion) -> float:
    """Largest distance of joints, metres."""
    return float((one.positions - other.positions).norm(dim=-1).max())


def plainest(model: MotionCLIP, words: str, seed: int = 0) -> Motion:
    """What words that are to be edited are, of a second."""
    return model.decode(latents_of(model, [words], 1.0, seed=seed), 1.0)[0]


def test_no_strength_and_no_difference_change_nothing(model: MotionCLIP) -> None:
    same = plainest(model, WALK)
    assert near(edit(model, WALK, plus=WAVE, strength=0, seconds=1), same) < 1e-3
    assert near(edit(model, WALK, minus=WAVE, plus=WAVE, seconds=1), same) < 1e-3
    assert near(edit(model, WALK, minus=WALK, plus=WAVE, strength=5, seconds=1), same) > 0.02


def test_a_motion_less_itself_with_another_is_the_other(model: MotionCLIP) -> None:
    walk, wave = motionclip.text_to_motion(model, [WALK, WAVE], seconds=1)
    seen = model.decode(model.encode([wave]), 1.0)[0]
    assert near(edit(model, walk, minus=walk, plus=wave), seen) < 1e-3


def test_scores_are_added_in_proportion_to_the_strength(model: MotionCLIP) -> None:
    walk, wave = motionclip.text_to_motion(model, [WALK, WAVE], seconds=1)
    a, b = model.to_tangent(model.encode([walk, wave]))
    half = edit(model, walk, minus=walk, plus=wave, strength=0.5)
    assert near(half, model.decode(to_sphere((a + b)[None] / 2), 1.0)[0]) < 1e-3


def test_the_seed_is_that_of_the_base(model: MotionCLIP) -> None:
    first, second = (plainest(model, WALK, seed) for seed in (0, 1))
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
    """In most of five: exaggerated, two of ten lose their content."""
    kept = 0
    for seed in range(5):
        walk = motionclip.text_to_motion(base, "an exhausted person walks", seconds=3, seed=seed)
        before = nearest_sentence(base, base.encode([walk]), {"walk", "run"})
        assert before in {("walk", "exhausted"), ("walk", "tired")}
        content, found = nearest(base, restyle(base, walk, style, strength=strength))
        kept += content.startswith("walk") and found == style
    assert kept >= 3


@pytest.mark.parametrize("arithmetic", [False, True])
def test_words_replace_words(base: MotionCLIP, arithmetic: bool) -> None:
    old = "a person walks like an elderly person"
    made = edit(base, WALK, minus=WALK, plus=old, seed=4, seconds=3, arithmetic=arithmetic)
    assert nearest(base, made) == ("walk", "elderly")


def test_an_edit_stays_nearer_to_its_own_base_than_to_others(base: MotionCLIP) -> None:
    """What the words do not say is kept."""
    bases = [motionclip.text_to_motion(base, WALK, seconds=2, seed=seed) for seed in range(5)]
    edited = [edit(base, motion, minus=WALK, plus="a person walks in a proud way") for motion in bases]
    before, after = (torch.stack([each.positions - each.positions[:, :1] for each in set_]) for set_ in (bases, edited))
    apart = (after[:, None] - before).norm(dim=-1).mean(dim=(2, 3))  # (edited, base)
    assert apart.diagonal().mean() < 0.85 * apart[~torch.eye(5, dtype=torch.bool)].mean()


def test_there_and_back_is_where_it_was(base: MotionCLIP) -> None:
    walk = motionclip.text_to_motion(base, "an exhausted person walks", seconds=2)
    latent, text = base.encode([walk]), base.embed_text(["an exhausted person walks"])
    back = base.translate(latent, text, text, 2.0, guidance=1.5)
    assert (back * latent).sum() > 0.999


def test_a_model_without_a_prior_adds(tiny_model: MotionCLIP) -> None:
    walk = motionclip.text_to_motion(tiny_model, WALK, seconds=1)
    model = MotionCLIP(deepcopy(tiny_model.network), tiny_model.text_encoder)  # of its own, to be changed
    model.network.prior = None
    made = edit(model, walk, minus=WALK, plus=WAVE)
    assert near(made, edit(model, walk, minus=WALK, plus=WAVE, arithmetic=True)) < 1e-6
    with pytest.raises(ModelError, match="no latent prior"):
        model.translate(model.encode([walk]), None, None, 1.0, guidance=1.0)


def test_a_style_in_other_words(base: MotionCLIP) -> None:
    """What Bandai-Namco data set 1 alone knows, and what no table knows."""
    plain = motionclip.text_to_motion(base, WALK, seconds=2)
    sad, free = restyle(base, plain, "sad"), restyle(base, plain, "as if sad")
    assert near(sad, plain) > 0.05 and near(free, plain) > 0.05
    assert torch.isfinite(free.positions).all()
