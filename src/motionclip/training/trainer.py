"""Training: the text head on paraphrases, the auto-encoder with it, the head once more, then the latent prior."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from motionclip.data.paraphrases import Group, apart_from, read_paraphrases
from motionclip.data.store import FPS, Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import CachedEncoder, ImageEncoder, TextEncoder
from motionclip.errors import DataError, ModelError
from motionclip.model.checkpoint import Network, save_network
from motionclip.training.config import TrainConfig
from motionclip.training.distributed import DistributedContext
from motionclip.training.frames import PictureTable
from motionclip.training.learner import ProgressCallback, TrainingSet
from motionclip.training.phases import AutoencoderPhase, HeadPhase, ParaphrasePhase, PriorPhase, encode_pool
from motionclip.training.run import Run

# A short look at unseen clips while training; the full measure is the `evaluate` application.


_WINDOWS, _CLIPS, _CHUNK = 192, 256, 64


#: Frames that count as one training window of an epoch, as in the paper's code.
_RUN_FRAMES = 100


def train(
    config: TrainConfig,
    stores: Sequence[Store],
    out: Path,
    text_encoder: TextEncoder,
    *,
    resume: bool = False,
    paraphrases: Path | None = None,
    device: str = "cpu",
    on_step: ProgressCallback = lambda phase, step, steps, loss: None,
) -> Path:
    """Train a model; returns the folder of the finished model, ``out/model``.

    A run that was stopped and resumes gives the same losses as one that was not: all that is
    random depends on the seed and the step. Stores without clips of the ``val`` split are trained
    on without validation.

    ``paraphrases`` are sentences about motions (:func:`read_paraphrases`), from which the text head learns first; what
    describes clips of ``val`` and ``test`` is left out of them.

    In a process that torchrun started, the job's processes train one model together; ``cuda`` is then
    the process's own GPU, and ``out`` a folder that all of them see, written by the first.

    Raises:
        DataError: if the stores have no training clips, or no words, or the paraphrases cannot be read.
        ModelError: if ``out`` holds another run, its state is damaged, the text encoder is not the
            configuration's, it learns nothing from paraphrases and they are given, or there is no such device.
        ProcessError: if another process of the job is gone.
    """
    ranks = DistributedContext.from_environment()
    _check(config, text_encoder, device)
    device = ranks.device(device)
    with ranks.joined(device) as ranks:
        with ranks.in_turn():
            sets = _load_sets(config, stores, text_encoder, device, on_step)
        config = _with_steps(config, sets["train"].windows, ranks)
        groups = [] if paraphrases is None else _paraphrases(config, paraphrases, stores)
        with Run(out, config, stores, ranks, paraphrases=groups, resume=resume) as run:
            torch.manual_seed(config.seed)
            network = Network(config.model).to(device)
            ParaphrasePhase(config, run, groups, CachedEncoder(text_encoder), on_step).fit(network)
            AutoencoderPhase(config, run, sets["train"], sets.get("val"), on_step).fit(network.autoencoder)
            pool = functools.cache(lambda: encode_pool(network.autoencoder, sets["train"], config, ranks))
            HeadPhase(config, run, pool, on_step).fit(network)
            PriorPhase(config, run, pool, on_step).fit(network)
            if ranks.first:
                save_network(network, out / "model")
    return out / "model"


def _check(config: TrainConfig, text_encoder: TextEncoder, device: str) -> None:
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("no CUDA device was found; train with --device cpu")
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")  # as torch looks for it
    if config.compile and shutil.which(compiler) is None:
        raise ModelError(f"torch.compile needs a C++ compiler and {compiler} is not here; install one, or do without")
    if config.uses_pictures and not isinstance(text_encoder, ImageEncoder):
        raise ModelError(
            f"the text encoder {text_encoder.name!r} sees no pictures; take a CLIP text encoder, or an image_cosine of 0"
        )
    if (text_encoder.name, text_encoder.dim) != (config.model.text_encoder, config.model.text_dim):
        raise ModelError(
            f"the text encoder {text_encoder.name!r} makes {text_encoder.dim} numbers; the configuration expects "
            f"{config.model.text_encoder!r} and {config.model.text_dim}"
        )
    if config.model.fps != FPS:
        raise ModelError(f"a model at {config.model.fps:g} fps; prepared stores are at {FPS:g}")


def _paraphrases(config: TrainConfig, path: Path, stores: Sequence[Store]) -> list[Group]:
    """Groups of sentences, without those that describe a clip that is not trained on."""
    if not config.paraphrase_steps:
        raise ModelError("this configuration takes no steps on paraphrases; train without them, or by the preset base")
    held_out = [entry for store in stores for entry in store.entries if entry.split != "train"]
    groups = apart_from(read_paraphrases(path), (said.text for entry in held_out for said in entry.captions))
    if not groups:
        raise DataError(f"all sentences of {path} describe clips of val or test; expected others to learn from")
    return groups


def _with_steps(config: TrainConfig, windows: WindowSet, ranks: DistributedContext) -> TrainConfig:
    """The configuration with its epochs counted in steps of all processes."""
    if not config.epochs:
        return config
    runs = len(windows.root) / _RUN_FRAMES
    steps = math.ceil(config.epochs * runs / (config.batch_size * ranks.size))
    return dataclasses.replace(config, epochs=0, steps=steps)


def _load_sets(
    config: TrainConfig, stores: Sequence[Store], text_encoder: TextEncoder, device: str, on_step: ProgressCallback
) -> dict[str, TrainingSet]:
    present = {entry.split for store in stores for entry in store.entries} & {"val"}
    sets = {"train": _train_set(config, stores, text_encoder, device, on_step)}
    return sets | {split: _set(config, stores, split, text_encoder, device) for split in present}


def _train_set(
    config: TrainConfig, stores: Sequence[Store], text_encoder: TextEncoder, device: str, on_step: ProgressCallback
) -> TrainingSet:
    frames = round(config.window_seconds[0] * FPS) if config.words == "joined" else 0
    data = _set(config, stores, "train", text_encoder, device, joined=frames)
    if not data.windows.texts:
        raise DataError("no training clip has words; add a captions.csv (docs/data.md)")
    if not (config.uses_pictures and isinstance(text_encoder, ImageEncoder)):
        return data

    def progress(done: int, total: int) -> None:
        on_step("pictures", done, total, None)

    pictures = PictureTable.load(stores, data.windows, text_encoder, config.mirror, config.frames_per_window, progress)
    return dataclasses.replace(data, pictures=pictures.to(device))


def _set(
    config: TrainConfig, stores: Sequence[Store], split: str, text_encoder: TextEncoder, device: str, joined: int = 0
) -> TrainingSet:
    windows = WindowSet(stores, split, config.dataset_weights, round(config.min_seconds * FPS), joined)
    return TrainingSet(windows.to(device), CachedEncoder(text_encoder).encode_texts(windows.texts).to(device))
