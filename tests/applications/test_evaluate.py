"""The evaluation: complete, repeatable, and able to tell a trained model from an untrained one."""

import json
from pathlib import Path

import pytest

from motionclip.applications.evaluate import evaluate
from motionclip.data.store import Store
from motionclip.errors import DataError
from motionclip.model.checkpoint import Network
from motionclip.model.pipeline import MotionCLIP, load


def test_figures_are_complete_and_repeatable(tiny_run: Path, synthetic_store: Path) -> None:
    model, stores = load(tiny_run), [Store.open(synthetic_store)]
    first = evaluate(model, stores)
    assert evaluate(model, stores) == first
    assert json.loads(json.dumps(first.to_dict()))["split"] == "test"
    (figures,) = first.datasets
    assert figures.dataset == "synthetic" and figures.clips == len(stores[0].split("test"))
    assert figures.reconstruction and figures.reconstruction.windows > 0
    assert figures.text_to_motion and figures.motion_to_text and figures.physics
    recalls = figures.text_to_motion.recall
    assert 0 <= recalls[0] <= recalls[1] <= recalls[2] <= 100


def test_training_shows_in_the_figures(tiny_run: Path, synthetic_store: Path) -> None:
    trained = load(tiny_run)
    untrained = MotionCLIP(Network(trained.config), trained.tower)
    after, before = (evaluate(model, [Store.open(synthetic_store)]).datasets[0] for model in (trained, untrained))
    assert after.reconstruction and before.reconstruction
    assert after.reconstruction.mpjpe_mm < 0.5 * before.reconstruction.mpjpe_mm


def test_a_split_without_clips_is_refused(tiny_run: Path, synthetic_store: Path) -> None:
    with pytest.raises(DataError, match="elsewhere"):
        evaluate(load(tiny_run), [Store.open(synthetic_store)], split="elsewhere")
