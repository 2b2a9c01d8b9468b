"""Windows through the auto-encoder and back, and how far they come back from where they were."""

from __future__ import annotations

from torch import Tensor

from motionclip.metrics.pose import PosedWindows, PoseErrors, mpjpe, pose_errors
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.model.features import Batch, pose
from motionclip.motion import rotations as rot


def posed(sixd: Tensor, root: Tensor) -> PosedWindows:
    """Windows of 6D rotations (B, T, 24, 6) and root paths (B, T, 3), metres, posed."""
    return PosedWindows(rot.sixd_to_matrix(sixd), *pose(sixd, root))


def reconstruction_errors(model: MotionAutoEncoder, batch: Batch) -> PoseErrors:
    """Errors of each window of a batch after encoding and decoding."""
    return pose_errors(_decoded(model, batch), posed(batch.sixd, batch.root), batch.mask, model.config.fps)


def reconstruction_mpjpe(model: MotionAutoEncoder, batch: Batch) -> Tensor:
    """MPJPE (B,) in mm alone, which is cheap."""
    return mpjpe(_decoded(model, batch), posed(batch.sixd, batch.root), batch.mask)


def _decoded(model: MotionAutoEncoder, batch: Batch) -> PosedWindows:
    decoded = model.decode(model.encode(batch), batch.mask)
    return posed(decoded.sixd, decoded.root)
