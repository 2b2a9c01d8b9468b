"""The training objective: every loss, its weight, and their sum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.body import Body
from motionclip.losses import alignment
from motionclip.losses.distributed import gathered
from motionclip.losses.reconstruction import Comparison, moment_factor
from motionclip.model.autoencoder import MotionAutoencoder
from motionclip.model.features import Batch

_RECONSTRUCTION = (
    "features",
    "feature_velocity",
    "orientation",
    "orientation_velocity",
    "vertices",
    "path",
    "velocity",
    "contact",
    "skate",
)


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss; those of reconstruction are the methods of :class:`Comparison`. 0 leaves a loss out.

    Attributes:
        features: squared error of the layout's channels.
        feature_velocity: squared error of their change from frame to frame.
        orientation: squared error of 6D rotations.
        orientation_velocity: squared error of their rate of change, per second.
        vertices: mean squared vertex distance, root at the origin, m^2.
        path: squared error of the root path, m^2.
        velocity: squared error of joint velocities in the world, m^2/s^2.
        contact: cross-entropy of foot contacts.
        skate: squared speed of feet that should stand, m^2/s^2.
        cosine: 1 - cos of motion and text.
        image_cosine: 1 - cos of motion and picture.
        contrast: InfoNCE of motions and texts.
        temperature: of the contrast.
        same_text: texts more similar than this are not negatives of each other.
        latent_noise: standard deviation of the noise on the decoder's latent, per number of unit variance.
    """

    features: float = 0.0
    feature_velocity: float = 0.0
    orientation: float = 2.0
    orientation_velocity: float = 0.001
    vertices: float = 100.0
    path: float = 5.0
    velocity: float = 0.05
    contact: float = 0.02
    skate: float = 0.05
    cosine: float = 0.01
    image_cosine: float = 0.0
    contrast: float = 0.05
    temperature: float = 0.05
    same_text: float = 0.8
    latent_noise: float = 0.03


@dataclass(frozen=True)
class TextTargets:
    """Words of a batch: text encoder embeddings (B, E), label ids (B,) or -1, and weight (B,), 0 for none."""

    embedding: Tensor
    label: Tensor
    weight: Tensor


@dataclass(frozen=True)
class ImageTargets:
    """Pictures of a batch: text encoder embeddings (B, E), and weight (B,), 0 for a window without one."""

    embedding: Tensor
    weight: Tensor


class Objective(nn.Module):
    """Computes the weighted sum of all losses for a batch, and each loss by name."""

    factor: Tensor

    def __init__(self, weights: LossWeights, body: Body):
        super().__init__()
        self.weights = weights
        self.register_buffer("factor", moment_factor(body))

    def forward(
        self, model: MotionAutoencoder, batch: Batch, texts: TextTargets, images: ImageTargets | None, noise: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Total loss (scalar) and the parts; noise (B, D) is unit Gaussian, scaled here.

        Both are those of the windows of all processes (:mod:`motionclip.losses.distributed`).
        """
        latent = model.encode(batch)
        comparison = Comparison(model, batch, model.decode(self._shaken(latent, noise), batch.mask), self.factor)
        parts = {name: getattr(comparison, name)() for name in _RECONSTRUCTION if getattr(self.weights, name)}
        parts |= word_losses(self.weights, latent, model.text_head(texts.embedding), texts)
        if images is not None and model.image_head is not None:
            picture = model.image_head(images.embedding)
            parts["image_cosine"] = alignment.cosine_loss(latent, picture, images.weight)
        return weighted(self.weights, parts), parts

    def _shaken(self, latent: Tensor, noise: Tensor) -> Tensor:
        """Latents with noise, at their own norm."""
        if not self.weights.latent_noise:
            return latent
        norm = torch.linalg.vector_norm(latent, dim=-1, keepdim=True)
        shaken = latent + self.weights.latent_noise * norm * noise / latent.shape[-1] ** 0.5
        return F.normalize(shaken, dim=-1) * norm


def word_losses(weights: LossWeights, latent: Tensor, text: Tensor, texts: TextTargets) -> dict[str, Tensor]:
    """Losses that have a weight of latents (B, D) of motions and of their words: the cosine, and contrast."""
    parts = {}
    if weights.cosine:
        parts["cosine"] = alignment.cosine_loss(latent, text, texts.weight)
    if weights.contrast:
        parts["contrast"] = _contrast(weights, latent, text, texts)
    return parts


def weighted(weights: LossWeights, parts: dict[str, Tensor]) -> Tensor:
    """The sum (scalar) of losses, each times its weight."""
    return torch.stack([getattr(weights, name) * value for name, value in parts.items()]).sum()


def _contrast(weights: LossWeights, latent: Tensor, text: Tensor, texts: TextTargets) -> Tensor:
    """Each motion against each text of the batch, those of all processes."""
    said = gathered(texts.weight) > 0
    if not said.any():
        return latent.sum() * 0
    motion, text, embedding = (gathered(rows)[said] for rows in (latent, text, texts.embedding))
    label = gathered(texts.label)[said]
    positive, allowed = alignment.contrastive_targets(label, embedding @ embedding.T, weights.same_text)
    return alignment.info_nce(motion, text, positive, allowed, weights.temperature)
