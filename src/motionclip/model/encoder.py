"""Motion features to a latent: what the linear path's scores lack."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motionclip.model.config import ModelConfig
from motionclip.model.layers import Layer, sinusoid


def token_mask(mask: Tensor, frames_per_token: int) -> Tensor:
    """Frame mask (B, T) to token mask (B, T / frames_per_token): a token with any real frame is real."""
    return mask.unflatten(1, (-1, frames_per_token)).any(dim=-1)


class MotionEncoder(nn.Module):
    """Transformer over motion tokens with learned prefix tokens, whose outputs are added to the latent."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.channels * config.frames_per_token, config.width)
        self.prefix = nn.Parameter(torch.randn(config.prefix_tokens, config.width) * 0.02)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.prefix_tokens * config.width, config.num_scores)
        nn.init.zeros_(self.head.weight)  # training starts at the linear path
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Normalised features (B, T, C) and mask (B, T) to corrections (B, D - 1) of the scores.

        T must be a multiple of ``frames_per_token``; padding frames do not change the result.
        """
        step = self.config.frames_per_token
        frames = (features * mask[..., None]).unflatten(1, (-1, step)).flatten(-2)
        tokens = self.embed(frames)  # (B, N, W)
        tokens = tokens + sinusoid(torch.arange(tokens.shape[1], device=tokens.device), tokens.shape[-1])
        prefix = self.prefix.expand(tokens.shape[0], -1, -1).to(tokens)
        tokens = torch.cat([prefix, tokens], dim=1)
        real = token_mask(mask, step)
        real = torch.cat([real.new_ones(real.shape[0], prefix.shape[1]), real], dim=1)
        for layer in self.layers:
            tokens = layer(tokens, real)
        read = self.norm(tokens[:, : prefix.shape[1]]).flatten(1)
        return self.head(read).float()
