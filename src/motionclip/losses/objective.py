"""The training objective: every loss, its weight, and their sum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionclip.body import Body, relative_transforms
from motionclip.losses import alignment, reconstruction
from motionclip.losses.vertices import moment_factor, vertex_error
from motionclip.model.autoencoder import Decoded, MotionAutoEncoder
from motionclip.model.features import Batch, pose
from motionclip.motion import CANONICAL
from motionclip.motion.contacts import CONTACT_JOINTS, foot_contacts


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss; units as in :mod:`motionclip.losses`. A weight of 0 leaves the loss out.

    Attributes:
        orientation: squared error of 6D rotations.
        orientation_velocity: squared error of their rate of change, per second.
        vertices: mean squared vertex distance, root at the origin, m^2.
        path: squared error of the root path, m^2.
        velocity: squared error of joint velocities in the world, m^2/s^2.
        contact: cross-entropy of foot contacts.
        skate: squared speed of feet that should stand, m^2/s^2.
        cosine: 1 - cos of motion and text.
        contrast: InfoNCE of motions and texts.
        temperature: of the contrast.
        same_text: texts more similar than this are not negatives of each other.
        latent_noise: standard deviation of the noise on the decoder's latent, per number of unit variance.
    """

    orientation: float = 1.0
    orientation_velocity: float = 0.001
    vertices: float = 20.0
    path: float = 2.0
    velocity: float = 0.02
    contact: float = 0.02
    skate: float = 0.02
    cosine: float = 0.01
    contrast: float = 0.05
    temperature: float = 0.05
    same_text: float = 0.8
    latent_noise: float = 0.03


@dataclass(frozen=True)
class TextTargets:
    """Words of a batch: tower embeddings (B, E), label ids (B,) or -1, and weight (B,), 0 for none."""

    embedding: Tensor
    label: Tensor
    weight: Tensor


class Objective(nn.Module):
    """Computes the weighted sum of all losses for a batch, and each loss by name."""

    factor: Tensor

    def __init__(self, weights: LossWeights, body: Body):
        super().__init__()
        self.weights = weights
        self.register_buffer("factor", moment_factor(body))
        self.feet = CANONICAL.indices(CONTACT_JOINTS)

    def forward(
        self, model: MotionAutoEncoder, batch: Batch, texts: TextTargets, noise: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Total loss (scalar) and the parts; noise (B, D) is unit Gaussian, scaled here."""
        latent = model.encode(batch)
        shaken = latent + self.weights.latent_noise * noise / model.config.latent_dim**0.5
        decoded = model.decode(nn.functional.normalize(shaken, dim=-1), batch.mask)
        parts = self._reconstruction(decoded, batch, model.config.fps)
        parts |= self._alignment(latent, model.text_head(texts.embedding), texts)
        total = torch.stack([getattr(self.weights, name) * value for name, value in parts.items()]).sum()
        return total, parts

    def _reconstruction(self, decoded: Decoded, batch: Batch, fps: float) -> dict[str, Tensor]:
        mask = batch.mask
        with torch.no_grad():
            world, places = pose(batch.sixd, batch.root)
            contacts = foot_contacts(places, fps)
        decoded_world, decoded_places = pose(decoded.sixd, decoded.root)
        change = relative_transforms(decoded_world, decoded_places - decoded.root[:, :, None], CANONICAL)
        change = change - relative_transforms(world, places - batch.root[:, :, None], CANONICAL)
        return {
            "orientation": reconstruction.squared_error(decoded.sixd, batch.sixd, mask),
            "orientation_velocity": reconstruction.velocity_error(decoded.sixd, batch.sixd, mask, fps),
            "vertices": reconstruction.masked_mean(vertex_error(change, self.factor), mask),
            "path": reconstruction.squared_error(decoded.root, batch.root, mask),
            "velocity": reconstruction.velocity_error(decoded_places, places, mask, fps),
            "contact": reconstruction.contact_error(decoded.contacts, contacts, mask),
            "skate": reconstruction.skate_error(decoded_places[:, :, self.feet], contacts, mask, fps),
        }

    def _alignment(self, latent: Tensor, text: Tensor, texts: TextTargets) -> dict[str, Tensor]:
        said = texts.weight > 0
        if not said.any():
            nothing = latent.sum() * 0
            return {"cosine": nothing, "contrast": nothing}
        similarity = texts.embedding[said] @ texts.embedding[said].T
        positive, allowed = alignment.contrastive_targets(texts.label[said], similarity, self.weights.same_text)
        return {
            "cosine": alignment.cosine_loss(latent, text, texts.weight),
            "contrast": alignment.info_nce(latent[said], text[said], positive, allowed, self.weights.temperature),
        }
