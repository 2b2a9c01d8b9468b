"""The published network: Tevet et al., "MotionCLIP", ECCV 2022, section 3; where it is silent, the authors' code.

The encoder puts learned prefix tokens in front of the frames and reads the latent at the first; the
decoder's queries are positional codes alone, and the latent is its only memory. docs/paper.md names
every deviation. Those in this file: cross-attention to the one memory token is the bias that it equals
(:class:`motionclip.model.layers.PostNormLayer`), and text and image embeddings are scaled to the norm of
motion latents, where the published code feeds the decoder norms it never saw in training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motionclip.model.autoencoder import Decoded, MotionAutoencoder, ScaledHead
from motionclip.model.config import ModelConfig
from motionclip.model.features import Batch
from motionclip.model.layers import PostNormLayer, interleaved_sinusoid


class PaperEncoder(nn.Module):
    """Post-norm transformer over prefix tokens and frames."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.embed = nn.Linear(config.channels, config.width)
        self.prefix = nn.Parameter(torch.randn(config.prefix_tokens, config.width))
        self.layers = nn.ModuleList(PostNormLayer(config) for _ in range(config.encoder_layers))

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Returns the latents (B, D) of features (B, T, C) with mask (B, T)."""
        prefix = self.prefix.expand(features.shape[0], -1, -1)
        frames = self.embed(features)
        tokens = torch.cat([prefix.to(frames), frames], dim=1)
        tokens = tokens + interleaved_sinusoid(tokens.shape[1], tokens.shape[2], tokens.device).to(tokens)
        tokens = self.dropout(tokens)
        real = torch.cat([mask.new_ones(prefix.shape[:2]), mask], dim=1)
        for layer in self.layers:
            tokens = layer(tokens, real)
        return tokens[:, 0].to(features)


class PaperDecoder(nn.Module):
    """Post-norm transformer over positional codes, to each of which the latent is added in every layer."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.dropout, self.width = nn.Dropout(config.dropout), config.width
        self.layers = nn.ModuleList(PostNormLayer(config, config.latent_dim) for _ in range(config.decoder_layers))
        self.head = nn.Linear(config.width, config.channels)

    def forward(self, latent: Tensor, mask: Tensor) -> Tensor:
        """Returns features (B, T, C) of latents (B, D) for the frames of mask (B, T)."""
        queries = interleaved_sinusoid(mask.shape[1], self.width, latent.device).to(latent)
        tokens = self.dropout(queries.expand(len(latent), -1, -1))
        for layer in self.layers:
            tokens = layer(tokens, mask, latent)
        return self.head(tokens).to(latent)


class PaperAutoencoder(MotionAutoencoder):
    """Encoder and decoder on raw features; the latent is an output token of the encoder, of any norm."""

    predicts_contacts = False

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.encoder = PaperEncoder(config)
        self.decoder = PaperDecoder(config)
        self.text_head = self.image_head = ScaledHead(config)

    def encode(self, batch: Batch) -> Tensor:
        features = self.layout.features(batch, self.config.fps)
        with self._autocast(features.device):
            return self.encoder(features, batch.mask)

    def decode(self, latent: Tensor, mask: Tensor) -> Decoded:
        with self._autocast(latent.device):
            features = self.decoder(latent, mask)
        return Decoded(features, *self.layout.window(features, self.config.fps), None)
