"""The transformer layers of our network and of the paper's, and the positional codes that they share.

Shapes: B windows, N tokens, W numbers of a token.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig


def sinusoid(positions: Tensor, width: int) -> Tensor:
    """Returns the sinusoidal codes (..., width) of positions (...,), first sines: Vaswani et al. 2017, section 3.5."""
    rates = torch.exp(torch.arange(0, width, 2, device=positions.device) * (-math.log(10_000.0) / width))
    angles = positions[..., None].float() * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def interleaved_sinusoid(count: int, width: int, device: torch.device) -> Tensor:
    """Returns the codes (count, width) of positions from 0, sines and cosines in turn: the paper's order."""
    return sinusoid(torch.arange(count, device=device), width).unflatten(-1, (2, -1)).transpose(-1, -2).flatten(-2)


class Layer(nn.Module):
    """A pre-norm transformer layer that adds a projection of a latent of ``condition`` numbers, if any, to every token.

    That is cross-attention to a single memory token: its soft-max over one key is 1, so every query gets the same
    projection of that token.
    """

    def __init__(self, config: ModelConfig, condition: int = 0):
        super().__init__()
        self.heads, self.dropout = config.heads, nn.Dropout(config.dropout)
        self.attention_norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.feedforward)
        self.down = nn.Linear(config.feedforward, config.width)
        self.condition = nn.Linear(condition, config.width) if condition else None

    def forward(self, tokens: Tensor, mask: Tensor, latent: Tensor | None = None) -> Tensor:
        """Returns tokens (B, N, W) of tokens (B, N, W), mask (B, N) true for real ones, and latents (B, condition)."""
        tokens = tokens + self.dropout(self._attend(self.attention_norm(tokens), mask))
        if self.condition is not None and latent is not None:
            tokens = tokens + self.condition(latent)[:, None]
        return tokens + self.dropout(self._feed_forward(self.feedforward_norm(tokens)))

    def _attend(self, tokens: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(tokens).chunk(3, dim=-1)
        )
        rate = self.dropout.p if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :], dropout_p=rate)
        return self.out(mixed.transpose(1, 2).flatten(-2))

    def _feed_forward(self, tokens: Tensor) -> Tensor:
        return self.down(self.dropout(F.gelu(self.up(tokens))))


class PostNormLayer(Layer):
    """The paper's layer: normalised after each sum, with dropout where torch's own layers have it.

    One dropout is left out: that of the cross-attention's single weight, which is always 1.
    """

    def __init__(self, config: ModelConfig, condition: int = 0):
        super().__init__(config, condition)
        self.condition_norm = nn.LayerNorm(config.width) if condition else None

    def forward(self, tokens: Tensor, mask: Tensor, latent: Tensor | None = None) -> Tensor:
        """As :meth:`Layer.forward`."""
        tokens = self.attention_norm(tokens + self.dropout(self._attend(tokens, mask)))
        if self.condition is not None and self.condition_norm is not None and latent is not None:
            # expanded first: each token drops numbers of its own
            added = self.condition(latent)[:, None].expand_as(tokens)
            tokens = self.condition_norm(tokens + self.dropout(added))
        return self.feedforward_norm(tokens + self.dropout(self._feed_forward(tokens)))
