"""How far one motion is from another. Tensors are (B, T, ...) with a frame mask (B, T)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.motion import rotations as rot


@dataclass(frozen=True)
class PoseErrors:
    """Errors of each window, (B,) each.

    Attributes:
        mpjpe_mm: mean distance of joint positions with the root joint of every frame at the origin.
        orientation_deg: mean geodesic angle of local joint rotations.
        root_path_cm: mean distance of the root joint's path, both starting above the origin.
    """

    mpjpe_mm: Tensor
    orientation_deg: Tensor
    root_path_cm: Tensor


def frame_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean (B,) of values (B, T) over the real frames."""
    return (values * mask).sum(dim=1) / mask.sum(dim=1)


def pose_errors(
    rotations: Tensor, positions: Tensor, true_rotations: Tensor, true_positions: Tensor, mask: Tensor
) -> PoseErrors:
    """Errors of local rotations (B, T, J, 3, 3) and world positions (B, T, J, 3), metres; root is joint 0."""
    aligned = positions - positions[:, :, :1]
    true_aligned = true_positions - true_positions[:, :, :1]
    distance = torch.linalg.vector_norm(aligned - true_aligned, dim=-1).mean(dim=-1)
    angle = rot.geodesic_angle(rotations, true_rotations).mean(dim=-1)
    path = torch.linalg.vector_norm(positions[:, :, 0] - true_positions[:, :, 0], dim=-1)
    return PoseErrors(
        frame_mean(distance, mask) * 1000,
        torch.rad2deg(frame_mean(angle, mask)),
        frame_mean(path, mask) * 100,
    )
