"""The transformer layer and the time signals that encoder and decoder share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig


def sinusoid(positions: Tensor, width: int) -> Tensor:
    """Sinusoidal code (..., width) of positions (...,): Vaswani et al. 2017, section 3.5."""
    rates = torch.exp(torch.arange(0, width, 2, device=positions.device) * (-math.log(10_000.0) / width))
    angles = positions[..., None].float() * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Layer(nn.Module):
    """A pre-norm transformer layer, with the latent's scores optionally added to every token.

    Cross-attention to a single memory token is a soft-max over one key, which is 1: it adds one
    projection of that token to every query. ``condition`` is that projection.
    """

    def __init__(self, config: ModelConfig, conditioned: bool):
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.attention_norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.feedforward)
        self.down = nn.Linear(config.feedforward, config.width)
        self.condition = nn.Linear(config.num_scores, config.width) if conditioned else None

    def forward(self, tokens: Tensor, mask: Tensor, scores: Tensor | None = None) -> Tensor:
        """Tokens (B, N, W), mask (B, N) true for real tokens, scores (B, D - 1) or none, to (B, N, W)."""
        tokens = tokens + self._drop(self._attend(self.attention_norm(tokens), mask))
        if self.condition is not None and scores is not None:
            tokens = tokens + self.condition(scores)[:, None]
        hidden = self._drop(F.gelu(self.up(self.feedforward_norm(tokens))))
        return tokens + self._drop(self.down(hidden))

    def _attend(self, tokens: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(tokens).chunk(3, dim=-1)
        )
        # Spelled out: for these few tokens it trains faster on a CPU than the fused kernel (whose backward is slow).
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        weights = scores.masked_fill(~mask[:, None, None, :], float("-inf")).softmax(dim=-1)
        mixed = weights.to(value) @ value
        return self.out(mixed.transpose(1, 2).flatten(-2))

    def _drop(self, tokens: Tensor) -> Tensor:
        return F.dropout(tokens, self.dropout, self.training)
