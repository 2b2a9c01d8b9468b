"""The latent prior learns a distribution, not its mean, and a seed gives the same draw."""

import dataclasses

import torch
from torch.nn import functional as F

from motionclip.model.network import from_sphere, to_sphere
from motionclip.model.prior import FlowNoise, LatentPrior
from motionclip.training.config import PRESETS

CONFIG = dataclasses.replace(PRESETS["tiny"].model, latent_dim=8, prior_width=128, prior_layers=2)


def draw(prior: LatentPrior, text: torch.Tensor, seed: int) -> torch.Tensor:
    noise = torch.randn(len(text), 7, generator=torch.Generator().manual_seed(seed))
    return prior.sample(noise, text, torch.full((len(text),), 2.0), guidance=1.0, steps=12)


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
    drawn = draw(prior, text.repeat(64, 1), seed=3)
    nearness = drawn @ motions.T
    assert (nearness.amax(dim=1) > 0.9).float().mean() > 0.9
    assert 0.2 < (nearness[:, 0] > nearness[:, 1]).float().mean() < 0.8
    assert (draw(prior, other_text.repeat(16, 1), seed=3) @ elsewhere.T > 0.9).float().mean() > 0.9


def test_a_seed_gives_the_same_draw() -> None:
    torch.manual_seed(0)
    prior = LatentPrior(CONFIG)
    torch.nn.init.normal_(prior.head.weight)
    text = F.normalize(torch.randn(3, 8), dim=-1)
    assert torch.equal(draw(prior, text, seed=1), draw(prior, text, seed=1))
    assert not torch.allclose(draw(prior, text, seed=1), draw(prior, text, seed=2))


def test_the_sphere_loses_nothing() -> None:
    scores = torch.randn(5, 7) * 2
    latents = to_sphere(scores)
    torch.testing.assert_close(latents.norm(dim=-1), torch.ones(5))
    torch.testing.assert_close(from_sphere(latents), scores, rtol=1e-4, atol=1e-4)
