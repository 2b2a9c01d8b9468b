"""Training a model: paraphrases, the auto-encoder, the text head, the latent prior, then the matcher."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import torch

from motionclip.data.paraphrases import Group, apart_from, read_paraphrases
from motionclip.data.store import FPS, Store
from motionclip.data.windows import WindowSet
from motionclip.data.words import unrelated_texts
from motionclip.encoders import CachedEncoder, ImageEncoder, TextEncoder
from motionclip.errors import DataError, ModelError, TextError
from motionclip.model.checkpoint import Network, find_model, load_network, save_network
from motionclip.model.known_words import KnownWords
from motionclip.training.batches import TrainingSet, load_sets
from motionclip.training.config import TrainConfig
from motionclip.training.distributed import DistributedContext
from motionclip.training.learner import StepCallback, derived_seed
from motionclip.training.phases import (
    codes_of_windows,
    encode_windows,
    take_components,
    train_autoencoder,
    train_head,
    train_matcher,
    train_on_paraphrases,
    train_prior,
)
from motionclip.training.run import RunFolder

#: Frames that count as one training window of an epoch, as in the paper's code.
_EPOCH_FRAMES = 100


def train(
    config: TrainConfig,
    stores: Sequence[Store],
    out: Path,
    text_encoder: TextEncoder,
    *,
    resume: bool = False,
    paraphrases: Path | None = None,
    device: str = "cpu",
    on_step: StepCallback = lambda phase, step, steps, loss: None,
) -> Path:
    """Train a model; returns the folder of the finished model, ``out/model``.

    A run that was stopped and resumes gives the same losses as one that was not: all that is random depends on the
    seed, the phase and the step. torch's own generator is left as it was. Stores without clips of the ``val`` split
    are trained on without validation.

    ``paraphrases`` are sentences about motions (:func:`read_paraphrases`), from which the text head learns first; those
    that describe clips of ``val`` and ``test`` are left out.

    In a process that torchrun started, the job's processes train one model together; ``cuda`` is then the process's own
    GPU, and ``out`` a folder that all of them see, written by the first.

    Raises:
        DataError: if the stores have no training clips, or no texts, or the paraphrases cannot be read.
        ModelError: if ``out`` holds another run, its state is damaged, the text encoder is not the configuration's, it
            has no phase for the given paraphrases, or there is no such device.
        ProcessError: if another process of the job is gone.
    """
    distributed = DistributedContext.from_environment()
    _check(config, text_encoder, device)
    device = distributed.device(device)
    with distributed.joined(device) as distributed, _forked_generators(device):
        with distributed.in_turn():
            data, unseen = load_sets(config, stores, text_encoder, device, on_step)
        config = _with_steps(config, data.windows, distributed)
        groups = [] if paraphrases is None else _paraphrases(config, paraphrases, stores)
        with RunFolder(out, config, stores, distributed, paraphrases=groups, resume=resume) as run:
            torch.manual_seed(derived_seed(config.seed, "weights"))
            network = _network(config).to(device)
            train_on_paraphrases(network, run, groups, CachedEncoder(text_encoder), on_step)
            take_components(network, config, data.windows)
            train_autoencoder(network.autoencoder, run, data, unseen, on_step)
            network.autoencoder.eval()
            encoded = functools.cache(lambda: encode_windows(network.autoencoder.encode, data, config, distributed))
            train_head(network, run, encoded, on_step)
            train_prior(network, run, encoded, on_step)
            figures = functools.partial(codes_of_windows, fps=config.model.fps)
            matcher = train_matcher(network, run, lambda: encode_windows(figures, data, config, distributed), on_step)
            if distributed.first:
                save_network(network, out / "model")
                if matcher is not None:
                    matcher.save(out / "model")
                _known_words(data, CachedEncoder(text_encoder)).save(out / "model")
    return out / "model"


def _known_words(data: TrainingSet, text_encoder: TextEncoder) -> KnownWords:
    """What the model learned from, with texts that are about no movement as far as the text encoder reads them."""
    unrelated = []
    for text in unrelated_texts():
        with suppress(TextError):  # a language of which it knows no word
            unrelated.append(text_encoder.encode_texts([text]))
    return KnownWords.of(data.windows.texts, data.embeddings.cpu(), torch.cat(unrelated).cpu())


def _network(config: TrainConfig) -> Network:
    """A new network, with the weights of the model that the configuration starts from, as far as it has them.

    What the older model lacks, such as the hidden layer of the text head, starts as in any new network.
    """
    network = Network(config.model)
    if config.start is None:
        return network
    found = load_network(find_model(config.start)).state_dict()
    expected = network.state_dict()
    wrong = sorted(name for name, value in found.items() if name not in expected or expected[name].shape != value.shape)
    if wrong:
        raise ModelError(
            f"the model {config.start} does not fit this configuration; left over or of another shape: "
            f"{', '.join(wrong[:5])}; start from a model of the same sizes"
        )
    network.load_state_dict(expected | found)
    return network


def _forked_generators(device: str) -> AbstractContextManager[None]:
    """Leaves torch's generators, of which weights and dropout are drawn, as they were before the block."""
    return torch.random.fork_rng([torch.cuda.current_device()] if device.startswith("cuda") else [])


def _check(config: TrainConfig, text_encoder: TextEncoder, device: str) -> None:
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("no CUDA device was found; train with --device cpu")
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")  # as torch looks for it
    if config.compile and shutil.which(compiler) is None:
        raise ModelError(f"torch.compile needs a C++ compiler and {compiler} is not here; install one, or do without")
    if config.uses_images and not isinstance(text_encoder, ImageEncoder):
        raise ModelError(
            f"the text encoder {text_encoder.name!r} sees no images; take a CLIP text encoder, or losses.image_cosine 0"
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
    if not config.paraphrase.steps:
        raise ModelError("this configuration takes no steps on paraphrases; train without them, or by the preset base")
    held_out = [entry for store in stores for entry in store.entries if entry.split != "train"]
    groups = apart_from(read_paraphrases(path), (caption.text for entry in held_out for caption in entry.captions))
    if not groups:
        raise DataError(f"all sentences of {path} describe clips of val or test; expected others to learn from")
    return groups


def _with_steps(config: TrainConfig, windows: WindowSet, distributed: DistributedContext) -> TrainConfig:
    """The configuration with its epochs counted in steps of all processes."""
    phase = config.autoencoder
    if not phase.epochs:
        return config
    count, _ = distributed.shares(phase.batch_size)
    steps = math.ceil(phase.epochs * len(windows.root) / _EPOCH_FRAMES / count)
    return dataclasses.replace(config, autoencoder=dataclasses.replace(phase, epochs=0, steps=steps))
