"""Sentences become motions: lengths, seeds, and words or lengths that cannot be used."""

from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.applications.text_to_motion import prompts_of, ranked_takes
from motionclip.cli.main import main
from motionclip.errors import ModelError, TextError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


def test_one_sentence_and_several(model: MotionCLIP) -> None:
    motion = motionclip.text_to_motion(model, "a person walks", seconds=1.5)
    assert isinstance(motion, Motion)
    assert (motion.num_frames, motion.fps, motion.skeleton) == (45, 30.0, CANONICAL)
    motions = motionclip.text_to_motion(model, ["a person walks", "a person waves"], seconds=3)
    assert [m.num_frames for m in motions] == [90, 90]
    torch.testing.assert_close(motion.root[0, [0, 2]], torch.zeros(2))


def test_a_seed_decides_the_motion(model: MotionCLIP) -> None:
    def made(seed: int) -> torch.Tensor:
        return motionclip.text_to_motion(model, "a person walks", seconds=1, seed=seed).rotations

    assert torch.equal(made(1), made(1))
    assert not torch.allclose(made(1), made(2))


@pytest.mark.parametrize("seconds", [0, -1, 6.5, float("nan"), float("inf")])
def test_lengths_that_cannot_be_made(model: MotionCLIP, seconds: float) -> None:
    with pytest.raises(ModelError, match="6 seconds"):
        motionclip.text_to_motion(model, "a person walks", seconds=seconds)


@pytest.mark.parametrize("text", ["", "   ", "walk " * 300])
def test_words_that_cannot_be_used(model: MotionCLIP, text: str) -> None:
    with pytest.raises(TextError):
        motionclip.text_to_motion(model, text)


def test_motions_and_words_share_a_space(model: MotionCLIP) -> None:
    motions = motionclip.text_to_motion(model, ["a person walks", "a person waves"], seconds=2)
    latents, words = model.encode(motions), model.embed_text(["a person walks", "a person waves"])
    assert latents.shape == words.shape == (2, model.config.latent_dim)
    torch.testing.assert_close(latents.norm(dim=-1), torch.ones(2))
    torch.testing.assert_close(words.norm(dim=-1), torch.ones(2))


def test_motions_that_are_too_long_are_refused(model: MotionCLIP) -> None:
    long = motionclip.text_to_motion(model, "a person walks", seconds=6)
    longer = Motion(torch.cat([long.rotations] * 2), torch.cat([long.root] * 2), long.fps, long.skeleton)
    with pytest.raises(ModelError, match="crop"):
        model.encode([longer])


def test_a_sentence_does_not_depend_on_its_neighbours(model: MotionCLIP) -> None:
    alone = motionclip.text_to_motion(model, "a person waves", seconds=1)
    together = motionclip.text_to_motion(model, ["a person walks", "a person waves"], seconds=1)[1]
    torch.testing.assert_close(together.positions, alone.positions, atol=1e-4, rtol=0)


def test_the_take_that_agrees_most_with_the_words_is_first(tiny_model: MotionCLIP) -> None:
    prompts = prompts_of(tiny_model, ["a person walks", "a person waves"])
    words = prompts.latents
    takes = ranked_takes(tiny_model, prompts, 1.0, seed=3, guidance=1.5, takes=5).latents
    agreement = cosines(takes.flatten(0, 1), words).unflatten(0, (2, 5))
    for number in range(2):
        own = agreement[number, :, number]
        assert (torch.diff(own) <= 0).all() and own[0] > own[-1]
    drawn = tiny_model.sample(words, 1.0, guidance=1.5, seed=15, draws=5).unflatten(0, (2, 5))
    torch.testing.assert_close(takes.sum(dim=1), drawn.sum(dim=1), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_the_command_says_when_words_are_far_from_all_that_was_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["generate", "the price of gold", "a person walks", "--seconds", "1", "--out", str(tmp_path)]
    assert main([*command, "--formats", "npz"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "what this model knows" in line]
    assert len(told) == 1
    assert told[0].startswith("'the price of gold' is far from what this model knows; nearest: '")
