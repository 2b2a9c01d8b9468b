"""The evaluator: what it must not depend on, what it learns, and its files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from motionclip.cli.main import main
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.errors import ModelError
from motionclip.metrics.evaluator import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    EvaluatorConfig,
    EvaluatorNetwork,
    joint_channels,
    load_evaluator,
    save_evaluator,
)
from motionclip.model.features import Batch, from_motion
from motionclip.motion import mirror, turn
from motionclip.training.batches import gather
from motionclip.training.evaluator import EvaluatorSettings, train_evaluator

CONFIG = EvaluatorConfig("synthetic", ("walk", "run"), ("slow", "normal", "fast"), width=16, embedding=8)


@pytest.fixture(scope="module")
def network() -> EvaluatorNetwork:
    torch.manual_seed(0)
    return EvaluatorNetwork(CONFIG).eval()


def batch_of(store: Path, clip: int, frames: int) -> Batch:
    return from_motion(Store.open(store).motion(clip).frames(0, frames), 30.0)


def test_padding_changes_nothing(network: EvaluatorNetwork, small_store: Path) -> None:
    short, long = batch_of(small_store, 0, 41), batch_of(small_store, 1, 70)
    together = Batch.padded([short, long])
    for one, both in zip(network.classifier(short), network.classifier(together), strict=True):  # type: ignore[misc]
        torch.testing.assert_close(both[:1], one, atol=1e-5, rtol=1e-4)
    embedded = network.pair.embed_motion(together)
    torch.testing.assert_close(embedded[:1], network.pair.embed_motion(short), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(embedded.norm(dim=-1), torch.ones(2))


def test_channels_do_not_depend_on_place_and_heading(small_store: Path) -> None:
    motion = Store.open(small_store).motion(2).frames(0, 50)
    elsewhere = turn(replace(motion, root=motion.root + torch.tensor([3.0, 0.0, -2.0])), torch.tensor(2.5))

    def channels(each: object) -> torch.Tensor:
        rotations, root = each.rotations, each.root  # type: ignore[attr-defined]
        sixd = rotations[..., :, :2].transpose(-1, -2).flatten(-2)
        return joint_channels(Batch(sixd[None], root[None], torch.ones(1, 50, dtype=torch.bool)), 30.0)

    torch.testing.assert_close(channels(elsewhere), channels(motion), atol=2e-3, rtol=1e-3)
    assert (channels(mirror(motion)) - channels(motion)).abs().max() > 0.05


@pytest.mark.parametrize("name", ["contents", "styles"])
def test_no_classifier_where_nothing_is_named(name: str) -> None:
    assert EvaluatorNetwork(replace(CONFIG, **{name: ()})).classifier is None


@pytest.mark.slow
def test_it_learns_contents_and_words(synthetic_store: Path) -> None:
    from motionclip.encoders import load_text_encoder

    store, text_encoder = Store.open(synthetic_store), load_text_encoder("minilm")
    seen: list[tuple[str, int, int]] = []
    settings = EvaluatorSettings(classifier_steps=80, pair_steps=60, batch_size=32)
    network = train_evaluator([store], text_encoder, settings, lambda *step: seen.append(step[:3]))
    assert seen[79] == ("classifier", 80, 80) and seen[-1] == ("text-motion pair", 60, 60)
    windows = WindowSet([store], "test", {}, 21)
    batch = gather(windows, windows.central(range(len(windows.segments)), 180))
    with torch.inference_mode():
        assert network.classifier is not None
        content = network.classifier(batch)[0].argmax(dim=1).tolist()
        own = [network.config.contents.index(str(segment.category)) for segment in windows.segments]
        assert sum(a == b for a, b in zip(content, own, strict=True)) > 0.6 * len(own)
        texts = [segment.texts[0] for segment in windows.segments]
        near = network.pair.embed_motion(batch) @ network.pair.embed_text(text_encoder.encode_texts(texts)).T
    assert near.diag().mean() > near.mean() + 0.2


def test_files_hold_all_and_damage_is_told(network: EvaluatorNetwork, small_store: Path, tmp_path: Path) -> None:
    save_evaluator(network, tmp_path)
    again = load_evaluator(tmp_path)
    assert again.config == CONFIG
    batch = batch_of(small_store, 0, 40)
    torch.testing.assert_close(again.embed_motion(batch), network.pair.embed_motion(batch), atol=5e-3, rtol=0)
    values = json.loads((tmp_path / CONFIG_FILE).read_text())
    (tmp_path / CONFIG_FILE).write_text(json.dumps(values | {"width": 24}))
    with pytest.raises(ModelError, match="does not fit"):
        load_evaluator(tmp_path)
    (tmp_path / CONFIG_FILE).write_text("{}")
    with pytest.raises(ModelError, match="damaged"):
        load_evaluator(tmp_path)
    (tmp_path / CONFIG_FILE).write_text(json.dumps(values))
    (tmp_path / WEIGHTS_FILE).unlink()
    with pytest.raises(ModelError, match="missing"):
        load_evaluator(tmp_path)


def test_a_missing_evaluator_is_told_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train-evaluator"):
        load_evaluator(tmp_path / "nowhere")


@pytest.mark.slow
def test_command_trains_one_that_evaluate_reads(
    synthetic_store: Path, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = ["--data", str(synthetic_store)]
    assert main(["train-evaluator", *data, "--out", "judge", "--classifier-steps", "2", "--pair-steps", "2"]) == 0
    files = ["--json", "f.json", "--table", "f.md", "--plot", "f.png"]
    assert main(["evaluate", *data, "--model", str(tiny_run), "--evaluator", "judge", *files]) == 0
    figures = json.loads(Path("f.json").read_text())
    assert figures["evaluator"] == "judge" and figures["datasets"][0]["editing"]
    table = Path("f.md").read_text()
    assert all(word in table for word in ("PA-MPJPE", "R@10", "R-precision", "FID", "jitter", "new style", "chance"))
    assert Path("f.png").read_bytes()[:4] == b"\x89PNG"
