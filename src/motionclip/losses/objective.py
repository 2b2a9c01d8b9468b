"""The training objective: the table of losses, their weights, and their weighted sum.

To add a loss, write it (a method of :class:`Comparison`, or a function in `alignment.py`), then give it a row in a
table and a weight of the same name here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.body import Body
from motionclip.errors import ModelError
from motionclip.losses.alignment import ContrastConfig, ImageTargets, TextTargets, contrastive_loss, cosine_loss
from motionclip.losses.reconstruction import Comparison, moment_factor
from motionclip.model.autoencoder import MotionAutoencoder
from motionclip.model.features import Batch

#: Losses of decoded windows.
RECONSTRUCTION_LOSSES: dict[str, Callable[[Comparison], Tensor]] = {
    "features": Comparison.features,
    "feature_velocity": Comparison.feature_velocity,
    "orientation": Comparison.orientation,
    "orientation_velocity": Comparison.orientation_velocity,
    "vertices": Comparison.vertices,
    "path": Comparison.path,
    "velocity": Comparison.velocity,
    "contact": Comparison.contact,
    "skate": Comparison.skate,
}
#: Losses of latents (B, D) of motions and of their texts.
TEXT_LOSSES: dict[str, Callable[[Tensor, Tensor, TextTargets, ContrastConfig], Tensor]] = {
    "cosine": lambda motion, text, targets, config: cosine_loss(motion, text, targets.weight),
    "contrast": contrastive_loss,
}
#: Losses of latents (B, D) of motions and of their rendered frames.
IMAGE_LOSSES: dict[str, Callable[[Tensor, Tensor, ImageTargets], Tensor]] = {
    "image_cosine": lambda motion, image, targets: cosine_loss(motion, image, targets.weight),
}


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss of the tables above, by its name. A loss of weight 0 is not computed.

    Attributes:
        features: squared error of the layout's channels.
        feature_velocity: squared error of their change from frame to frame.
        orientation: squared error of 6D rotations.
        orientation_velocity: squared error of their rate of change, per second.
        vertices: mean squared vertex distance, root at the origin, m^2.
        path: squared error of the root path, m^2.
        velocity: squared error of joint velocities in the world, m^2/s^2.
        contact: binary cross-entropy of foot contacts.
        skate: squared speed of feet that should stand, m^2/s^2.
        cosine: 1 - cos of motion and text.
        image_cosine: 1 - cos of motion and rendered frame.
        contrast: InfoNCE of motions and texts.
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

    def __post_init__(self) -> None:
        for name, weight in dataclasses.asdict(self).items():
            if weight < 0:
                raise ModelError(f"the weight of the loss {name} is {weight}; expected at least 0")


def check_names(weights: LossWeights) -> None:
    """Compare the weights' names with those of the losses.

    Raises:
        ModelError: if a loss has no weight, or a weight no loss.
    """
    losses = {*RECONSTRUCTION_LOSSES, *TEXT_LOSSES, *IMAGE_LOSSES}
    if unmatched := losses ^ {field.name for field in dataclasses.fields(weights)}:
        raise ModelError(f"a loss without a weight or a weight without a loss: {', '.join(sorted(unmatched))}")


class Objective(nn.Module):
    """Computes the weighted sum of the losses of a batch, and each loss by name.

    Args:
        weights: of the losses.
        body: whose vertices the vertex loss compares.
        contrast: settings of the contrastive loss.
        latent_noise: standard deviation of the Gaussian noise that is added to the latent before it is decoded, per
            number of unit variance.
    """

    factor: Tensor

    def __init__(
        self, weights: LossWeights, body: Body, contrast: ContrastConfig | None = None, latent_noise: float = 0.0
    ):
        super().__init__()
        check_names(weights)
        self.weights, self.contrast, self.latent_noise = weights, contrast or ContrastConfig(), latent_noise
        self.register_buffer("factor", moment_factor(body))

    def forward(
        self, model: MotionAutoencoder, batch: Batch, texts: TextTargets, images: ImageTargets | None, noise: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the total loss (scalar) and each loss; noise (B, D) is unit Gaussian and scaled here.

        Both are those of the windows of all processes (:mod:`motionclip.losses.distributed`).

        Raises:
            ModelError: if an image loss has a weight, but there are no images, or the model has no image head.
        """
        latent = model.encode(batch)
        comparison = Comparison(model, batch, model.decode(self._with_noise(latent, noise), batch.mask), self.factor)
        parts = computed(self.weights, RECONSTRUCTION_LOSSES, comparison)
        parts |= computed(self.weights, TEXT_LOSSES, latent, model.text_head(texts.embedding), texts, self.contrast)
        if any(getattr(self.weights, name) for name in IMAGE_LOSSES):
            if images is None or model.image_head is None:
                raise ModelError("an image loss has a weight, but there are no images or the model has no image head")
            parts |= computed(self.weights, IMAGE_LOSSES, latent, model.image_head(images.embedding), images)
        return weighted_sum(self.weights, parts), parts

    def _with_noise(self, latent: Tensor, noise: Tensor) -> Tensor:
        """Latents with noise, at their own norm."""
        if not self.latent_noise:
            return latent
        norm = torch.linalg.vector_norm(latent, dim=-1, keepdim=True)
        noisy = latent + self.latent_noise * norm * noise / latent.shape[-1] ** 0.5
        return F.normalize(noisy, dim=-1) * norm


def text_objective(
    weights: LossWeights, contrast: ContrastConfig, motion: Tensor, text: Tensor, targets: TextTargets
) -> Tensor:
    """Returns the weighted sum (scalar) of the text losses alone, of latents of motions (B, D) and texts (B, D)."""
    return weighted_sum(weights, computed(weights, TEXT_LOSSES, motion, text, targets, contrast))


def computed(
    weights: LossWeights, losses: Mapping[str, Callable[..., Tensor]], *arguments: object
) -> dict[str, Tensor]:
    """Returns the losses (scalars) that have a weight, by name."""
    return {name: loss(*arguments) for name, loss in losses.items() if getattr(weights, name)}


def weighted_sum(weights: LossWeights, parts: Mapping[str, Tensor]) -> Tensor:
    """Returns the sum (scalar) of losses, each times its weight.

    Raises:
        ModelError: if there are none.
    """
    if not parts:
        raise ModelError("all losses have weight 0: there is nothing to learn from")
    return torch.stack([getattr(weights, name) * value for name, value in parts.items()]).sum()
