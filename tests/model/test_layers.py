"""The layers' shortcuts change nothing: fewer tokens asked for, no gradients wanted, one row for all windows."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from motionclip.model.checkpoint import Network
from motionclip.model.layers import Layer, PostNormLayer, dropout
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


def test_the_first_tokens_alone_are_as_with_all_others() -> None:
    layer, (tokens, mask) = PostNormLayer(SMALL), tokens_and_mask()
    torch.testing.assert_close(layer(tokens, mask, wanted=2), layer(tokens, mask)[:, :2], atol=1e-5, rtol=0)


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


def test_gradients_meet_the_dropout_of_the_way_forth() -> None:
    """Norm and activation are computed again on the way back: with another dropout, differences would not match."""
    torch.manual_seed(0)
    layer = PostNormLayer(dataclasses.replace(SMALL, dropout=0.5)).double()
    tokens = torch.randn(2, 5, 32, dtype=torch.float64, requires_grad=True)

    def out(tokens: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(1)
        return layer(tokens, torch.ones(2, 5, dtype=torch.bool))

    assert torch.autograd.gradcheck(out, tokens)


def test_dropout_keeps_the_mean_and_its_rate() -> None:
    torch.manual_seed(0)
    tokens = torch.ones(1000, 1000, requires_grad=True)
    dropped = dropout(tokens, 0.1, training=True)
    zero = dropped == 0
    assert zero.float().mean() == pytest.approx(0.1, abs=0.002)
    assert torch.allclose(dropped[~zero], torch.tensor(1 / 0.9))
    assert zero.float().mean(dim=0).std() == pytest.approx((0.09 / 1000) ** 0.5, rel=0.1), "columns depend"
    assert zero.float().mean(dim=1).std() == pytest.approx((0.09 / 1000) ** 0.5, rel=0.1), "rows depend"
    assert (zero[:, :-1] & zero[:, 1:]).float().mean() == pytest.approx(0.01, rel=0.05), "neighbours depend"
    upper, lower = zero.chunk(2)
    assert (upper & lower).float().mean() == pytest.approx(0.01, rel=0.05), "halves depend"
    dropped.sum().backward()
    assert torch.equal(tokens.grad, dropped.detach())


def test_dropout_follows_the_seed() -> None:
    tokens = torch.ones(50)
    torch.manual_seed(3)
    first = dropout(tokens, 0.5, training=True)
    assert not torch.equal(dropout(tokens, 0.5, training=True), first)
    torch.manual_seed(3)
    assert torch.equal(dropout(tokens, 0.5, training=True), first)
    assert dropout(tokens, 0.5, training=False) is tokens
