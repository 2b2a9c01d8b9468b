"""Another text encoder in front of the shipped model: its words and pictures land where the model's own words do."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

import motionclip
from motionclip.applications.adapt import Adaptation, adapt, default_captions, fit_linear
from motionclip.cli.main import main
from motionclip.encoders import load_text_encoder
from motionclip.errors import DataError, ModelError
from motionclip.metrics.retrieval import cosines, retrieval
from motionclip.model.checkpoint import Network, load_network
from motionclip.model.pipeline import MotionCLIP
from motionclip.training.config import PRESETS

pytestmark = pytest.mark.slow

CLIP_TEXTS = Path(__file__).parents[3] / "shared" / "reference" / "clip_ntu_texts.npz"


class TurnedEncoder:
    """MiniLM's space, turned and moved to a narrow cone; pictures lie in another cone, told apart by brightness."""

    name, dim, fingerprint = "turned", 384, "0"

    def __init__(self) -> None:
        self._text_encoder = load_text_encoder("minilm")
        generator = torch.Generator().manual_seed(0)
        self._turn = torch.linalg.qr(torch.randn(384, 384, generator=generator))[0]
        self._cones = F.normalize(torch.randn(2, 384, generator=generator), dim=-1)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        return F.normalize(self._text_encoder.encode_texts(texts) @ self._turn + self._cones[0], dim=-1)

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        brightness = torch.tensor([[image.mean() / 255] for image in images], dtype=torch.float32)
        return F.normalize(0.2 * brightness * self._turn[0] + self._cones[1], dim=-1)


@pytest.fixture(scope="module")
def base(base_model: MotionCLIP) -> MotionCLIP:
    return base_model


@pytest.fixture(scope="module")
def adaptation(base: MotionCLIP) -> Adaptation:
    return adapt(base, TurnedEncoder(), default_captions()[::5])


def test_a_turned_text_encoder_is_turned_back(base: MotionCLIP, adaptation: Adaptation) -> None:
    assert adaptation.held_out.recall[0] > 95
    adapted = adaptation.model
    unseen = ["someone strolls along", "sit down on a bench", "a child hops around"]
    similarity = cosines(adapted.embed_text(unseen), base.embed_text(unseen))
    assert (similarity.argmax(dim=1) == torch.arange(3)).all()
    assert similarity.diagonal().min() > 0.75


def test_pictures_are_moved_out_of_their_own_cone(base: MotionCLIP, adaptation: Adaptation) -> None:
    assert adaptation.gap is not None and adaptation.gap < 0.5
    adapted = adaptation.model
    picture = [np.full((32, 32, 3), 240, np.uint8)]
    texts = base.embed_text(default_captions()[::40]).mean(dim=0, keepdim=True)
    unmoved = adapted.network.autoencoder.text_head(adapted.text_encoder.encode_images(picture))
    assert cosines(adapted.embed_images(picture), texts) > cosines(unmoved, texts) + 0.1


def test_motions_are_left_as_they_were(base: MotionCLIP, adaptation: Adaptation) -> None:
    adapted = adaptation.model.network
    for name, value in base.network.state_dict().items():
        if "text_head" not in name:
            assert torch.equal(adapted.state_dict()[name], value), name


def test_the_ridge_is_the_best_of_those_tried_by_leaving_one_out() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(30, 20, generator=generator)
    z = x @ torch.randn(20, 4, generator=generator) + 0.5 * torch.randn(30, 4, generator=generator) + 3

    def left_out(ridge: float) -> float:
        errors = []
        for one in range(30):
            others = torch.arange(30) != one
            inputs, targets = x[others].double(), z[others].double()
            a, b = inputs - inputs.mean(0), targets - targets.mean(0)
            weight = torch.linalg.solve(a.T @ a + ridge * torch.eye(20, dtype=torch.float64), a.T @ b)
            errors.append((z[one] - targets.mean(0) - (x[one] - inputs.mean(0)) @ weight).square().mean())
        return float(torch.stack(errors).mean())

    fitted = fit_linear(x, z)
    assert left_out(fitted.ridge) < min(left_out(fitted.ridge * factor) for factor in (0.1, 10.0))


@pytest.mark.skipif(not CLIP_TEXTS.is_file(), reason="the texts with real CLIP embeddings are not here")
@pytest.mark.parametrize(("kind", "at_least"), [("label", 35), ("definition", 45), ("description", 20)])
def test_real_clip_embeddings_find_unseen_texts(base: MotionCLIP, kind: str, at_least: float) -> None:
    with np.load(CLIP_TEXTS, allow_pickle=False) as stored:
        texts, held = stored["texts"].tolist(), torch.from_numpy(stored["kinds"] == kind)
        inputs = F.normalize(torch.from_numpy(stored["embeddings"]), dim=-1)
    own = base.text_encoder.encode_texts(texts)
    mapped = fit_linear(inputs[~held], own[~held])(inputs[held])
    head = base.network.autoencoder.text_head
    found = retrieval(cosines(head(mapped), head(own[held])), torch.eye(120, dtype=torch.bool))
    assert found.recall[0] > at_least


def test_the_command_writes_a_model_that_takes_pictures(clip_folder: Path, tmp_path: Path) -> None:
    captions = tmp_path / "captions.txt"
    captions.write_text("\n".join(default_captions()[::30]))
    command = ["adapt", "--text-encoder", "clip:tiny/random", "--encoder-weights", str(clip_folder)]
    command += ["--captions", str(captions), "--out", str(tmp_path / "adapted")]
    assert main(command) == 0
    network = load_network(tmp_path / "adapted")
    assert network.config.text_encoder == "clip:tiny/random" and network.config.image_head
    assert "CC BY-NC 4.0" in (tmp_path / "adapted" / "MODEL_CARD.md").read_text()
    model = motionclip.load(tmp_path / "adapted", encoder_weights=clip_folder)
    assert model.embed_images([np.zeros((224, 224, 3), np.uint8)]).shape == (1, 384)
    assert main(command) == 2  # it is there already


def test_what_cannot_be_adapted_is_refused(base: MotionCLIP) -> None:
    with pytest.raises(DataError, match="captions"):
        adapt(base, TurnedEncoder(), ["walk", "walk", "run"])
    config = PRESETS["paper"].model.with_text_encoder("minilm", 384)
    with torch.device("meta"):
        paper = Network(config)
    with pytest.raises(ModelError, match="train it"):
        adapt(MotionCLIP(paper, load_text_encoder("minilm")), TurnedEncoder())
