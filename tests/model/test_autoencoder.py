"""The network: shapes, masks, unit latents, and weights that survive the disk."""

import json

import pytest
import torch

from motionclip.errors import ModelError
from motionclip.model.checkpoint import CONFIG_FILE, WEIGHTS_FILE, Network, find_model, load_network, save_network
from motionclip.model.config import ModelConfig
from motionclip.model.features import Batch, canonicalize
from motionclip.training.config import PRESETS

TINY = PRESETS["tiny"].model


def windows(frames: int, count: int = 3) -> Batch:
    generator = torch.Generator().manual_seed(1)
    sixd = torch.randn(count, frames, 24, 6, generator=generator)
    root = torch.randn(count, frames, 3, generator=generator)
    return Batch(*canonicalize(sixd, root), torch.ones(count, frames, dtype=torch.bool))


@pytest.fixture(scope="module")
def network() -> Network:
    """Its transformers have their say: training starts with heads of zero, which would hide them."""
    torch.manual_seed(0)
    network = Network(TINY).eval()
    for head in (network.autoencoder.encoder.head, network.autoencoder.decoder.head):
        torch.nn.init.normal_(head.weight, std=0.1)
    return network


@pytest.mark.parametrize("frames", [2, 7, 60, 61])
def test_any_number_of_frames(network: Network, frames: int) -> None:
    batch = windows(frames)
    latent = network.autoencoder.encode(batch)
    torch.testing.assert_close(latent.norm(dim=-1), torch.ones(3))
    decoded = network.autoencoder.decode(latent, batch.mask)
    assert decoded.sixd.shape == batch.sixd.shape
    assert decoded.root.shape == batch.root.shape
    assert decoded.contacts.shape == (3, frames, 4)


def test_padding_changes_neither_latent_nor_motion(network: Network) -> None:
    batch = windows(21)
    padded = Batch(
        torch.cat([batch.sixd, torch.randn(3, 16, 24, 6)], dim=1),
        torch.cat([batch.root, torch.randn(3, 16, 3)], dim=1),
        torch.cat([batch.mask, torch.zeros(3, 16, dtype=torch.bool)], dim=1),
    )
    latent = network.autoencoder.encode(batch)
    torch.testing.assert_close(network.autoencoder.encode(padded), latent, atol=1e-5, rtol=0)
    short, long = (network.autoencoder.decode(latent, mask) for mask in (batch.mask, padded.mask))
    torch.testing.assert_close(long.sixd[:, :21], short.sixd, atol=1e-4, rtol=0)


def test_the_latent_decides_the_motion(network: Network) -> None:
    """A decoder that ignored its latent would decode all points alike."""
    latent = torch.nn.functional.normalize(torch.randn(2, TINY.latent_dim), dim=-1)
    one, other = network.autoencoder.decode(latent, torch.ones(2, 30, dtype=torch.bool)).sixd
    assert (one - other).abs().mean() > 1e-3


def test_weights_survive_the_disk(network: Network, tmp_path) -> None:
    save_network(network, tmp_path)
    loaded = load_network(find_model(tmp_path))
    batch = windows(12)
    torch.testing.assert_close(loaded.autoencoder.encode(batch), network.autoencoder.encode(batch), atol=5e-3, rtol=0)
    assert loaded.config == network.config
    assert not list(tmp_path.glob("*.tmp"))


def test_damaged_models_are_refused(network: Network, tmp_path) -> None:
    save_network(network, tmp_path)
    weights = (tmp_path / WEIGHTS_FILE).read_bytes()
    (tmp_path / WEIGHTS_FILE).write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ModelError, match="damaged"):
        load_network(tmp_path)
    (tmp_path / WEIGHTS_FILE).write_bytes(weights)
    values = json.loads((tmp_path / CONFIG_FILE).read_text())
    (tmp_path / CONFIG_FILE).write_text(json.dumps(values | {"width": 64}))
    with pytest.raises(ModelError, match="does not fit"):
        load_network(tmp_path)
    (tmp_path / CONFIG_FILE).write_text(json.dumps(values | {"wings": 2}))
    with pytest.raises(ModelError, match="wings"):
        load_network(tmp_path)
    with pytest.raises(ModelError, match="no model at"):
        find_model(tmp_path / "nowhere")


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="heads"):
        ModelConfig(width=30, heads=4)
    with pytest.raises(ModelError, match="max_frames"):
        ModelConfig(max_frames=181)
