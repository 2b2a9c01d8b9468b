"""Windows through the auto-encoder and back, and how far they come back from where they were."""

from __future__ import annotations

from motionclip.metrics.pose import PoseErrors, pose_errors
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.model.features import Batch, pose
from motionclip.motion import rotations as rot


def reconstruction_errors(model: MotionAutoEncoder, batch: Batch) -> PoseErrors:
    """Errors of each window of a batch after encoding and decoding."""
    decoded = model.decode(model.encode(batch), batch.mask)
    return pose_errors(
        rot.sixd_to_matrix(decoded.sixd),
        pose(decoded.sixd, decoded.root)[1],
        rot.sixd_to_matrix(batch.sixd),
        pose(batch.sixd, batch.root)[1],
        batch.mask,
    )
