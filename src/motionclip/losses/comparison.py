"""Decoded windows beside recorded ones: every reconstruction loss, by name, computed when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from motionclip.body import relative_transforms
from motionclip.losses import reconstruction
from motionclip.losses.vertices import vertex_error
from motionclip.model.autoencoder import Decoded, MotionAutoEncoder
from motionclip.model.features import Batch, pose
from motionclip.motion import CANONICAL
from motionclip.motion.contacts import CONTACT_INDICES, foot_contacts


@dataclass(frozen=True)
class Comparison:
    """The losses of a batch; each is a scalar and a mean over real frames.

    Attributes:
        model: decoded the windows; its layout and rate are those of the features.
        batch: recorded windows.
        decoded: what became of them.
        factor: (4J, r) of the body's vertices, from :func:`motionclip.losses.vertices.moment_factor`.
    """

    model: MotionAutoEncoder
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
        world, places = self._recorded_pose
        decoded_world, decoded_places = self._decoded_pose
        change = relative_transforms(decoded_world, decoded_places - self.decoded.root[:, :, None], CANONICAL)
        change = change - relative_transforms(world, places - self.batch.root[:, :, None], CANONICAL)
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
