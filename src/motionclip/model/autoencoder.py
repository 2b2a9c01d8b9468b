"""What an auto-encoder of motion is: windows to latents and back, and heads that bring words and pictures there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig
from motionclip.model.features import LAYOUTS, Batch


@dataclass(frozen=True)
class Decoded:
    """What a decoder says.

    Attributes:
        features: (B, T, C) channels in the model's layout.
        sixd: (B, T, 24, 6) local rotations, columns.
        root: (B, T, 3) root path, metres.
        contacts: (B, T, 4) contact logits; None from a decoder that knows nothing of contacts.
    """

    features: Tensor
    sixd: Tensor
    root: Tensor
    contacts: Tensor | None


class MotionAutoencoder(nn.Module, ABC):
    """The trained network. Inputs and outputs are metres and 6D rotations; scaling is inside.

    Attributes:
        predicts_contacts: the decoder gives contact logits.
        encoder: the transformer that reads windows.
        decoder: the transformer that writes them.
        text_head: text embeddings (N, text_dim) to latents (N, D).
        image_head: image embeddings (N, text_dim) to latents (N, D); None in a model that knows no pictures.
        compute_dtype: bfloat16 runs the transformers, and only them, in it.
    """

    predicts_contacts: ClassVar[bool]
    encoder: nn.Module
    decoder: nn.Module
    text_head: nn.Module
    image_head: nn.Module | None

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.layout = LAYOUTS[config.layout]
        self.compute_dtype: torch.dtype | None = None

    @abstractmethod
    def encode(self, batch: Batch) -> Tensor:
        """Windows to latents (B, D)."""

    @abstractmethod
    def decode(self, latent: Tensor, mask: Tensor) -> Decoded:
        """Latents (B, D) to windows with the frames of mask (B, T)."""

    def to_tangent(self, latent: Tensor) -> Tensor:
        """Returns latents (..., D) in coordinates (..., P) in which they may be added; here their own, P = D."""
        return latent

    def from_tangent(self, points: Tensor) -> Tensor:
        """Returns the latents (..., D) of coordinates (..., P), the inverse of :meth:`to_tangent`."""
        return points

    def start_from(self, batch: Batch) -> None:
        """Take what training starts from, such as feature statistics, from sample windows; some take nothing."""

    @property
    def slow_parameters(self) -> Collection[nn.Parameter]:
        """Parameters that start at a good place and are to leave it slowly."""
        return ()

    def _autocast(self, device: torch.device) -> torch.autocast:
        dtype = self.compute_dtype
        return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)


# Text encoder embeddings to the latent.


class LinearHead(nn.Module):
    """A linear map to the unit sphere, so that the text encoder's own geometry carries over."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.linear = nn.Linear(config.text_dim, config.latent_dim)
        if config.text_dim == config.latent_dim:
            nn.init.eye_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """Embeddings (N, text_dim) to unit latents (N, D)."""
        return F.normalize(self.linear(embedding), dim=-1)


class TextHead(LinearHead):
    """A linear map behind another one, `paraphrase`, in whose image sentences about the same motion lie together.

    The inner map is learned from sentences alone and held while the outer one learns from motions: described motions
    are too few to say how people vary their words. As long as it has not learned, it is the identity.
    """

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.paraphrase = nn.Linear(config.text_dim, config.text_dim).requires_grad_(False)
        nn.init.eye_(self.paraphrase.weight)
        nn.init.zeros_(self.paraphrase.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """Embeddings (N, text_dim) to unit latents (N, D)."""
        return super().forward(F.normalize(self.paraphrase(embedding), dim=-1))


class ScaledHead(nn.Module):
    """The paper's: the latent is the text encoder's space; embeddings are only given the norm that the decoder expects."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm = config.embedding_norm

    def forward(self, embedding: Tensor) -> Tensor:
        """Embeddings (N, D) to latents (N, D) of norm ``embedding_norm``."""
        return F.normalize(embedding, dim=-1) * self.norm
