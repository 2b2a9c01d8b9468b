"""What an auto-encoder of motion is: windows to latents and back, and heads that bring words and pictures there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionclip.model.config import ModelConfig
from motionclip.model.features import Batch
from motionclip.model.layouts import LAYOUTS


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


class MotionAutoEncoder(nn.Module, ABC):
    """The trained network. Inputs and outputs are metres and 6D rotations; scaling is inside.

    Attributes:
        encoder: the transformer that reads windows.
        decoder: the transformer that writes them.
        text_head: text embeddings (N, tower_dim) to latents (N, D).
        image_head: image embeddings (N, tower_dim) to latents (N, D); None in a model that knows no pictures.
        compute_dtype: bfloat16 runs the transformers, and only them, in it.
    """

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

    def start_from(self, batch: Batch) -> None:
        """Take what training starts from, such as feature statistics, from sample windows; some take nothing."""

    @property
    def slow_parameters(self) -> Collection[nn.Parameter]:
        """Parameters that start at a good place and are to leave it slowly."""
        return ()

    def _autocast(self, device: torch.device) -> torch.autocast:
        dtype = self.compute_dtype
        return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)
