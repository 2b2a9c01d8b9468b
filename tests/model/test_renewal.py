"""New principal components under the small model: they fit the new windows, and its words mean what they meant."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.model.checkpoint import Network
from motionclip.model.features import Batch
from motionclip.model.network import ResidualAutoencoder, to_keyframes
from motionclip.model.pipeline import MotionCLIP
from motionclip.model.renewal import renew_components
from motionclip.training.batches import gather

FRAMES = 60


@pytest.fixture(scope="module")
def windows(synthetic_store: Path) -> WindowSet:
    return WindowSet([Store.open(synthetic_store)], "train", {}, 21)


@pytest.fixture(scope="module")
def leaping(windows: WindowSet) -> Batch:
    """Windows of few kinds, on which the model's components are not the best ones."""
    chosen = [i for i, segment in enumerate(windows.segments) if any("jump" in text for text in segment.texts)]
    return gather(windows, windows.central(chosen, FRAMES))


@pytest.fixture(scope="module")
def drawn(windows: WindowSet) -> Batch:
    return gather(windows, windows.draw(torch.Generator().manual_seed(0), 400, FRAMES, mirror=False))


def renewed(model: MotionCLIP, batch: Batch) -> Network:
    network = copy.deepcopy(model.network)
    torch.manual_seed(0)
    renew_components(network, batch)
    return network


@torch.no_grad()
def height_error(network: Network, batch: Batch) -> float:
    """The mean error of the root's height in what the components make of windows' keyframes, metres."""
    model = network.autoencoder
    assert isinstance(model, ResidualAutoencoder)
    features = (model.layout.features(batch, model.config.fps) - model.feature_mean) / model.feature_scale
    lengths, count = batch.mask.sum(dim=1), model.linear.keyframes
    recorded = to_keyframes(features, lengths, count)
    restored = model.linear.restore(model.linear.encode(features, lengths)).unflatten(-1, (count, -1))
    return ((restored - recorded) * model.feature_scale)[..., model.layout.kinds[2]].abs().mean().item()


def test_the_new_components_fit_the_new_windows(tiny_model: MotionCLIP, leaping: Batch) -> None:
    assert height_error(renewed(tiny_model, leaping), leaping) < 0.5 * height_error(tiny_model.network, leaping)


def test_texts_keep_their_motions(tiny_model: MotionCLIP, drawn: Batch, windows: WindowSet) -> None:
    embeddings = tiny_model.text_encoder.encode_texts(windows.texts[::10])

    @torch.no_grad()
    def cosines(network: Network) -> Tensor:
        return network.autoencoder.encode(drawn) @ network.autoencoder.text_head(embeddings).T

    before, after = cosines(tiny_model.network), cosines(renewed(tiny_model, drawn))
    agreement = torch.corrcoef(torch.stack([before.flatten(), after.flatten()]))[0, 1]
    assert agreement > 0.8


def test_the_prior_draws_for_a_text_what_it_drew_before(tiny_model: MotionCLIP, drawn: Batch) -> None:
    other = MotionCLIP(renewed(tiny_model, drawn), tiny_model.text_encoder)
    texts = ["a person jumps up", "a person bows", "a person walks forward", "a person raises both hands"]

    def mean_poses(model: MotionCLIP) -> Tensor:
        latents = model.sample(model.embed_text(texts), 2.0, guidance=1.5, seed=1, draws=8)
        positions = torch.stack([motion.positions for motion in model.decode(latents, 2.0)])
        return positions.unflatten(0, (len(texts), -1)).mean(dim=1).flatten(1)

    nearest = torch.cdist(mean_poses(other), mean_poses(tiny_model)).argmin(dim=1)
    assert nearest.tolist() == [0, 1, 2, 3]
