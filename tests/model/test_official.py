"""Published checkpoints: every tensor finds its place, the outputs are theirs, and other files are refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from motionclip.errors import ModelError
from motionclip.model.checkpoint import Network, load_network, save_network
from motionclip.model.features import Batch
from motionclip.model.official import EMBEDDING_NORM, read_official, read_options
from official_files import CHANNELS, WIDTH, Published, write_checkpoint, write_options


@pytest.fixture(scope="module")
def published() -> Published:
    torch.manual_seed(0)
    return Published()


@pytest.fixture(scope="module")
def network(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Network:
    folder = tmp_path_factory.mktemp("published")
    write_options(folder)
    return read_official(write_checkpoint(folder, published.tensors())).network


@pytest.fixture(scope="module")
def hollow(published: Published) -> dict[str, Tensor]:
    """The names and shapes without the weights: files of a few kilobytes, for what is refused anyway."""
    return {name: torch.zeros(()).expand(value.shape) for name, value in published.tensors().items()}


def windows() -> Batch:
    """Two windows, the second of them shorter."""
    generator = torch.Generator().manual_seed(1)
    sixd = torch.eye(3).flatten()[:6] + 0.4 * torch.randn(2, 20, 24, 6, generator=generator)
    mask = torch.ones(2, 20, dtype=torch.bool)
    mask[1, 14:] = False
    return Batch(sixd, torch.randn(2, 20, 3, generator=generator), mask)


def test_encodes_as_the_published_network(published: Published, network: Network) -> None:
    batch, model = windows(), network.autoencoder
    expected = published.encoder(model.layout.features(batch, 30.0), batch.mask)
    torch.testing.assert_close(model.encode(batch), expected, atol=1e-5, rtol=0)


def test_decodes_as_the_published_network(published: Published, network: Network) -> None:
    mask, latent = windows().mask, torch.randn(2, WIDTH)
    features = network.autoencoder.decode(latent, mask).features
    expected = published.decoder(latent, mask)
    assert expected.std() > 0.1
    torch.testing.assert_close(features[mask], expected[mask], atol=1e-5, rtol=0)


def test_the_saved_model_is_close_and_takes_words_at_the_norm_of_clip(network: Network, tmp_path: Path) -> None:
    save_network(network, tmp_path / "model")
    stored = load_network(tmp_path / "model")
    batch, latent = windows(), torch.randn(2, WIDTH)
    for exact, rounded in [
        (network.autoencoder.encode(batch), stored.autoencoder.encode(batch)),
        (
            network.autoencoder.decode(latent, batch.mask).features,
            stored.autoencoder.decode(latent, batch.mask).features,
        ),
    ]:
        assert (exact - rounded).norm() / exact.norm() < 2e-3  # the rounding of half precision
    assert stored.config == network.config
    assert stored.config.text_encoder == "clip:ViT-B-32" and stored.config.max_frames == 60
    norms = stored.autoencoder.text_head(torch.nn.functional.normalize(latent, dim=-1)).norm(dim=-1)
    torch.testing.assert_close(norms, torch.full((2,), EMBEDDING_NORM))


def test_the_released_size_has_the_published_count_of_parameters() -> None:
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in Published(layers=8).parameters())
    assert round(count / 1e6, 2) == 42.21


def test_safetensors_and_tensors_of_clip(published: Published, network: Network, tmp_path: Path) -> None:
    tensors = published.tensors()
    options = write_options(tmp_path)
    save_file({name: value.contiguous() for name, value in tensors.items()}, tmp_path / "published.safetensors")
    plain = read_official(tmp_path / "published.safetensors")
    clip = {"clip_model.logit_scale": torch.tensor(4.6), "clip_model.visual.conv1.weight": torch.zeros(2, 3).half()}
    with_clip = read_official(write_checkpoint(tmp_path / "other", tensors | clip), options)
    assert (plain.clip_tensors, with_clip.clip_tensors) == (0, 2)
    for model in (plain, with_clip):
        for name, value in network.state_dict().items():
            assert torch.equal(model.network.state_dict()[name], value), name


def without(name: str) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: {key: value for key, value in tensors.items() if key != name}


def changed(name: str, value: Tensor) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors | {name: value}


EMBEDDING, LAST = "encoder.skelEmbedding.weight", "decoder.seqTransDecoder.layers.1.norm3.bias"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without(LAST), f"1 tensors missing: {LAST}"),
        (without("encoder.sigmaQuery"), "missing: encoder.sigmaQuery"),
        (changed("encoder.mu_layer.weight", torch.zeros(2)), "left over: encoder.mu_layer.weight"),
        (changed("encoder.seqTransEncoder.norm.weight", torch.ones(WIDTH)), "left over: encoder.seqTransEncoder.norm"),
        (changed(EMBEDDING, torch.zeros(WIDTH, 144)), f"of another shape: {EMBEDDING}.* on 150 channels"),
        (changed("encoder.muQuery", torch.zeros(60, WIDTH)), "of another shape: encoder.muQuery"),
        (changed(EMBEDDING, torch.full((WIDTH, CHANNELS), float("nan"))), f"not finite numbers: {EMBEDDING}"),
        (changed(EMBEDDING, torch.zeros(WIDTH, CHANNELS, dtype=torch.int64)), f"not finite numbers: {EMBEDDING}"),
        (lambda tensors: tensors, "encoder.sequence_pos_encoder.pe is up to 1 off the sinusoidal"),
        (lambda tensors: {"state_dict": tensors}, "more than named tensors"),
        (lambda tensors: list(tensors.values()), "more than named tensors"),
    ],
)
def test_other_tensors_are_refused(
    change: Callable[[dict[str, Tensor]], object], message: str, hollow: dict[str, Tensor], tmp_path: Path
) -> None:
    write_options(tmp_path)
    path = write_checkpoint(tmp_path, change(hollow))
    with pytest.raises(ModelError, match=message):
        read_official(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_layers": 8}, "opt.yaml says num_layers 8 and .*checkpoint_0100.pth.tar has 2"),
        ({"latent_dim": 256}, "latent_dim 256 and .* has 512"),
        ({"ff_size": 2048}, "ff_size 2048 and .* has 1024"),
        ({"num_heads": 3}, "3 heads"),
        ({"num_frames": -1}, "num_frames -1; expected whole numbers above 0"),
        ({"num_frames": 6000}, "num_frames 6000"),
        ({"num_layers": "two"}, "num_layers 'two'"),
        ({"pose_rep": "xyz", "glob": False}, "pose_rep 'xyz', glob False; expected pose_rep 'rot6d', glob True"),
        ({"translation": False}, "translation False; expected translation True"),
        ({"ablation": "zandtime"}, "ablation 'zandtime'; expected ablation None"),
        ({"normalize_encoder_output": True}, "normalize_encoder_output True"),
        ({"archiname": "gru"}, "archiname 'gru'"),
    ],
)
def test_options_of_another_network_are_refused(
    changes: dict[str, object], message: str, hollow: dict[str, Tensor], tmp_path: Path
) -> None:
    write_options(tmp_path, **changes)
    with pytest.raises(ModelError, match=message):
        read_official(write_checkpoint(tmp_path, hollow))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no options"),
        ("- 1", "holds no options"),
        ("a: [", "not YAML"),
        ("a: 2022-99-99", "not YAML"),
        ("a: !!bool x", "not YAML"),
        ("latent_dim: !!python/object/apply:os.getcwd []", "not YAML"),
        ("batch_size: 20", "num_frames None, num_layers None, latent_dim None"),
    ],
)
def test_damaged_options_are_refused(text: str, message: str, hollow: dict[str, Tensor], tmp_path: Path) -> None:
    (tmp_path / "opt.yaml").write_text(text)
    with pytest.raises(ModelError, match=message):
        read_official(write_checkpoint(tmp_path, hollow))


def test_the_rate_comes_from_the_name_of_the_data(tmp_path: Path) -> None:
    assert read_options(write_options(tmp_path)).fps == 30.0
    assert read_options(write_options(tmp_path, datapath="./data/amass_db/babel_60fps_db.pt")).fps == 60.0


class Stranger:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(hollow: dict[str, Tensor], tmp_path: Path) -> None:
    write_options(tmp_path)
    path = write_checkpoint(tmp_path, hollow | {"more": Stranger(tmp_path / "made")})
    with pytest.raises(ModelError, match="more than named tensors") as refused:
        read_official(path)
    assert "weights_only" not in str(refused.value)  # torch's own advice is to load it unsafely
    assert not (tmp_path / "made").exists()
    torch.load(path, weights_only=False)
    assert (tmp_path / "made").exists()  # it would have run


def test_files_that_are_missing_or_damaged(hollow: dict[str, Tensor], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is missing; expected a published checkpoint"):
        read_official(tmp_path / "nowhere.pth.tar")
    path = write_checkpoint(tmp_path, hollow)
    with pytest.raises(ModelError, match=r"opt.yaml: No such file .* or give it as --opt"):
        read_official(path)
    write_options(tmp_path)
    for content in (path.read_bytes()[:5000], b"<!DOCTYPE html><html>too many downloads</html>", b""):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="is damaged"):
            read_official(path)
