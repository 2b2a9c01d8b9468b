"""The `paper` preset, small, on procedural motion: texts and rendered frames, dropout, exact resume."""

from pathlib import Path

import pytest
import torch
from small import DigestEncoder, changed, rows

from motionclip.cli.main import main
from motionclip.data.store import Store
from motionclip.encoders import load_text_encoder
from motionclip.errors import ModelError
from motionclip.model.checkpoint import load_network
from motionclip.training.config import PRESETS, TrainConfig
from motionclip.training.trainer import train

#: The preset with its losses, schedule, dropout and captions, on fewer and smaller layers.
SMALL = changed(
    PRESETS["paper"].with_text_encoder("digest", 32, sees_images=True),
    model={"heads": 2, "feedforward": 32, "encoder_layers": 1, "decoder_layers": 1},
    windows={"frames_per_window": 1},
    autoencoder={"batch_size": 4, "epochs": 0, "steps": 4},
    save_every=2,
    validate_every=10,
)


class Stopped(Exception):
    pass


def stop(phase: str, step: int, steps: int, loss: float | None) -> None:
    if step == 3 and phase == "autoencoder":
        raise Stopped


def run(config: TrainConfig, store: Path, out: Path, **options: object) -> Path:
    return train(config, [Store.open(store)], out, DigestEncoder(), **options)  # type: ignore[arg-type]


def test_texts_and_images_train_and_a_killed_run_resumes_exactly(small_store: Path, tmp_path: Path) -> None:
    config = changed(SMALL, head={"steps": 5})  # its text head has nothing to learn
    run(config, small_store, tmp_path / "whole")
    with pytest.raises(Stopped):
        run(config, small_store, tmp_path / "killed", on_step=stop)
    run(config, small_store, tmp_path / "killed", resume=True)
    whole, resumed = (load_network(tmp_path / name / "model").state_dict() for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    parts = {name for row in rows(tmp_path / "whole", "autoencoder") for name in row} - {"phase", "step", "gradient"}
    assert parts == {"loss", "features", "feature_velocity", "vertices", "cosine", "image_cosine"}
    assert not rows(tmp_path / "whole", "head")


@pytest.mark.slow
def test_the_image_loss_pulls(clip_folder: Path, small_store: Path, tmp_path: Path) -> None:
    figures, encoder = {}, load_text_encoder("clip:tiny/random", clip_folder)
    small = SMALL.with_text_encoder(encoder.name, encoder.dim, sees_images=True)
    for weight in (0.01, 3.0):
        config = changed(small, losses={"image_cosine": weight}, autoencoder={"steps": 30, "lr": 3e-3})
        train(config, [Store.open(small_store)], tmp_path / str(weight), encoder)
        figures[weight] = rows(tmp_path / str(weight), "autoencoder")[-1]["image_cosine"]
    assert figures[3.0] < 0.8 * figures[0.01]


def test_a_text_encoder_without_images_is_an_error(small_store: Path, tmp_path: Path) -> None:
    config = PRESETS["paper"].with_text_encoder("minilm", 384, sees_images=True)
    with pytest.raises(ModelError, match="sees no images"):
        train(config, [Store.open(small_store)], tmp_path / "run", load_text_encoder("minilm"))
    assert not PRESETS["paper"].with_text_encoder("minilm", 384, sees_images=False).uses_images


def test_missing_clip_weights_are_one_clear_sentence(
    small_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ["--encoder-weights", str(tmp_path / "nowhere")]
    command = ["train", "--preset", "paper", "--data", str(small_store), "--out", str(tmp_path / "run"), *missing]
    assert main(command) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_epoch_is_as_many_windows_as_there_are_runs_of_100_frames(small_store: Path, tmp_path: Path) -> None:
    frames = sum(entry.num_frames for entry in Store.open(small_store).entries if entry.split == "train")
    config = changed(SMALL, losses={"image_cosine": 0.0}, autoencoder={"steps": 0, "epochs": 1, "batch_size": 16})
    run(config, small_store, tmp_path)
    assert rows(tmp_path, "autoencoder")[-1]["step"] == -(-frames // 1600)
