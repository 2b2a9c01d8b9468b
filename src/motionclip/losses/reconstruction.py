"""How far a decoded window is from the recorded one. Every mean is over the real frames of all processes' windows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.body import Body
from motionclip.losses import reconstruction
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


def contact_error(logits: Tensor, contacts: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy (scalar) of contact logits (B, T, 4) against contacts (B, T, 4) in {0, 1}."""
    return masked_mean(F.binary_cross_entropy_with_logits(logits, contacts.float(), reduction="none"), mask)


def skate_error(feet: Tensor, contacts: Tensor, mask: Tensor, fps: float) -> Tensor:
    """Mean squared speed (scalar, m^2/s^2) of decoded feet (B, T, 4, 3) while recorded feet stand (B, T, 4)."""
    speed = (torch.diff(feet, dim=1) * fps).square().sum(dim=-1)
    standing = (contacts[:, 1:] & contacts[:, :-1]).to(speed)
    return masked_mean(speed * standing, pair_mask(mask))


# The vertex loss in closed form: no vertex is ever made.
#
# With the root at the origin, a vertex is v_i = R a_i (:attr:`motionclip.body.Body.moments`), where R = [R_1 ... R_J]
# (3 x 3J) are the world rotations. So the mean of |v_i - v'_i|^2 over vertices is tr(dR M dR^T) with the fixed
# M = mean_i a_i a_i^T (3J x 3J). M is factored once, M = L L^T; a frame then costs one 3 x 3J by 3J x r product.
# SMPL's pose blend shapes are not in it.


def moment_factor(body: Body) -> Tensor:
    """Returns L (3J, r) with L L^T = mean_i a_i a_i^T of a body's vertices; r is the rank."""
    moments = body.moments.double()  # (V, 3J)
    moment = moments.T @ moments / len(moments)
    values, vectors = torch.linalg.eigh(moment)
    kept = values > values.max() * 1e-12
    return (vectors[:, kept] * values[kept].sqrt()).float()


def vertex_error(difference: Tensor, factor: Tensor) -> Tensor:
    """Returns mean squared vertex distances (...,), m^2, of differences of world rotations (..., J, 3, 3)."""
    return (difference.transpose(-3, -2).flatten(-2) @ factor).square().sum(dim=(-2, -1))


# Decoded windows beside recorded ones: every reconstruction loss, by name, computed when it is asked for.


@dataclass(frozen=True)
class Comparison:
    """The losses of a batch; each is a scalar and a mean over real frames.

    Attributes:
        model: decoded the windows; its layout and rate are those of the features.
        batch: recorded windows.
        decoded: what became of them.
        factor: (3J, r) of the body's vertices, from :func:`motionclip.losses.reconstruction.moment_factor`.
    """

    model: MotionAutoencoder
    batch: Batch
    decoded: Decoded
    factor: Tensor

    def features(self) -> Tensor:
        """Mean squared error of the layout's channels."""
        return reconstruction.squared_error(self.decoded.features, self._features, self.batch.mask)

    def feature_velocity(self) -> Tensor:
        """The same of their change from frame to frame."""
        return reconstruction.velocity_error(self.decoded.features, self._features, self.batch.mask, fps=1.0)

    def orientation(self) -> Tensor:
        """Mean squared error of the 6D rotations."""
        return reconstruction.squared_error(self.decoded.sixd, self.batch.sixd, self.batch.mask)

    def orientation_velocity(self) -> Tensor:
        """The same of their rate of change, per second."""
        return reconstruction.velocity_error(self.decoded.sixd, self.batch.sixd, self.batch.mask, self._fps)

    def vertices(self) -> Tensor:
        """Mean squared vertex distance, root at the origin, m^2."""
        change = self._decoded_pose[0] - self._recorded_pose[0]
        return reconstruction.masked_mean(vertex_error(change, self.factor), self.batch.mask)

    def path(self) -> Tensor:
        """Mean squared error of the root path, m^2."""
        return reconstruction.squared_error(self.decoded.root, self.batch.root, self.batch.mask)

    def velocity(self) -> Tensor:
        """Mean squared error of joint velocities in the world, m^2/s^2."""
        decoded, recorded = self._decoded_pose[1], self._recorded_pose[1]
        return reconstruction.velocity_error(decoded, recorded, self.batch.mask, self._fps)

    def contact(self) -> Tensor:
        """Cross-entropy of foot contacts."""
        if self.decoded.contacts is None:
            raise ValueError("a decoder that knows nothing of contacts has no contact loss; give it weight 0")
        return reconstruction.contact_error(self.decoded.contacts, self._contacts, self.batch.mask)

    def skate(self) -> Tensor:
        """Mean squared speed of feet that should stand, m^2/s^2."""
        feet = self._decoded_pose[1][:, :, CONTACT_INDICES]
        return reconstruction.skate_error(feet, self._contacts, self.batch.mask, self._fps)

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
