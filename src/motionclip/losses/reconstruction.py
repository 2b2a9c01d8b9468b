"""Reconstruction losses: decoded windows against recorded ones.

Every mean is over the real frames of the windows of all processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.body import Body
from motionclip.errors import ModelError
from motionclip.losses.distributed import mean_of
from motionclip.model.autoencoder import Decoded, MotionAutoencoder
from motionclip.model.features import Batch, pose
from motionclip.motion.contacts import CONTACT_INDICES, foot_contacts


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean (scalar) of values (B, T, ...) over the frames of mask (B, T) and all further axes."""
    weights = mask.reshape(*mask.shape, *[1] * (values.dim() - 2)).expand_as(values)
    return mean_of((values * weights).sum(), weights.sum(), least=1)


def pair_mask(mask: Tensor) -> Tensor:
    """Mask (B, T - 1) of neighbouring frames that are both real."""
    return mask[:, 1:] & mask[:, :-1]


def squared_error(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference (scalar) of (B, T, ...)."""
    return masked_mean((predicted - target).square(), mask)


def velocity_error(predicted: Tensor, target: Tensor, mask: Tensor, fps: float) -> Tensor:
    """Mean squared difference (scalar) of the rates of change of (B, T, ...), per second squared."""
    change = torch.diff(predicted, dim=1) - torch.diff(target, dim=1)
    return masked_mean((change * fps).square(), pair_mask(mask))


def moment_factor(body: Body) -> Tensor:
    """Returns the factor L (3J, r) of a body for the vertex loss in closed form; r is the rank.

    With the root at the origin, a vertex is v_i = R a_i (:attr:`motionclip.body.Body.moments`), where R = [R_1 ... R_J]
    (3 x 3J) are the world rotations. So the mean of |v_i - v'_i|^2 over vertices is tr(dR M dR^T) with the fixed
    M = mean_i a_i a_i^T (3J x 3J), factored here once as M = L L^T: a frame then costs one product of 3 x 3J by 3J x r,
    and no vertex is computed. SMPL's pose blend shapes are left out.
    """
    moments = body.moments.double()  # (V, 3J)
    moment = moments.T @ moments / len(moments)
    values, vectors = torch.linalg.eigh(moment)
    kept = values > values.max() * 1e-12  # M is singular where joints move no vertex
    return (vectors[:, kept] * values[kept].sqrt()).float()


def vertex_error(difference: Tensor, factor: Tensor) -> Tensor:
    """Returns mean squared vertex distances (...,), m^2, of differences of world rotations (..., J, 3, 3)."""
    return (difference.transpose(-3, -2).flatten(-2) @ factor).square().sum(dim=(-2, -1))


@dataclass(frozen=True)
class Comparison:
    """A batch of recorded windows beside the decoded ones. Each method is a loss (scalar); shared terms are cached.

    Attributes:
        model: decoded the windows; its layout and frame rate are those of the features.
        batch: recorded windows.
        decoded: decoded windows.
        factor: (3J, r) of the body's vertices, from :func:`moment_factor`.
    """

    model: MotionAutoencoder
    batch: Batch
    decoded: Decoded
    factor: Tensor

    def features(self) -> Tensor:
        """Mean squared error of the layout's channels."""
        return squared_error(self.decoded.features, self._features, self.batch.mask)

    def feature_velocity(self) -> Tensor:
        """Mean squared error of the channels' change from frame to frame."""
        return velocity_error(self.decoded.features, self._features, self.batch.mask, fps=1.0)

    def orientation(self) -> Tensor:
        """Mean squared error of the 6D rotations."""
        return squared_error(self.decoded.sixd, self.batch.sixd, self.batch.mask)

    def orientation_velocity(self) -> Tensor:
        """Mean squared error of the 6D rotations' rate of change, per second."""
        return velocity_error(self.decoded.sixd, self.batch.sixd, self.batch.mask, self._fps)

    def vertices(self) -> Tensor:
        """Mean squared vertex distance, root at the origin, m^2."""
        change = self._decoded_pose[0] - self._recorded_pose[0]
        return masked_mean(vertex_error(change, self.factor), self.batch.mask)

    def path(self) -> Tensor:
        """Mean squared error of the root path, m^2."""
        return squared_error(self.decoded.root, self.batch.root, self.batch.mask)

    def velocity(self) -> Tensor:
        """Mean squared error of joint velocities in the world, m^2/s^2."""
        decoded, recorded = self._decoded_pose[1], self._recorded_pose[1]
        return velocity_error(decoded, recorded, self.batch.mask, self._fps)

    def contact(self) -> Tensor:
        """Binary cross-entropy of foot contacts."""
        if self.decoded.contacts is None:
            raise ModelError("this decoder has no foot contacts: losses.contact has to be 0")
        logits = self.decoded.contacts
        error = F.binary_cross_entropy_with_logits(logits, self._contacts.to(logits), reduction="none")
        return masked_mean(error, self.batch.mask)

    def skate(self) -> Tensor:
        """Mean squared speed of decoded feet while the recorded feet stand, m^2/s^2."""
        feet = self._decoded_pose[1][:, :, CONTACT_INDICES]  # (B, T, 4, 3)
        speed = (torch.diff(feet, dim=1) * self._fps).square().sum(dim=-1)
        standing = self._contacts[:, 1:] & self._contacts[:, :-1]
        return masked_mean(speed * standing, pair_mask(self.batch.mask))

    @property
    def _fps(self) -> float:
        return self.model.config.fps

    @cached_property
    def _features(self) -> Tensor:
        with torch.no_grad():
            return self.model.layout.features(self.batch, self._fps)

    @cached_property
    def _decoded_pose(self) -> tuple[Tensor, Tensor]:
        return pose(self.decoded.sixd, self.decoded.root)

    @cached_property
    def _recorded_pose(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            return pose(self.batch.sixd, self.batch.root)

    @cached_property
    def _contacts(self) -> Tensor:
        return foot_contacts(self._recorded_pose[1], self._fps)
