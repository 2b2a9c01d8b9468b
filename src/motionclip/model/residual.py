"""Our auto-encoder: transformers that correct a linear path, and a latent on the unit sphere."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from motionclip.model.autoencoder import Decoded, MotionAutoEncoder
from motionclip.model.config import ModelConfig
from motionclip.model.decoder import CONTACT_CHANNELS, MotionDecoder
from motionclip.model.encoder import MotionEncoder
from motionclip.model.features import Batch
from motionclip.model.heads import LinearHead, TextHead
from motionclip.model.linear import LinearPath
from motionclip.model.smoothing import smoothed
from motionclip.model.sphere import from_sphere, to_sphere


class ResidualAutoEncoder(MotionAutoEncoder):
    """Linear path, encoder, decoder and heads, and the statistics that scale features."""

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.linear = LinearPath(config)
        self.encoder = MotionEncoder(config)
        self.decoder = MotionDecoder(config)
        self.text_head = TextHead(config)
        self.image_head = LinearHead(config) if config.image_head else None
        self.register_buffer("feature_mean", torch.zeros(self.layout.channels))
        self.register_buffer("feature_scale", torch.ones(self.layout.channels))

    def start_from(self, batch: Batch) -> None:
        """Take feature statistics and the linear path from sample windows.

        One scale for all channels of a kind: a scale per channel would blow up the noise of those that hardly move.
        """
        features = self.layout.features(batch, self.config.fps)
        real = features[batch.mask]
        self.feature_mean.copy_(real.mean(dim=0))
        deviation = real.std(dim=0)
        weights = torch.empty_like(deviation)
        for kind, metres in zip(self.layout.kinds, self.layout.metres, strict=True):
            self.feature_scale[kind] = deviation[kind].square().mean().sqrt().clamp(min=1e-3)
            weights[kind] = self.feature_scale[kind] * metres
        normalised = (features - self.feature_mean) / self.feature_scale
        self.linear.start_from_pca(normalised, batch.mask.sum(dim=1), weights)

    def encode(self, batch: Batch) -> Tensor:
        """Windows to unit latents (B, D)."""
        batch = self._padded(batch)
        features = (self.layout.features(batch, self.config.fps) - self.feature_mean) / self.feature_scale
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
        corrected = (draft + output[..., :-CONTACT_CHANNELS])[:, : mask.shape[1]]
        features = smoothed(corrected, mask.sum(dim=1)) * self.feature_scale + self.feature_mean
        contacts = output[:, : mask.shape[1], -CONTACT_CHANNELS:]
        return Decoded(features, *self.layout.window(features, self.config.fps), contacts)

    @property
    def slow_parameters(self) -> Collection[nn.Parameter]:
        """The linear path: full steps would shake it off before the transformers can use it."""
        return tuple(self.linear.parameters())

    def _pad(self, frames: Tensor) -> Tensor:
        missing = -frames.shape[1] % self.config.frames_per_token
        return torch.cat([frames, frames.new_zeros(frames.shape[0], missing, *frames.shape[2:])], dim=1)

    def _padded(self, batch: Batch) -> Batch:
        return Batch(self._pad(batch.sixd), self._pad(batch.root), self._pad(batch.mask))
