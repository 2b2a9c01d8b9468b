"""The evaluation: complete, repeatable, and able to tell a trained model from an untrained one."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from motionclip.applications.evaluate import Evaluation, evaluate, generation
from motionclip.data.store import Store
from motionclip.encoders import load_text_encoder
from motionclip.errors import DataError
from motionclip.metrics.evaluator import Evaluator, load_evaluator
from motionclip.model.checkpoint import Network
from motionclip.model.config import ModelConfig
from motionclip.model.pipeline import MotionCLIP

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def few() -> Iterator[None]:
    """Fewer motions than an evaluation takes, for time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, count in (("_SENTENCES", 6), ("_SEEDS", 3), ("_EDITED_CLIPS", 8), ("_PAIRS", 6), ("_STEPS", 5)):
            patch.setattr(generation, name, count)
        yield


@pytest.fixture(scope="module")
def evaluator(tiny_evaluator: Path) -> Evaluator:
    return load_evaluator(tiny_evaluator)


@pytest.fixture(scope="module")
def store(synthetic_store: Path) -> Store:
    return Store.open(synthetic_store)


@pytest.fixture(scope="module")
def figures(tiny_model: MotionCLIP, store: Store, evaluator: Evaluator) -> Evaluation:
    return evaluate(tiny_model, [store], evaluator=evaluator)


def numbers(value: object) -> list[float]:
    """All numbers in nested plain values."""
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    if isinstance(value, list | tuple):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, int | float) else []


def test_figures_are_repeatable(
    tiny_model: MotionCLIP, store: Store, evaluator: Evaluator, figures: Evaluation
) -> None:
    assert evaluate(tiny_model, [store], evaluator=evaluator) == figures


def test_figures_are_complete_and_finite(store: Store, figures: Evaluation) -> None:
    assert json.loads(json.dumps(figures.to_dict()))["split"] == "test"
    assert all(math.isfinite(number) for number in numbers(figures.to_dict()))
    (own,) = figures.datasets
    assert own.dataset == "synthetic" and own.clips == len(store.split("test"))
    assert own.reconstruction and own.reconstruction.windows > 0 and own.reconstruction.pca_mpjpe_mm
    assert [found.labels for found in own.recognition] == ["sentence", "content", "style"]
    assert {"all", "same sentence", "threshold"} <= {protocol.name for protocol in own.retrieval}
    assert own.generation and [each.kind for each in own.generation.sets] == ["recorded", "reconstructed", "generated"]
    assert own.generation.multimodality and own.interpolation and own.interpolation.pairs > 0
    assert {edited.way for edited in own.editing} >= {"none", "by sentence", "by arithmetic", "by name", "drawn anew"}


def test_protocols_differ_as_they_should(figures: Evaluation) -> None:
    found = {protocol.name: protocol for protocol in figures.datasets[0].retrieval}
    for way in ("text_to_motion", "motion_to_text"):
        strict, lenient = (getattr(found[name], way).recall for name in ("all", "threshold"))
        assert all(a <= b for a, b in zip(strict, lenient, strict=True))
        assert list(strict) == sorted(strict)
    assert found["same sentence"].text_to_motion.recall[4] > found["same sentence"].chance.recall[4]


def test_recordings_are_what_the_evaluator_knows_best(figures: Evaluation) -> None:
    generation = figures.datasets[0].generation
    assert generation is not None
    recorded, reconstructed, generated = (each.judged for each in generation.sets)
    assert recorded and reconstructed and generated
    assert recorded.fid == pytest.approx(0, abs=1e-6) and recorded.fid < generated.fid
    assert recorded.content is not None and generated.content is not None
    assert recorded.content > 60 and recorded.content >= generated.content


def test_without_an_evaluator_only_its_figures_are_missing(tiny_model: MotionCLIP, store: Store) -> None:
    (own,) = evaluate(tiny_model, [store]).datasets
    assert own.generation and own.generation.multimodality is None and not own.editing
    assert all(each.judged is None and each.physics.jitter_m_s3 > 0 for each in own.generation.sets)
    assert own.interpolation and own.interpolation.towards is None and own.recognition and own.retrieval


def test_training_shows_in_the_figures(tiny_model: MotionCLIP, store: Store, figures: Evaluation) -> None:
    untrained = MotionCLIP(Network(tiny_model.config), tiny_model.text_encoder)
    after, before = figures.datasets[0], evaluate(untrained, [store]).datasets[0]
    assert after.reconstruction and before.reconstruction
    assert after.reconstruction.mpjpe_mm < 0.5 * before.reconstruction.mpjpe_mm
    assert after.reconstruction.vertex_mm < before.reconstruction.vertex_mm
    assert after.recognition[1].top1.value > before.recognition[1].top1.value


def test_the_papers_network_without_a_prior_is_measured_too(store: Store, evaluator: Evaluator) -> None:
    config = ModelConfig(
        architecture="paper", layout="translation", max_frames=60, latent_dim=384, image_head=True, width=384, heads=4,
        feedforward=64, encoder_layers=1, decoder_layers=1, frames_per_token=1, prior_layers=0, embedding_norm=20.0,
    )  # fmt: skip
    model = MotionCLIP(Network(config), load_text_encoder("minilm"))
    (own,) = evaluate(model, [store], evaluator=evaluator).datasets
    assert own.generation and own.generation.multimodality == pytest.approx(0, abs=1e-5)  # one motion for a text
    assert own.editing and own.interpolation and own.reconstruction


def test_a_split_without_clips_is_refused(tiny_model: MotionCLIP, store: Store) -> None:
    with pytest.raises(DataError, match="elsewhere"):
        evaluate(tiny_model, [store], split="elsewhere")
