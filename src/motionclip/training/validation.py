"""A short look at unseen clips while training; the full measure is the `evaluate` application."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from PIL.Image import Image
from torch import Tensor

from motionclip.data.windows import WindowSet
from motionclip.metrics.pose import pose_errors
from motionclip.metrics.retrieval import accuracy
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.model.features import pose, to_motions
from motionclip.motion import rotations as rot
from motionclip.render import contact_sheet
from motionclip.training.batches import gather, gather_rows

_WINDOWS, _CLIPS, _CHUNK = 192, 256, 64


def _spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` indices, evenly spread over ``count``."""
    return sorted({int(index) for index in torch.linspace(0, count - 1, min(wanted, count)).round().tolist()})


@torch.no_grad()
def validate(model: MotionAutoEncoder, windows: WindowSet, embeddings: Tensor) -> dict[str, float]:
    """Reconstruction of 2-second windows, and the share of labelled clips whose sentence is nearest."""
    tiles = windows.tiles(round(2 * model.config.fps))
    chosen = tiles[_spread(len(tiles), _WINDOWS)] if len(tiles) else tiles
    errors = [_reconstruction(model, windows, rows) for rows in chosen.split(_CHUNK)]
    values = {"mpjpe_mm": torch.cat(errors).mean().item()} if errors else {}
    labelled = [i for i, segment in enumerate(windows.segments) if segment.labelled and segment.whole]
    if labelled:
        picked = [labelled[i] for i in _spread(len(labelled), _CLIPS)]
        values["sentence_top1"] = _sentence_accuracy(model, windows, embeddings, picked)
    return values


def _reconstruction(model: MotionAutoEncoder, windows: WindowSet, rows: Tensor) -> Tensor:
    batch = gather_rows(windows, rows)
    decoded = model.decode(model.encode(batch), batch.mask)
    _, places = pose(decoded.sixd, decoded.root)
    _, true_places = pose(batch.sixd, batch.root)
    turned, true_turned = rot.sixd_to_matrix(decoded.sixd), rot.sixd_to_matrix(batch.sixd)
    return pose_errors(turned, places, true_turned, true_places, batch.mask).mpjpe_mm


def _sentence_accuracy(model: MotionAutoEncoder, windows: WindowSet, embeddings: Tensor, picked: list[int]) -> float:
    latents, labels = [], []
    for part in _chunks(picked):
        draw = windows.central(part, model.config.max_frames)
        latents.append(model.encode(gather(windows, draw)))
        labels.append(draw.label)
    label = torch.cat(labels)
    sentences, truth = label.unique(return_inverse=True)
    nearness = torch.cat(latents) @ model.text_head(embeddings[sentences]).T
    return accuracy(nearness, truth.to(nearness.device))


def _chunks(items: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


@torch.no_grad()
def sample_sheet(model: MotionAutoEncoder, windows: WindowSet, count: int = 4) -> Image:
    """A picture of recorded windows, each above what the auto-encoder makes of it."""
    tiles = windows.tiles(round(2 * model.config.fps))
    batch = gather_rows(windows, tiles[_spread(len(tiles), count)])
    decoded = model.decode(model.encode(batch), batch.mask)
    recorded = to_motions(batch.sixd.cpu(), batch.root.cpu(), model.config.fps)
    made = to_motions(decoded.sixd.cpu(), decoded.root.cpu(), model.config.fps)
    pairs = [motion for pair in zip(recorded, made, strict=True) for motion in pair]
    return contact_sheet(pairs, ["recorded", "decoded"] * len(recorded))
