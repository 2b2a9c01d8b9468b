"""Training data: the windows of a split with embedded texts and rendered frames, and batches of them as tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from motionclip.data.store import FPS, Store
from motionclip.data.windows import WindowBatch, WindowSet
from motionclip.data.words import Words, shipped_phrases, shipped_reversals
from motionclip.encoders import CachedEncoder, ImageEncoder, TextEncoder
from motionclip.errors import DataError
from motionclip.losses.alignment import ImageTargets, TextTargets
from motionclip.model.features import Batch, canonicalize, mirror_windows
from motionclip.model.prior import FlowNoise
from motionclip.training.config import TrainConfig, WindowConfig
from motionclip.training.frames import FrameEmbeddings
from motionclip.training.learner import StepCallback

Rows = TypeVar("Rows", WindowBatch, ImageTargets, TextTargets, FlowNoise)


@dataclass(frozen=True)
class TrainingSet:
    """The windows of a split, the embeddings (S, E) of all its sentences, and of its rendered frames if used."""

    windows: WindowSet
    embeddings: Tensor
    frames: FrameEmbeddings | None = None


def load_sets(
    config: TrainConfig, stores: Sequence[Store], text_encoder: TextEncoder, device: str, on_step: StepCallback
) -> tuple[TrainingSet, TrainingSet | None]:
    """Returns the windows to train on and those to validate with, if the stores have any; embeds what is not cached.

    Raises:
        DataError: if the stores have no training clips, or no texts, or their rendered frames are damaged.
    """

    def split(name: str, joined: int = 0) -> TrainingSet:
        least, shares = round(config.windows.min_seconds * FPS), dict(config.windows.dataset_weights)
        words = _words(config.windows) if name == "train" else Words()
        windows = WindowSet(stores, name, shares, least, joined, words=words)
        return TrainingSet(windows.to(device), CachedEncoder(text_encoder).encode_texts(windows.texts).to(device))

    train = split("train", round(config.windows.seconds[0] * FPS) if config.windows.captions == "joined" else 0)
    if not train.windows.texts:
        raise DataError("no training clip has words; add a captions.csv (docs/data.md)")
    if config.uses_images and isinstance(text_encoder, ImageEncoder):
        frames = FrameEmbeddings.load(
            stores,
            train.windows,
            text_encoder,
            config.windows.mirror,
            config.windows.frames_per_window,
            lambda done, total: on_step("frames", done, total, None),
        )
        train = dataclasses.replace(train, frames=frames.to(device))
    has_val = any(entry.split == "val" for store in stores for entry in store.entries)
    return train, split("val") if has_val else None


def _words(config: WindowConfig) -> Words:
    return Words(
        phrases=shipped_phrases() if config.references else {},
        reversals=shipped_reversals() if config.reversals else {},
        measured=config.measured,
        balance=config.balance,
    )


def rows_of(value: Rows, rows: slice | Tensor) -> Rows:
    """Returns some rows of all tensors of a value."""
    return type(value)(*(getattr(value, item.name)[rows] for item in dataclasses.fields(value)))


def gather(windows: WindowSet, draw: WindowBatch) -> Batch:
    """Returns the windows of a draw, mirrored where it says so, each in its own frame of reference."""
    sixd, root = windows.sixd[draw.rows], windows.root[draw.rows]
    mirrored_sixd, mirrored_root = mirror_windows(sixd, root)
    flip = draw.mirrored.to(sixd.device)[:, None, None]
    sixd = torch.where(flip[..., None], mirrored_sixd, sixd)
    sixd, root = canonicalize(sixd, torch.where(flip, mirrored_root, root))
    return Batch(sixd, root, draw.mask.to(root.device))


def gather_rows(windows: WindowSet, rows: Tensor) -> Batch:
    """Returns whole windows of rows (B, T), each in its own frame of reference."""
    sixd, root = canonicalize(windows.sixd[rows], windows.root[rows])
    return Batch(sixd, root, torch.ones(rows.shape, dtype=torch.bool, device=root.device))


def text_targets(draw: WindowBatch, embeddings: Tensor) -> TextTargets:
    """Returns the texts of a draw, from the embeddings (S, E) of all sentences."""
    device = embeddings.device
    text, label = draw.text.to(device), draw.label.to(device)
    return TextTargets(embeddings[text.clamp(min=0)], label, (text >= 0).float())
