"""Errors of reconstruction, of the model and of PCA with as many numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from motionclip.applications.evaluate.clips import CHUNK
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.errors import DataError
from motionclip.metrics.reconstruction import PCABaseline, PoseErrors, posed, reconstruction_errors
from motionclip.model.features import Batch
from motionclip.model.pipeline import MotionCLIP
from motionclip.training.batches import gather_rows

WINDOW_SECONDS = 2.0

#: Training windows that PCA is fitted to, at most.
_PCA_WINDOWS = 12_000


@dataclass(frozen=True)
class Reconstruction:
    """Means over windows of :class:`motionclip.metrics.reconstruction.PoseErrors`, whose names and units they have.

    Attributes:
        windows: how many 2-second windows.
        mpjpe_mm: see there, as all that follow.
        pa_mpjpe_mm: see there.
        orientation_deg: see there.
        velocity_cm_s: see there.
        acceleration_m_s2: see there.
        vertex_mm: see there.
        root_path_cm: see there.
        pca_mpjpe_mm: that of PCA with as many numbers as the latent; None without a training split to fit it to.
    """

    windows: int
    mpjpe_mm: float
    pa_mpjpe_mm: float
    orientation_deg: float
    velocity_cm_s: float
    acceleration_m_s2: float
    vertex_mm: float
    root_path_cm: float
    pca_mpjpe_mm: float | None


def fit_linear(model: MotionCLIP, stores: Sequence[Store]) -> PCABaseline | None:
    """Returns the PCA of root-aligned joint positions of training windows; None where the stores have none."""
    try:
        train = WindowSet(stores, "train", {}, _window(model))
    except DataError:
        return None
    rows = train.tiles(_window(model))
    rows = rows[:: -(-len(rows) // _PCA_WINDOWS)]
    batch = gather_rows(train, rows)
    return PCABaseline(posed(batch.sixd, batch.root).aligned.flatten(1), model.config.latent_dim)


@torch.inference_mode()
def measure_reconstruction(
    model: MotionCLIP, windows: WindowSet, dataset: str, linear: PCABaseline | None
) -> Reconstruction | None:
    """Returns the errors of the windows that tile a data set's clips; None if all clips are shorter than a window."""
    tiles = windows.tiles(_window(model), dataset)
    if not len(tiles):
        return None
    batches = [gather_rows(windows, rows).to(model.device) for rows in tiles.split(CHUNK)]
    decoded = [model.decode_batch(model.encode_batch(batch), batch.mask) for batch in batches]
    errors = PoseErrors.joined(
        [reconstruction_errors(*pair, model.config.fps) for pair in zip(decoded, batches, strict=True)]
    )
    means = {field.name: getattr(errors, field.name).mean().item() for field in fields(PoseErrors)}
    pca = (
        None
        if linear is None
        else torch.cat([_linear_mpjpe(linear, batch.to(torch.device("cpu"))) for batch in batches]).mean().item()
    )
    return Reconstruction(windows=len(tiles), pca_mpjpe_mm=pca, **means)


def _window(model: MotionCLIP) -> int:
    return round(WINDOW_SECONDS * model.config.fps)


def _linear_mpjpe(linear: PCABaseline, batch: Batch) -> Tensor:
    """Returns the MPJPE (B,) of PCA, mm."""
    true = posed(batch.sixd, batch.root).aligned
    distance = linear.reconstruct(true.flatten(1)).view_as(true) - true
    return torch.linalg.vector_norm(distance, dim=-1).mean(dim=(1, 2)) * 1000
