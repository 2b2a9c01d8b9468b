"""The interface of motion autoencoders, and the heads that map text and image embeddings to their latents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig
from motionclip.model.features import LAYOUTS, Batch, pose


@dataclass(frozen=True)
class Decoded:
    """Output of a decoder.

    Attributes:
        features: (B, T, C) channels in the model's layout.
        sixd: (B, T, 24, 6) local rotations, columns.
        root: (B, T, 3) root path, metres.
        contacts: (B, T, 4) contact logits; None from a decoder that predicts no contacts.
    """

    features: Tensor
    sixd: Tensor
    root: Tensor
    contacts: Tensor | None


class MotionAutoencoder(nn.Module, ABC):
    """A network that encodes windows to latents and decodes them, with heads for text and image embeddings.

    Takes and returns metres and 6D rotations; normalisation is inside.

    Attributes:
        predicts_contacts: whether the decoder gives contact logits.
        encoder: transformer from features to latents.
        decoder: transformer from latents to features.
        text_head: text embeddings (N, text_dim) to latents (N, D).
        image_head: image embeddings (N, text_dim) to latents (N, D); None in a model that takes no images.
        compute_dtype: precision of the transformers alone, such as bfloat16; None for that of the weights.
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
        """Returns the latents (B, D) of windows."""

    @abstractmethod
    def decode(self, latent: Tensor, mask: Tensor) -> Decoded:
        """Returns the windows of latents (B, D) with the frames of mask (B, T)."""

    def draft(self, latent: Tensor, mask: Tensor) -> Tensor:
        """Returns joint positions (B, T, 24, 3), metres, that show in less time than ``decode`` what latents do."""
        decoded = self.decode(latent, mask)
        return pose(decoded.sixd, decoded.root)[1]

    def to_tangent(self, latent: Tensor) -> Tensor:
        """Returns latents (..., D) as points (..., P) that may be added and averaged; by default themselves."""
        return latent

    def from_tangent(self, points: Tensor) -> Tensor:
        """Returns the latents (..., D) of points (..., P), the inverse of :meth:`to_tangent`."""
        return points

    def start_from(self, batch: Batch) -> None:
        """Initialises from sample windows, such as feature statistics; by default nothing."""

    @property
    def slow_parameters(self) -> Collection[nn.Parameter]:
        """Parameters to train at a tenth of the learning rate, since they start near where they should be."""
        return ()

    def _autocast(self, device: torch.device) -> torch.autocast:
        dtype = self.compute_dtype
        return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)


class EmbeddingHead(nn.Module):
    """A linear map of text or image embeddings to the unit sphere after another one, ``paraphrase``, to a sphere, too.

    The inner map brings sentences about the same motion together. It is trained on sentences alone and frozen while the
    outer one is trained with motions: described motions are too few to learn from how people vary their words. It
    starts as the identity; in an adapted model it also leads from the new encoder's space to the old one's
    (`applications/adapt.py`). With ``text_hidden`` numbers, a hidden layer corrects the outer map, from zero: what a
    phrase stands for ("surrender") is no linear function of its embedding.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        size = config.text_inner or config.text_dim
        self.paraphrase = nn.Linear(config.text_dim, size).requires_grad_(False)
        self.linear = nn.Linear(size, config.latent_dim)
        self.up = nn.Linear(size, config.text_hidden) if config.text_hidden else None
        self.down = nn.Linear(config.text_hidden, config.latent_dim) if config.text_hidden else None
        for square in (self.paraphrase, self.linear):
            if square.in_features == square.out_features:
                nn.init.eye_(square.weight)
                nn.init.zeros_(square.bias)
        if self.down is not None:
            nn.init.zeros_(self.down.weight)
            nn.init.zeros_(self.down.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """Returns the unit latents (N, D) of embeddings (N, text_dim)."""
        inner = F.normalize(self.paraphrase(embedding), dim=-1)
        outer = self.linear(inner)
        if self.up is not None and self.down is not None:
            scale = inner.shape[-1] ** 0.5  # numbers of unit variance, on which the hidden layer's steps are of use
            outer = outer + self.down(F.gelu(self.up(inner * scale)))
        return F.normalize(outer, dim=-1)


class ScaledHead(nn.Module):
    """The paper's head: the latent space is the text encoder's; embeddings are scaled to the norm of motion latents."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm = config.embedding_norm

    def forward(self, embedding: Tensor) -> Tensor:
        """Returns the latents (N, D), of norm ``embedding_norm``, of embeddings (N, D)."""
        return F.normalize(embedding, dim=-1) * self.norm
