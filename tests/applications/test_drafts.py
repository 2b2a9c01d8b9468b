"""Drafts: the takes that are worth decoding are found among many draws without decoding all."""

import pytest
import torch

from motionclip.applications.candidates import candidates
from motionclip.applications.demands import met
from motionclip.applications.text_to_motion import (
    DRAFTS,
    MATCH,
    MET,
    best_first,
    first_seed,
    prompts_of,
    ranked_takes,
    text_to_motion,
)
from motionclip.model.matcher import OTHERS, Matcher
from motionclip.model.pipeline import MotionCLIP

TEXTS = ["a person walks", "a person waves"]


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    """A model whose matcher is random: it prefers some takes, whatever the words."""
    torch.manual_seed(0)
    matcher = Matcher(tiny_model.config.latent_dim).eval().requires_grad_(False)
    matcher.compare_with(torch.randn(OTHERS, tiny_model.config.latent_dim))
    return MotionCLIP(tiny_model.network, tiny_model.text_encoder, tiny_model.known_words, matcher)


def test_the_most_promising_of_all_draws_are_kept(model: MotionCLIP) -> None:
    prompts, draws = prompts_of(model, TEXTS), 4 * DRAFTS
    takes = ranked_takes(model, prompts, 1.0, seed=2, guidance=1.5, takes=4)
    drawn = model.sample(prompts.latents, 1.0, guidance=1.5, seed=first_seed(2, draws), draws=draws)
    latents, agreement, order = best_first(drawn.unflatten(0, (2, draws)), prompts.latents)
    for row in range(2):
        drafts = model.draft(latents[row], 1.0)
        matches = model.match(drafts, prompts.latents[row].expand(draws, -1))
        worth = agreement[row] + MATCH * matches + MET * met(prompts.demands[row], drafts, model.config.fps)
        best = worth.topk(4).indices
        torch.testing.assert_close(takes.latents[row], latents[row, best], atol=1e-5, rtol=0)
        assert takes.order[row].tolist() == order[row, best].tolist()
    assert not torch.equal(takes.order.sort(dim=1).values, torch.arange(4).expand(2, -1))


def test_without_drafts_as_many_are_drawn_as_are_decoded(model: MotionCLIP) -> None:
    takes = ranked_takes(model, prompts_of(model, TEXTS), 1.0, seed=2, guidance=1.5, takes=4, drafts=1)
    assert takes.order.sort(dim=1).values.tolist() == [[0, 1, 2, 3]] * 2


def test_takes_are_ranked_alike_alone_and_beside_longer_ones(model: MotionCLIP) -> None:
    both = ranked_takes(model, prompts_of(model, TEXTS), [1.0, 2.0], seed=2, guidance=1.5, takes=3)
    for row, seconds in enumerate((1.0, 2.0)):
        alone = ranked_takes(model, prompts_of(model, TEXTS[row : row + 1]), seconds, seed=2, guidance=1.5, takes=3)
        assert both.order[row].tolist() == alone.order[0].tolist()
        torch.testing.assert_close(both.latents[row], alone.latents[0], atol=1e-5, rtol=0)


def test_candidates_are_made_again_by_their_seeds(model: MotionCLIP) -> None:
    takes = candidates(model, TEXTS[0], count=3, keep=3, seconds=1, seed=5)
    for take in takes:
        again = text_to_motion(model, TEXTS[0], seconds=1, seed=take.seed, takes=1)
        torch.testing.assert_close(take.motion.rotations, again.rotations, atol=1e-4, rtol=0)
    best = text_to_motion(model, TEXTS[0], seconds=1, seed=5, takes=3)
    torch.testing.assert_close(takes[0].motion.rotations, best.rotations, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_a_draft_is_near_what_is_decoded(base_model: MotionCLIP) -> None:
    latents = base_model.sample(base_model.embed_prompts(TEXTS), 4.0, guidance=1.5, seed=0, draws=2)
    mask = torch.ones(len(latents), 120, dtype=torch.bool)
    drafts = base_model.autoencoder.draft(latents, mask)
    decoded = torch.stack([motion.positions for motion in base_model.decode(latents, 4.0)])
    drafts, decoded = (positions - positions[:, :, :1] for positions in (drafts, decoded))
    assert (drafts - decoded).norm(dim=-1).mean() < 0.05
    assert (drafts[0] - decoded[2]).norm(dim=-1).mean() > 0.1
