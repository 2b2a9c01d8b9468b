"""Training: the auto-encoder with its text head, then the latent prior."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from motionclip.data.store import FPS, Store
from motionclip.data.windows import WindowSet
from motionclip.errors import DataError, ModelError
from motionclip.model.checkpoint import Network, save_network
from motionclip.towers import CachedTower, TextTower
from motionclip.training.autoencoder_phase import AutoEncoderPhase
from motionclip.training.phase import OnStep, TrainingSet
from motionclip.training.presets import TrainConfig
from motionclip.training.prior_phase import PriorPhase
from motionclip.training.run import Run


def train(
    config: TrainConfig,
    stores: Sequence[Store],
    out: Path,
    tower: TextTower,
    *,
    resume: bool = False,
    device: str = "cpu",
    on_step: OnStep = lambda phase, step, steps, loss: None,
) -> Path:
    """Train a model; returns the folder of the finished model, ``out/model``.

    A run that was stopped and resumes gives the same losses as one that was not: all that is
    random depends on the seed and the step. Stores without clips of the ``val`` split are trained
    on without validation.

    Raises:
        DataError: if the stores have no training clips, or no words.
        ModelError: if ``out`` holds another run, its state is damaged, the tower is not the
            configuration's, or there is no such device.
    """
    _check(config, tower, device)
    sets = _load_sets(config, stores, tower, device)
    with Run(out, config, stores, resume=resume) as run:
        torch.manual_seed(config.seed)
        network = Network(config.model).to(device)
        AutoEncoderPhase(config, run, sets["train"], sets.get("val"), on_step).fit(network.autoencoder)
        PriorPhase(config, run, sets["train"], on_step).fit(network)
        save_network(network, out / "model")
    return out / "model"


def _check(config: TrainConfig, tower: TextTower, device: str) -> None:
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("no CUDA device was found; train with --device cpu")
    if (tower.name, tower.dim) != (config.model.tower, config.model.tower_dim):
        raise ModelError(
            f"the tower {tower.name!r} makes {tower.dim} numbers; the configuration expects "
            f"{config.model.tower!r} and {config.model.tower_dim}"
        )
    if config.model.fps != FPS:
        raise ModelError(f"a model at {config.model.fps:g} fps; prepared stores are at {FPS:g}")


def _load_sets(config: TrainConfig, stores: Sequence[Store], tower: TextTower, device: str) -> dict[str, TrainingSet]:
    cached, sets = CachedTower(tower), {}
    present = {entry.split for store in stores for entry in store.entries} & {"train", "val"}
    for split in sorted(present | {"train"}):
        windows = WindowSet(stores, split, config.dataset_weights, round(config.min_seconds * FPS))
        sets[split] = TrainingSet(windows.to(device), cached.encode_texts(windows.texts).to(device))
    if not sets["train"].windows.texts:
        raise DataError("no training clip has words; add a captions.csv (docs/data.md)")
    return sets
