"""The `paper` preset, small, on procedural motion with a CLIP of random weights: words and pictures, exact resume."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from motionclip.cli.main import main
from motionclip.data.store import Store
from motionclip.encoders import load_text_encoder
from motionclip.errors import ModelError
from motionclip.model.checkpoint import load_network
from motionclip.training.config import PRESETS, TrainConfig
from motionclip.training.trainer import train

TEXT_ENCODER = "clip:tiny/random"


def small(text_dim: int) -> TrainConfig:
    """The preset with its losses, schedule, dropout and words, on fewer and smaller layers."""
    config = PRESETS["paper"].with_text_encoder(TEXT_ENCODER, text_dim, sees_pictures=True)
    model = dataclasses.replace(config.model, heads=2, feedforward=32, encoder_layers=1, decoder_layers=2)
    sizes = {"batch_size": 4, "save_every": 3, "validate_every": 6, "frames_per_window": 1}
    return dataclasses.replace(config, model=model, epochs=0, steps=7, **sizes)


class Stopped(Exception):
    pass


def stop(phase: str, step: int, steps: int, loss: float) -> None:
    if step == 5:
        raise Stopped


def test_words_and_pictures_train_and_a_killed_run_resumes_exactly(
    clip_folder: Path, small_store: Path, tmp_path: Path
) -> None:
    text_encoder, stores = load_text_encoder(TEXT_ENCODER, clip_folder), [Store.open(small_store)]
    config = small(text_encoder.dim)
    train(config, stores, tmp_path / "whole", text_encoder)
    with pytest.raises(Stopped):
        train(config, stores, tmp_path / "killed", text_encoder, on_step=stop)
    train(config, stores, tmp_path / "killed", text_encoder, resume=True)
    whole, resumed = (load_network(tmp_path / name / "model").state_dict() for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    rows = [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
    parts = {name for row in rows if row["phase"] == "autoencoder" for name in row} - {"phase", "step", "gradient"}
    assert parts == {"loss", "features", "feature_velocity", "vertices", "cosine", "image_cosine"}


def test_its_text_head_has_nothing_to_learn(clip_folder: Path, small_store: Path, tmp_path: Path) -> None:
    text_encoder, stores = load_text_encoder(TEXT_ENCODER, clip_folder), [Store.open(small_store)]
    train(dataclasses.replace(small(text_encoder.dim), steps=1, head_steps=5), stores, tmp_path, text_encoder)
    assert '"head"' not in (tmp_path / "metrics.jsonl").read_text()


def test_the_pull_of_pictures_is_felt(clip_folder: Path, small_store: Path, tmp_path: Path) -> None:
    text_encoder, stores = load_text_encoder(TEXT_ENCODER, clip_folder), [Store.open(small_store)]
    config = dataclasses.replace(small(text_encoder.dim), steps=30, lr=3e-3)
    figures = {}
    for weight in (0.01, 3.0):
        losses = dataclasses.replace(config.losses, image_cosine=weight)
        train(dataclasses.replace(config, losses=losses), stores, tmp_path / str(weight), text_encoder)
        last = [json.loads(line) for line in (tmp_path / str(weight) / "metrics.jsonl").read_text().splitlines()][-2:]
        figures[weight] = next(row["image_cosine"] for row in last if "image_cosine" in row)
    assert figures[3.0] < 0.8 * figures[0.01]


def test_a_tower_without_pictures_is_told_apart(small_store: Path, tmp_path: Path) -> None:
    text_encoder, stores = load_text_encoder("minilm"), [Store.open(small_store)]
    config = PRESETS["paper"].with_text_encoder("minilm", 384, sees_pictures=True)
    with pytest.raises(ModelError, match="sees no pictures"):
        train(config, stores, tmp_path / "run", text_encoder)
    assert not PRESETS["paper"].with_text_encoder("minilm", 384, sees_pictures=False).uses_pictures


def test_missing_clip_weights_are_one_clear_sentence(
    small_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = ["--encoder-weights", str(tmp_path / "nowhere")]
    command = ["train", "--preset", "paper", "--data", str(small_store), "--out", str(tmp_path / "run"), *weights]
    assert main(command) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_epoch_is_as_many_windows_as_there_are_runs_of_100_frames(small_store: Path, tmp_path: Path) -> None:
    store = Store.open(small_store)
    frames = sum(entry.num_frames for entry in store.entries if entry.split == "train")
    config = dataclasses.replace(PRESETS["tiny"], steps=1, epochs=1, batch_size=64, prior_steps=0)
    train(config, [store], tmp_path / "run", load_text_encoder("minilm"))
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())
    assert recorded["steps"] == -(-frames // 6400)
