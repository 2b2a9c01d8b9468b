"""The latent prior learns a distribution, not its mean, and a seed gives the same draw."""

import dataclasses

import torch
from torch.nn import functional as F

from motionclip.model.network import from_sphere, to_sphere
from motionclip.model.prior import FLOW_TIMES, FlowNoise, LatentPrior
from motionclip.training.config import PRESETS

CONFIG = dataclasses.replace(PRESETS["tiny"].model, latent_dim=8, prior_width=128, prior_layers=2)


def draw(prior: LatentPrior, text: torch.Tensor, seed: int, draws: int = 1) -> torch.Tensor:
    """Latents (N * draws, 8) under texts (N, 8)."""
    noise = torch.randn(len(text), draws, 7, generator=torch.Generator().manual_seed(seed))
    return prior.sample(noise, text, torch.tensor([2.0]), guidance=1.0).flatten(0, 1)


def random_prior(seed: int = 0) -> LatentPrior:
    torch.manual_seed(seed)
    prior = LatentPrior(CONFIG)
    torch.nn.init.normal_(prior.no_text)
    return prior


def test_it_learns_both_motions_of_one_text() -> None:
    """One text with two opposite motions: their mean is far from both, so draws must take sides."""
    torch.manual_seed(0)
    text, other_text = F.normalize(torch.randn(2, 8), dim=-1)
    motions = to_sphere(torch.randn(1, 7) * torch.tensor([[1.0], [-1.0]]))
    elsewhere = to_sphere(torch.randn(1, 7))
    prior = LatentPrior(CONFIG)
    optimizer = torch.optim.AdamW(prior.parameters(), lr=3e-3)
    latents = torch.cat([motions, elsewhere]).repeat(40, 1)
    texts = torch.stack([text, text, other_text]).repeat(40, 1)
    for _ in range(400):
        optimizer.zero_grad()
        prior.loss(latents, texts, torch.full((len(latents),), 2.0), FlowNoise.draw(len(latents), 7)).backward()
        optimizer.step()
    drawn = draw(prior, text[None], seed=3, draws=64)
    nearness = drawn @ motions.T
    assert (nearness.amax(dim=1) > 0.9).float().mean() > 0.9
    assert 0.2 < (nearness[:, 0] > nearness[:, 1]).float().mean() < 0.8
    assert (draw(prior, other_text[None], seed=3, draws=16) @ elsewhere.T > 0.9).float().mean() > 0.9


def test_a_seed_gives_the_same_draw() -> None:
    prior, text = random_prior(), F.normalize(torch.randn(3, 8), dim=-1)
    assert torch.equal(draw(prior, text, seed=1), draw(prior, text, seed=1))
    assert not torch.allclose(draw(prior, text, seed=1), draw(prior, text, seed=2))


def test_draws_of_several_texts_and_lengths_together_are_those_of_each_alone() -> None:
    prior, text = random_prior(), F.normalize(torch.randn(3, 8), dim=-1)
    noise, seconds = torch.randn(3, 4, 7), torch.tensor([1.0, 2.0, 6.0])
    together = prior.sample(noise, text, seconds, guidance=2.0)
    for row, length in enumerate(seconds):
        for number in range(4):
            start = noise[row, number].view(1, 1, 7)
            alone = prior.sample(start, text[row : row + 1], length[None], guidance=2.0)
            torch.testing.assert_close(together[row, number], alone[0, 0], atol=1e-5, rtol=0)


def test_its_steps_follow_the_field_that_is_trained() -> None:
    """Against many small steps along the field of `forward`, with classifier-free guidance written out."""
    prior, text = random_prior(), F.normalize(torch.randn(2, 8), dim=-1)
    noise, seconds, steps, guidance = torch.randn(2, 7), torch.tensor([1.0, 4.0]), 500, 1.5
    x = noise
    with torch.no_grad():
        for number in range(steps):
            time = torch.full((2,), (number + 0.5) / steps)
            with_text, without = prior(x, time, text, seconds), prior(x, time, prior.no_text.expand(2, -1), seconds)
            x = x + (without + guidance * (with_text - without)) / steps
    one, four, many = (
        (prior.sample(noise[:, None], text, seconds, guidance=guidance, times=times)[:, 0] - to_sphere(x)).norm()
        for times in ((0.0, 1.0), FLOW_TIMES, [step / 40 for step in range(41)])
    )
    assert four < 0.3 * one and many < 0.1 * four


def test_the_sphere_loses_nothing() -> None:
    scores = torch.randn(5, 7) * 2
    latents = to_sphere(scores)
    torch.testing.assert_close(latents.norm(dim=-1), torch.ones(5))
    torch.testing.assert_close(from_sphere(latents), scores, rtol=1e-4, atol=1e-4)
