"""Reconstruction errors of windows, and the linear baseline.

Shapes: B windows, T frames, J joints; masks (B, T) are true for real frames.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import roma
import torch
from torch import Tensor

from motionclip.body import default_body
from motionclip.losses.reconstruction import moment_factor, vertex_error
from motionclip.model.autoencoder import Decoded
from motionclip.model.features import Batch, pose
from motionclip.motion import rotations as rot


@dataclass(frozen=True)
class PoseErrors:
    """Errors of each window, (B,) each; *aligned* means with the root joint of every frame at the origin.

    Attributes:
        mpjpe_mm: mean distance of aligned joint positions.
        pa_mpjpe_mm: the same after the rotation, scale and shift of each frame that fit best (Procrustes).
        orientation_deg: mean geodesic angle of local joint rotations.
        velocity_cm_s: mean distance of the velocities of aligned joints.
        acceleration_m_s2: mean distance of the accelerations of aligned joints.
        vertex_mm: root mean square distance of the skin's vertices, aligned.
        root_path_cm: mean distance of the root joint's path, both starting above the origin.
    """

    mpjpe_mm: Tensor
    pa_mpjpe_mm: Tensor
    orientation_deg: Tensor
    velocity_cm_s: Tensor
    acceleration_m_s2: Tensor
    vertex_mm: Tensor
    root_path_cm: Tensor

    @classmethod
    def joined(cls, parts: list[PoseErrors]) -> PoseErrors:
        """Returns the errors of several batches as those of one."""
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True)
class PosedWindows:
    """Rotations and positions of windows, by forward kinematics.

    Attributes:
        rotations: (B, T, 24, 3, 3) local rotations.
        world: (B, T, 24, 3, 3) world rotations.
        positions: (B, T, 24, 3) world positions, metres; the root is joint 0.
    """

    rotations: Tensor
    world: Tensor
    positions: Tensor

    @property
    def aligned(self) -> Tensor:
        """Positions with the root joint of every frame at the origin."""
        return self.positions - self.positions[:, :, :1]


def frame_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Returns the mean (B,) of values (B, T) over the real frames; 0 where there are none."""
    return values.where(mask, 0.0).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def mpjpe(made: PosedWindows, true: PosedWindows, mask: Tensor) -> Tensor:
    """Returns the mean distance (B,) of aligned joint positions, mm."""
    return frame_mean(_joint_mean(made.aligned - true.aligned), mask) * 1000


def pose_errors(made: PosedWindows, true: PosedWindows, mask: Tensor, fps: float) -> PoseErrors:
    """Returns the errors of windows on the canonical skeleton at ``fps`` frames per second."""
    difference = made.aligned - true.aligned
    angle = rot.geodesic_angle(made.rotations, true.rotations).mean(dim=-1)
    path = torch.linalg.vector_norm(made.positions[:, :, 0] - true.positions[:, :, 0], dim=-1)
    return PoseErrors(
        mpjpe(made, true, mask),
        frame_mean(_joint_mean(_procrustes(made.aligned, true.aligned) - true.aligned), mask) * 1000,
        torch.rad2deg(frame_mean(angle, mask)),
        _rate_error(difference, mask, fps, order=1) * 100,
        _rate_error(difference, mask, fps, order=2),
        frame_mean(_vertex_square(made, true), mask).sqrt() * 1000,
        frame_mean(path, mask) * 100,
    )


def _joint_mean(difference: Tensor) -> Tensor:
    """Returns the mean length (B, T) of differences (B, T, J, 3)."""
    return torch.linalg.vector_norm(difference, dim=-1).mean(dim=-1)


def _rate_error(difference: Tensor, mask: Tensor, fps: float, order: int) -> Tensor:
    """Returns the mean size (B,) of a derivative of differences (B, T, J, 3), where all frames of it are real."""
    rate = torch.diff(difference, n=order, dim=1) * fps**order
    return frame_mean(_joint_mean(rate), mask[:, order:])


def _procrustes(points: Tensor, target: Tensor) -> Tensor:
    """Returns points (..., J, 3) after the similarity transform that brings them nearest to targets (..., J, 3)."""
    turn, shift, scale = roma.rigid_points_registration(points, target, compute_scaling=True)
    return scale[..., None, None] * (points @ turn.mT) + shift[..., None, :]


@cache
def _skin_moments() -> Tensor:
    return moment_factor(default_body())


def _vertex_square(made: PosedWindows, true: PosedWindows) -> Tensor:
    """Returns the mean squared distance (B, T), m^2, of the default body's vertices, in closed form."""
    return vertex_error(made.world - true.world, _skin_moments().to(made.world))


def posed(sixd: Tensor, root: Tensor) -> PosedWindows:
    """Returns the posed windows of 6D rotations (B, T, 24, 6) and root paths (B, T, 3), metres."""
    return PosedWindows(rot.sixd_to_matrix(sixd), *pose(sixd, root))


def reconstruction_errors(decoded: Decoded, batch: Batch, fps: float) -> PoseErrors:
    """Returns the errors of each decoded window against the window of the batch that was encoded."""
    return pose_errors(posed(decoded.sixd, decoded.root), posed(batch.sixd, batch.root), batch.mask, fps)


def reconstruction_mpjpe(decoded: Decoded, batch: Batch) -> Tensor:
    """Returns the MPJPE (B,), mm, of decoded windows alone, which is cheap."""
    return mpjpe(posed(decoded.sixd, decoded.root), posed(batch.sixd, batch.root), batch.mask)


class PCABaseline:
    """PCA of windows: the best linear reconstruction, in squared error, from ``size`` numbers.

    Args:
        windows: (N, P) training windows, flattened.
        size: numbers per window; at most min(N, P) are used.
        seed: of the randomised subspace iteration (Halko et al. 2011, through torch.pca_lowrank).
    """

    def __init__(self, windows: Tensor, size: int, seed: int = 0):
        self.mean = windows.mean(dim=0)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            size = min(size, *windows.shape)
            _, _, self.directions = torch.pca_lowrank(windows - self.mean, q=size, center=False, niter=4)

    def reconstruct(self, windows: Tensor) -> Tensor:
        """Returns windows (M, P), projected to ``size`` numbers and back."""
        return (windows - self.mean) @ self.directions @ self.directions.T + self.mean
