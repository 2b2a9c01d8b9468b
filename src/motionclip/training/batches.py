"""Draws of a window set as tensors for the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

from motionclip.data.windows import Draw, WindowSet
from motionclip.losses.objective import ImageTargets, TextTargets
from motionclip.model.features import Batch, canonicalize, mirror_windows
from motionclip.model.prior import FlowNoise

Rows = TypeVar("Rows", Draw, ImageTargets, TextTargets, FlowNoise)


def rows_of(value: Rows, rows: slice | Tensor) -> Rows:
    """Some rows of all tensors of a value."""
    return type(value)(*(getattr(value, item.name)[rows] for item in dataclasses.fields(value)))


def gather(windows: WindowSet, draw: Draw) -> Batch:
    """The windows of a draw, mirrored where it says so, each in its own frame of reference."""
    sixd, root = windows.sixd[draw.rows], windows.root[draw.rows]
    mirrored_sixd, mirrored_root = mirror_windows(sixd, root)
    flip = draw.mirrored.to(sixd.device)[:, None, None]
    sixd = torch.where(flip[..., None], mirrored_sixd, sixd)
    sixd, root = canonicalize(sixd, torch.where(flip, mirrored_root, root))
    return Batch(sixd, root, draw.mask.to(root.device))


def gather_rows(windows: WindowSet, rows: Tensor) -> Batch:
    """Whole windows of rows (B, T), each in its own frame of reference."""
    sixd, root = canonicalize(windows.sixd[rows], windows.root[rows])
    return Batch(sixd, root, torch.ones(rows.shape, dtype=torch.bool, device=root.device))


def text_targets(draw: Draw, embeddings: Tensor) -> TextTargets:
    """Words of a draw from the table of all sentences' embeddings (S, E)."""
    device = embeddings.device
    text, label = draw.text.to(device), draw.label.to(device)
    return TextTargets(embeddings[text.clamp(min=0)], label, (text >= 0).float())


def padded_together(batches: Sequence[Batch]) -> Batch:
    """Batches of windows of different lengths as one batch, padded to the longest."""
    frames = max(batch.mask.shape[1] for batch in batches)

    def joined(parts: Sequence[Tensor]) -> Tensor:
        missing = [part.new_zeros(len(part), frames - part.shape[1], *part.shape[2:]) for part in parts]
        return torch.cat([torch.cat(pair, dim=1) for pair in zip(parts, missing, strict=True)])

    return Batch(
        joined([b.sixd for b in batches]), joined([b.root for b in batches]), joined([b.mask for b in batches])
    )
