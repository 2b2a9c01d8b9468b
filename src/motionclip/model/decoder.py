"""A point on the latent sphere to motion features, for any number of frames.

The latent reaches each frame in two ways. As in the paper, a projection of it is added to every
token in every layer. And, because the same vector for every frame leaves the network to make all
of time by itself, the latent also generates K vectors that are mixed over time by K learned
functions of the frame's place: a temporal basis, to which a linear model (PCA) is close kin.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig
from motionclip.model.encoder import token_mask
from motionclip.model.features import CONTACT_CHANNELS, FEATURE_CHANNELS
from motionclip.model.layers import Layer, sinusoid


class TemporalBasis(nn.Module):
    """Query tokens from a latent: K generated vectors, mixed by K learned functions of time."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.size, self.code_width = config.basis_size, config.width // 2
        self.vectors = nn.Linear(config.latent_dim, config.basis_size * config.basis_rank)
        self.functions = nn.Sequential(
            nn.Linear(3 * self.code_width, config.width), nn.GELU(), nn.Linear(config.width, config.basis_size)
        )
        self.expand = nn.Linear(config.basis_rank, config.width)

    def forward(self, latent: Tensor, counts: Tensor, num_tokens: int) -> Tensor:
        """Latents (B, D) and each motion's number of tokens (B,) to queries (B, N, W)."""
        place = torch.arange(num_tokens, device=latent.device).expand(latent.shape[0], -1)  # (B, N)
        last = (counts - 1).clamp(min=1)[:, None]
        code = [
            sinusoid(place, self.code_width),
            sinusoid(place / last * 100.0, self.code_width),  # progress through this motion
            sinusoid(last.expand_as(place), self.code_width),
        ]
        mixing = self.functions(torch.cat(code, dim=-1))  # (B, N, K)
        vectors = self.vectors(latent).unflatten(-1, (self.size, -1))  # (B, K, R)
        return self.expand(mixing @ vectors.to(mixing))


class MotionDecoder(nn.Module):
    """Transformer over time queries; the result is refined by convolutions over single frames."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.basis = TemporalBasis(config)
        self.layers = nn.ModuleList(Layer(config, conditioned=True) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.unfold = nn.Linear(config.width, config.frames_per_token * config.refiner_width)
        self.smooth = nn.Conv1d(config.refiner_width, config.refiner_width, kernel_size=5, padding=2)
        self.head = nn.Linear(config.refiner_width, FEATURE_CHANNELS + CONTACT_CHANNELS)

    def forward(self, latent: Tensor, mask: Tensor) -> Tensor:
        """Unit latents (B, D) and mask (B, T) to normalised features and contact logits (B, T, C + 4)."""
        latent = latent * self.config.latent_dim**0.5  # unit variance per number
        real = token_mask(mask, self.config.frames_per_token)
        tokens = self.basis(latent, real.sum(dim=1), real.shape[1])
        tokens = tokens + sinusoid(torch.arange(real.shape[1], device=latent.device), tokens.shape[-1])
        for layer in self.layers:
            tokens = layer(tokens, real, latent)
        frames = self.unfold(self.norm(tokens)).unflatten(-1, (self.config.frames_per_token, -1)).flatten(1, 2)
        frames = frames * mask[..., None]
        frames = frames + F.gelu(self.smooth(frames.transpose(1, 2)).transpose(1, 2))
        return self.head(frames).float()
