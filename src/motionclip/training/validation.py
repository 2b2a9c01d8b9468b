"""A short measure on unseen clips while training; the full one is `motionclip evaluate`."""

from __future__ import annotations

import torch
from PIL.Image import Image

from motionclip.data.windows import WindowSet
from motionclip.metrics.reconstruction import reconstruction_mpjpe
from motionclip.metrics.retrieval import accuracy, cosines
from motionclip.model.autoencoder import MotionAutoencoder
from motionclip.model.features import to_motions
from motionclip.motion import rotations as rot
from motionclip.render import contact_sheet
from motionclip.training.batches import TrainingSet, gather, gather_rows

#: Most windows and clips that are measured, and how many are encoded at once.
_WINDOWS, _CLIPS, _CHUNK = 192, 256, 64
_SECONDS = 2.0


def _spread(count: int, wanted: int) -> list[int]:
    """Returns at most ``wanted`` indices, evenly spread over ``count``."""
    return sorted({int(index) for index in torch.linspace(0, count - 1, min(wanted, count)).round().tolist()})


@torch.no_grad()
def validate(model: MotionAutoencoder, unseen: TrainingSet) -> dict[str, float]:
    """Returns the error of reconstructed 2-second windows, and the share of clips whose own sentence is nearest."""
    values, windows = {}, unseen.windows
    tiles = windows.tiles(round(_SECONDS * model.config.fps))
    if len(tiles):
        parts = tiles[_spread(len(tiles), _WINDOWS)].split(_CHUNK)
        batches = [gather_rows(windows, rows) for rows in parts]
        errors = [reconstruction_mpjpe(model.decode(model.encode(each), each.mask), each) for each in batches]
        values["mpjpe_mm"] = torch.cat(errors).mean().item()
    labelled = [i for i, segment in enumerate(windows.segments) if segment.labelled and segment.whole and segment.texts]
    if labelled:
        values["sentence_top1"] = _sentence_accuracy(
            model, unseen, [labelled[i] for i in _spread(len(labelled), _CLIPS)]
        )
    return values


def _sentence_accuracy(model: MotionAutoencoder, unseen: TrainingSet, picked: list[int]) -> float:
    latents, labels = [], []
    for start in range(0, len(picked), _CHUNK):
        draw = unseen.windows.central(picked[start : start + _CHUNK], model.config.max_frames)
        latents.append(model.encode(gather(unseen.windows, draw)))
        labels.append(draw.label)
    sentences, truth = torch.cat(labels).unique(return_inverse=True)
    nearness = cosines(torch.cat(latents), model.text_head(unseen.embeddings[sentences]))
    return accuracy(nearness, truth.to(nearness.device))


@torch.no_grad()
def sample_sheet(model: MotionAutoencoder, windows: WindowSet, count: int = 4) -> Image | None:
    """Returns a sheet of recorded windows, each beside the decoded one; None if all clips are too short."""
    tiles = windows.tiles(round(_SECONDS * model.config.fps))
    if not len(tiles):
        return None
    batch = gather_rows(windows, tiles[_spread(len(tiles), count)])
    decoded = model.decode(model.encode(batch), batch.mask)
    recorded = to_motions(rot.sixd_to_matrix(batch.sixd).cpu(), batch.root.cpu(), model.config.fps)
    made = to_motions(rot.sixd_to_matrix(decoded.sixd).cpu(), decoded.root.cpu(), model.config.fps)
    pairs = [motion for pair in zip(recorded, made, strict=True) for motion in pair]
    return contact_sheet(pairs, ["recorded", "decoded"] * len(recorded))
