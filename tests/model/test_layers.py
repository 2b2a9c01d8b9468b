"""Transformer layers: the same with and without gradients, for one window and for many; dropout in training alone."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from motionclip.model.checkpoint import Network
from motionclip.model.layers import Layer, PostNormLayer
from motionclip.model.paper import PaperAutoencoder
from motionclip.training.config import PRESETS

SMALL = dataclasses.replace(
    PRESETS["paper"].model.with_text_encoder("clip:small", 32),
    heads=2,
    feedforward=48,
    encoder_layers=2,
    decoder_layers=2,
    dropout=0.0,
)


def tokens_and_mask() -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.ones(3, 9, dtype=torch.bool)
    mask[1, 6:] = False
    return torch.randn(3, 9, 32, generator=torch.Generator().manual_seed(0)), mask


@pytest.mark.parametrize("kind", [Layer, PostNormLayer])
def test_a_layer_does_in_use_what_it_did_in_training(kind: type[Layer]) -> None:
    layer, (tokens, mask) = kind(SMALL), tokens_and_mask()
    trained = layer(tokens, mask)
    with torch.no_grad():
        used = layer.eval()(tokens, mask)
    torch.testing.assert_close(used[mask], trained.detach()[mask], atol=1e-5, rtol=0)


def test_decoding_many_latents_is_decoding_each() -> None:
    torch.manual_seed(0)
    model = Network(SMALL).autoencoder.eval()
    assert isinstance(model, PaperAutoencoder)
    _, mask = tokens_and_mask()
    latent = torch.randn(3, 32)
    with torch.no_grad():
        together = model.decode(latent, mask).features
        for row in range(3):
            alone = model.decode(latent[row : row + 1], mask[row : row + 1]).features[0]
            torch.testing.assert_close(together[row][mask[row]], alone[mask[row]], atol=1e-5, rtol=0)


def test_dropout_changes_training_alone() -> None:
    torch.manual_seed(0)
    layer, (tokens, mask) = PostNormLayer(dataclasses.replace(SMALL, dropout=0.5)), tokens_and_mask()
    first = layer(tokens, mask)
    assert not torch.allclose(layer(tokens, mask), first)
    torch.testing.assert_close(layer.eval()(tokens, mask)[mask], layer(tokens, mask)[mask])
