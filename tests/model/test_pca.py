"""The PCA: exact where it can be, and for windows of any length."""

import dataclasses

import torch

from motionclip.model.features import LAYOUTS
from motionclip.model.network import PCAAutoencoder, from_keyframes, to_keyframes
from motionclip.training.config import PRESETS

CONFIG = PRESETS["tiny"].model


def test_stretching_keeps_straight_lines_and_ends() -> None:
    line = torch.arange(20.0)[None, :, None].expand(2, -1, 3)
    nodes = to_keyframes(line, torch.tensor([20, 11]), 5)
    torch.testing.assert_close(nodes[0, :, 0], torch.linspace(0, 19, 5))
    torch.testing.assert_close(nodes[1, :, 0], torch.linspace(0, 10, 5))
    back = from_keyframes(nodes, torch.tensor([20, 11]), 20)
    torch.testing.assert_close(back[0], line[0])
    torch.testing.assert_close(back[1, :11], line[1, :11])


def test_it_starts_at_the_principal_components() -> None:
    """Windows of few degrees of freedom, whose frames lie on straight lines between the nodes, come back exactly."""
    generator = torch.Generator().manual_seed(0)
    ways = torch.randn(6, CONFIG.pca_keyframes * LAYOUTS[CONFIG.layout].channels, generator=generator)
    nodes = (torch.randn(200, 6, generator=generator) @ ways + 1).unflatten(1, (CONFIG.pca_keyframes, -1))
    lengths = torch.full((200,), 57)
    windows = from_keyframes(nodes, lengths, 57)
    path = PCAAutoencoder(dataclasses.replace(CONFIG, latent_dim=33))
    path.start_from_pca(windows, lengths, torch.ones(windows.shape[-1]))
    scores = path.encode(windows, lengths)
    torch.testing.assert_close(path.decode(scores, lengths, 57), windows, atol=2e-2, rtol=0)
    torch.testing.assert_close(scores[:, :6].std(dim=0), torch.ones(6), atol=0.05, rtol=0)


def test_channels_that_count_more_come_back_better() -> None:
    generator = torch.Generator().manual_seed(0)
    channels = LAYOUTS[CONFIG.layout].channels
    windows = torch.randn(300, CONFIG.pca_keyframes, channels, generator=generator)
    lengths = torch.full((300,), CONFIG.pca_keyframes)
    weights = torch.ones(channels)
    weights[:4] = 10.0
    path = PCAAutoencoder(CONFIG)
    path.start_from_pca(windows, lengths, weights)
    error = path.decode(path.encode(windows, lengths), lengths, CONFIG.pca_keyframes) - windows
    assert error[..., :4].square().mean() < 0.6 * error[..., 4:].square().mean()
