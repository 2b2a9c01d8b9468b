"""The paper's network and losses against a slow, plain statement of them: outputs and gradients."""

import dataclasses

import pytest
import torch
from plain_paper import PlainNetwork, losses

from motionclip.body import default_body
from motionclip.errors import ModelError
from motionclip.losses.alignment import ImageTargets, TextTargets
from motionclip.losses.objective import Objective
from motionclip.model.checkpoint import Network
from motionclip.model.features import Batch, canonicalize
from motionclip.model.paper import PaperAutoencoder
from motionclip.training.config import PRESETS

SMALL = dataclasses.replace(
    PRESETS["paper"].model.with_text_encoder("clip:small", 32),
    heads=2,
    feedforward=48,
    encoder_layers=2,
    decoder_layers=3,
    dropout=0.0,
    prefix_tokens=2,
)


def windows(frames: int, count: int = 3) -> Batch:
    """Windows in double precision, the last of them shorter."""
    generator = torch.Generator().manual_seed(1)
    sixd = torch.eye(3).flatten()[:6] + 0.4 * torch.randn(count, frames, 24, 6, generator=generator)
    root = torch.randn(count, frames, 3, generator=generator)
    mask = torch.ones(count, frames, dtype=torch.bool)
    mask[-1, -3:] = False
    return Batch(*canonicalize(sixd.double(), root.double()), mask)


RENAMED = {
    "encoder.embed": "embed",
    "encoder.prefix": "prefix",
    "decoder.head": "head",
    ".attention_norm.": ".norm1.",
    ".condition_norm.": ".norm2.",
    ".qkv.": ".self_attn.in_proj_",
    ".out.": ".self_attn.out_proj.",
    ".up.": ".linear1.",
    ".down.": ".linear2.",
}


def plain_name(ours: str) -> str:
    for part, name in RENAMED.items():
        ours = ours.replace(part, name)
    return ours.replace(".feedforward_norm.", ".norm3." if ours.startswith("decoder") else ".norm2.")


def plain_twin(model: PaperAutoencoder) -> PlainNetwork:
    """The plain network with the weights of ours.

    Its cross-attention has an output projection that ours folds into ``condition``: here the identity. Its query
    and key projections keep their random weights: they can have no effect.
    """
    config = model.config
    layers = (config.encoder_layers, config.decoder_layers)
    twin = PlainNetwork(config.width, config.heads, config.feedforward, layers, config.prefix_tokens, config.channels)
    twin = twin.double()
    state = twin.state_dict()
    for name, value in model.state_dict().items():
        if ".condition." in name:
            state[folded(name)][2 * config.width :] = value
        else:
            state[plain_name(name)] = value
    for name in state:
        if "multihead_attn.out_proj" in name:
            state[name] = torch.eye(config.width) if name.endswith("weight") else torch.zeros(config.width)
    twin.load_state_dict(state)
    return twin


def folded(name: str) -> str:
    """The plain name of the projection that ``condition`` is the last third of."""
    return name.replace(".condition.", ".multihead_attn.in_proj_")


@pytest.fixture(scope="module")
def model() -> PaperAutoencoder:
    torch.manual_seed(0)
    network = Network(SMALL).double().autoencoder
    assert isinstance(network, PaperAutoencoder)
    for parameter in network.parameters():  # biases and norms start at 0 and 1, where mistakes do not show
        torch.nn.init.normal_(parameter, std=0.2)
    return network


def test_outputs_equal_the_plain_network(model: PaperAutoencoder) -> None:
    twin, batch = plain_twin(model), windows(13)
    x = model.layout.features(batch, 30.0)
    latent = model.encode(batch)
    torch.testing.assert_close(latent, twin.encode(x, batch.mask), atol=1e-5, rtol=0)
    decoded = model.decode(latent, batch.mask).features
    expected = twin.decode(latent, batch.mask)
    torch.testing.assert_close(decoded[batch.mask], expected[batch.mask], atol=1e-5, rtol=0)


def test_losses_and_gradients_equal_the_plain_ones(model: PaperAutoencoder) -> None:
    twin, batch = plain_twin(model), windows(11)
    text, image = torch.randn(2, 3, 32, dtype=torch.float64)
    x, body = model.layout.features(batch, 30.0), default_body()
    plain_body = (body.skeleton.rest_positions.double(), body.skeleton.parents, body.vertices.double())
    z = twin.encode(x, batch.mask)
    plain = losses(x, twin.decode(z, batch.mask), z, batch.mask, text, image, (*plain_body, body.weights.double()))
    weights = {"features": 1, "feature_velocity": 1, "vertices": 1, "cosine": 0.01, "image_cosine": 0.01}
    expected = sum(weights[name] * value for name, value in plain.items())
    expected.backward()

    objective = Objective(PRESETS["paper"].losses, body).double()
    texts = TextTargets(text, torch.tensor([-1, -1, -1]), torch.ones(3, dtype=torch.float64))
    images = ImageTargets(image, torch.ones(3, dtype=torch.float64))
    total, parts = objective(model, batch, texts, images, torch.zeros(3, 32))
    total.backward()
    torch.testing.assert_close(total, expected, atol=1e-5, rtol=1e-5)
    assert parts.keys() == plain.keys()
    theirs = dict(twin.named_parameters())
    for name, parameter in model.named_parameters():
        if ".condition." in name:
            gradient = theirs[folded(name)].grad[2 * SMALL.width :]
            assert theirs[folded(name)].grad[: 2 * SMALL.width].abs().max() < 1e-12  # the dead query and key
        else:
            gradient = theirs[plain_name(name)].grad
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=1e-5, msg=name)


def test_padding_changes_neither_latent_nor_motion(model: PaperAutoencoder) -> None:
    batch = windows(12)
    short = Batch(batch.sixd[-1:, :9], batch.root[-1:, :9], batch.mask[-1:, :9])
    latent = model.encode(batch)[-1:]
    torch.testing.assert_close(model.encode(short), latent)
    torch.testing.assert_close(
        model.decode(latent, batch.mask[-1:]).features[:, :9], model.decode(latent, short.mask).features
    )


def test_words_and_pictures_come_with_the_norm_of_motions() -> None:
    network = Network(SMALL).autoencoder
    embedding = torch.randn(4, 32)
    for head in (network.text_head, network.image_head):
        torch.testing.assert_close(head(embedding).norm(dim=-1), torch.full((4,), 32**0.5))


def test_the_preset_has_the_published_size() -> None:
    """42.21 M with the dead query and key projections of 8 layers (4.2 M) and output projections, which are folded."""
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in Network(PRESETS["paper"].model).parameters())
    dead = 8 * 2 * (512 * 512 + 512)
    folded_away = 8 * (512 * 512 + 512)
    assert abs((count + dead + folded_away) / 42.21e6 - 1) < 1e-3


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="three equal sizes"):
        dataclasses.replace(SMALL, latent_dim=16)
    with pytest.raises(ModelError, match="prior_layers"):
        dataclasses.replace(SMALL, prior_layers=1)
    with pytest.raises(ModelError, match="rows"):
        dataclasses.replace(SMALL, layout="rows")
