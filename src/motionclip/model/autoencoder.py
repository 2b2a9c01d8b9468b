"""The network: motion encoder, motion decoder, text head, and the statistics that scale features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig
from motionclip.model.decoder import MotionDecoder
from motionclip.model.encoder import MotionEncoder
from motionclip.model.features import (
    CONTACT_CHANNELS,
    FEATURE_CHANNELS,
    ROTATION_CHANNELS,
    Batch,
    split_features,
    to_features,
)
from motionclip.model.linear import LinearPath
from motionclip.model.sphere import from_sphere, to_sphere


@dataclass(frozen=True)
class Decoded:
    """What the decoder says: rotations (B, T, 24, 6), root path (B, T, 3) in metres, contact logits (B, T, 4)."""

    sixd: Tensor
    root: Tensor
    contacts: Tensor


class TextHead(nn.Module):
    """Tower embeddings to the latent sphere: linear, so that the tower's own geometry carries over."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.linear = nn.Linear(config.tower_dim, config.latent_dim)
        if config.tower_dim == config.latent_dim:
            nn.init.eye_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """Text embeddings (N, tower_dim) to unit latents (N, D)."""
        return F.normalize(self.linear(embedding), dim=-1)


class MotionAutoEncoder(nn.Module):
    """The trained network. Inputs and outputs are metres and 6D rotations; scaling is inside."""

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.linear = LinearPath(config)
        self.encoder = MotionEncoder(config)
        self.decoder = MotionDecoder(config)
        self.text_head = TextHead(config)
        self.compute_dtype: torch.dtype | None = None  # bfloat16 runs the transformers, and only them, in it
        self.register_buffer("feature_mean", torch.zeros(FEATURE_CHANNELS))
        self.register_buffer("feature_scale", torch.ones(FEATURE_CHANNELS))

    def start_from(self, batch: Batch) -> None:
        """Take feature statistics and the linear path from sample windows.

        One scale for all rotations, one for height and one for velocity: a scale per channel would
        blow up the noise of channels that hardly move.
        """
        features = to_features(batch, self.config.fps)
        real = features[batch.mask]
        self.feature_mean.copy_(real.mean(dim=0))
        deviation = real.std(dim=0)
        for kind in (slice(0, ROTATION_CHANNELS), slice(ROTATION_CHANNELS, -2), slice(-2, None)):
            self.feature_scale[kind] = deviation[kind].square().mean().sqrt().clamp(min=1e-3)
        self.linear.start_from_pca((features - self.feature_mean) / self.feature_scale, batch.mask.sum(dim=1))

    def encode(self, batch: Batch) -> Tensor:
        """Windows to unit latents (B, D)."""
        batch = self._padded(batch)
        features = (to_features(batch, self.config.fps) - self.feature_mean) / self.feature_scale
        scores = self.linear.encode(features, batch.mask.sum(dim=1))
        with self._autocast(features.device):
            correction = self.encoder(features, batch.mask)
        return to_sphere(scores + correction)

    def decode(self, latent: Tensor, mask: Tensor) -> Decoded:
        """Unit latents (B, D) to windows with the frames of mask (B, T)."""
        scores = from_sphere(latent)
        padded = self._pad(mask)
        draft = self.linear.decode(scores, mask.sum(dim=1), padded.shape[1])
        with self._autocast(latent.device):
            output = self.decoder(scores, draft, padded)
        features = (draft + output[..., :-CONTACT_CHANNELS])[:, : mask.shape[1]]
        sixd, root = split_features(features * self.feature_scale + self.feature_mean, self.config.fps)
        return Decoded(sixd, root, output[:, : mask.shape[1], -CONTACT_CHANNELS:])

    def _autocast(self, device: torch.device) -> torch.autocast:
        dtype = self.compute_dtype
        return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)

    def _pad(self, frames: Tensor) -> Tensor:
        missing = -frames.shape[1] % self.config.frames_per_token
        return torch.cat([frames, frames.new_zeros(frames.shape[0], missing, *frames.shape[2:])], dim=1)

    def _padded(self, batch: Batch) -> Batch:
        if batch.mask.shape[1] % self.config.frames_per_token == 0:
            return batch
        return Batch(self._pad(batch.sixd), self._pad(batch.root), self._pad(batch.mask))
