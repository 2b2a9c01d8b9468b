"""Motion to tensor and back: the only place where a Motion becomes numbers for the model.

A *window* is a run of frames in its own frame of reference: it starts above the origin and faces
+Z. Rotations are local and 6D (columns of the matrix). :mod:`motionclip.model.layouts` makes the
network's channels of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.motion import CANONICAL, Motion, forward_kinematics, horizontal, resample
from motionclip.motion import rotations as rot


@dataclass(frozen=True)
class Batch:
    """Windows as tensors.

    Attributes:
        sixd: (B, T, 24, 6) local rotations, heading-canonical.
        root: (B, T, 3) root path, metres, starting above the origin.
        mask: (B, T) true where a frame is real and not padding.
    """

    sixd: Tensor
    root: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same windows on a device."""
        return Batch(self.sixd.to(device), self.root.to(device), self.mask.to(device))


def yaw_matrix(sixd: Tensor) -> Tensor:
    """Rotations (B, 3, 3) about Y that turn windows (B, T, 24, 6) to face +Z in their first frame.

    The hips lie on the root's x axis, so the facing direction is read from the first column of
    the root's rotation, as :func:`motionclip.motion.heading` reads it from positions.
    """
    return rot.about_y(-rot.yaw_of_left(sixd[:, 0, 0, :3]))


def canonicalize(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Windows (B, T, 24, 6) and paths (B, T, 3) moved to start above the origin, facing +Z."""
    yaw = yaw_matrix(sixd)
    columns = sixd[:, :, 0].unflatten(-1, (2, 3))  # (B, T, 2, 3)
    pelvis = torch.einsum("bij,btcj->btci", yaw, columns).flatten(-2)
    path = torch.einsum("bij,btj->bti", yaw, root - horizontal(root[:, :1]))
    return torch.cat([pelvis[:, :, None], sixd[:, :, 1:]], dim=2), path


def mirror_windows(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror images of windows (B, T, 24, 6) and paths (B, T, 3), as :func:`motionclip.motion.mirror`."""
    sign = sixd.new_tensor([-1.0, 1.0, 1.0])
    signs = (sign[:2, None] * sign).flatten()  # S R S, column by column
    return sixd[:, :, list(CANONICAL.swapped_sides)] * signs, root * sign


def pose(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """World rotations (B, T, 24, 3, 3) and positions (B, T, 24, 3), metres, by forward kinematics."""
    return forward_kinematics(rot.sixd_to_matrix(sixd), root, CANONICAL)


def from_motion(motion: Motion, fps: float) -> Batch:
    """One motion on the canonical skeleton as a batch of one, resampled to ``fps`` and canonical."""
    resampled = resample(motion, fps)
    sixd, root = canonicalize(rot.matrix_to_sixd(resampled.rotations)[None], resampled.root[None])
    return Batch(sixd.float(), root.float(), torch.ones(1, root.shape[1], dtype=torch.bool))


def to_motions(rotations: Tensor, root: Tensor, fps: float) -> list[Motion]:
    """Local rotations (B, T, 24, 3, 3) and paths (B, T, 3) as motions on the canonical skeleton."""
    return [Motion(turned, path, fps, CANONICAL) for turned, path in zip(rotations.float(), root.float(), strict=True)]
