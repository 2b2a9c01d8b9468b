"""The transformer layer and the time signals that encoder and decoder share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from motionclip.model.config import ModelConfig

# Dropout that is cheap on a CPU: a fifth of the random numbers and a quarter of the memory of torch's own there.
#
# torch draws one number per element and keeps the drawn factors as floats for the backward pass; with that a tenth of
# a training step of the paper's network is dropout. Here one 64-bit number of the same generator decides four elements,
# by 16 bits each, and a byte per element is kept.


_LEVELS = 1 << 16


def dropout(tokens: Tensor, rate: float, training: bool) -> Tensor:
    """Tokens (...) of which a share ``rate``, to 1 in 65,536, is 0 and the others scaled up, while training."""
    if not training or not rate:
        return tokens
    if tokens.device.type != "cpu":
        return F.dropout(tokens, rate)
    dropped: Tensor = _Dropped.apply(tokens, _kept(tokens.shape, rate), 1 / (1 - rate))
    return dropped


def _kept(shape: torch.Size, rate: float) -> Tensor:
    """Which elements stay: (...) int8, 1 or 0."""
    count = math.prod(shape)
    drawn = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    return (drawn.view(torch.int16)[:count] >= round(rate * _LEVELS) - _LEVELS // 2).view(torch.int8).view(shape)


class _Dropped(torch.autograd.Function):
    """The product of tokens, what is kept, and a scale."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, kept: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return _product(tokens, kept, scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return _product(gradient, kept, ctx.scale), None, None


def _product(tokens: Tensor, kept: Tensor, scale: float) -> Tensor:
    # The scale comes last, as a number: as a bfloat16 tensor it would be 0.15 % too small, in every layer.
    return (tokens * kept.to(tokens.dtype)).mul_(scale)


Result = TypeVar("Result")


def interleaved_sinusoid(count: int, width: int, device: torch.device) -> Tensor:
    """Sinusoidal code (count, width) of positions 0 to ``count`` - 1, sines and cosines in turn: the paper's order."""
    return sinusoid(torch.arange(count, device=device), width).unflatten(-1, (2, -1)).transpose(-1, -2).flatten(-2)


def sinusoid(positions: Tensor, width: int) -> Tensor:
    """Sinusoidal code (..., width) of positions (...,): Vaswani et al. 2017, section 3.5."""
    rates = torch.exp(torch.arange(0, width, 2, device=positions.device) * (-math.log(10_000.0) / width))
    angles = positions[..., None].float() * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Layer(nn.Module):
    """A pre-norm transformer layer, with ``condition`` numbers of the latent optionally added to every token.

    Cross-attention to a single memory token is a soft-max over one key, which is 1: it adds one
    projection of that token to every query. ``condition`` is that projection.
    """

    def __init__(self, config: ModelConfig, condition: int = 0):
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.attention_norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.feedforward)
        self.down = nn.Linear(config.feedforward, config.width)
        self.condition = nn.Linear(condition, config.width) if condition else None

    def forward(self, tokens: Tensor, mask: Tensor, latent: Tensor | None = None) -> Tensor:
        """Tokens (B, N, W), mask (B, N) true for real tokens, latent (B, condition) or none, to (B, N, W)."""
        tokens = tokens + self._drop(self._attend(self.attention_norm(tokens), mask))
        if self.condition is not None and latent is not None:
            tokens = tokens + self.condition(latent)[:, None]
        return tokens + self._drop(self._feed_forward(self.feedforward_norm, tokens)[1])

    def _attend(self, tokens: Tensor, mask: Tensor, wanted: int | None = None) -> Tensor:
        """What the first ``wanted`` tokens, or all, take from all: (B, wanted, W)."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2).expand(mask.shape[0], -1, -1, -1)
            for part in self._query_key_value(tokens, wanted)
        )
        real = mask[:, None, None, :]
        if self.training and tokens.device.type == "cpu":
            mixed = self._mix(query, key, value, real)
        else:
            rate = self.dropout if self.training else 0.0
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=real, dropout_p=rate)
        return self.out(mixed.transpose(1, 2).flatten(-2))

    def _mix(self, query: Tensor, key: Tensor, value: Tensor, real: Tensor) -> Tensor:
        """Attention spelled out: a CPU trains faster so, for these few tokens, than with the fused kernel."""
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        weights = self._drop(scores.masked_fill(~real, float("-inf")).softmax(dim=-1))
        return weights.to(value) @ value

    def _query_key_value(self, tokens: Tensor, wanted: int | None) -> tuple[Tensor, ...]:
        if wanted is None:
            return self.qkv(tokens).chunk(3, dim=-1)
        sizes = [tokens.shape[-1], 2 * tokens.shape[-1]]
        (query, others), (query_bias, other_biases) = self.qkv.weight.split(sizes), self.qkv.bias.split(sizes)
        key, value = F.linear(tokens, others, other_biases).chunk(2, dim=-1)
        return F.linear(tokens[:, :wanted], query, query_bias), key, value

    def _feed_forward(self, norm: nn.Module, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised tokens, and what the two matrices make of them, both (B, N, W).

        Norm and activation cost little, and much to keep: they are computed again for the backward pass.
        """
        normed, raised = _not_kept(self._raise, norm, tokens)
        return normed, _not_kept(self._lower, raised)

    def _raise(self, norm: nn.Module, tokens: Tensor) -> tuple[Tensor, Tensor]:
        normed = norm(tokens)
        return normed, self.up(normed)

    def _lower(self, raised: Tensor) -> Tensor:
        return self.down(self._drop(F.gelu(raised)))

    def _drop(self, tokens: Tensor) -> Tensor:
        return dropout(tokens, self.dropout, self.training)


class PostNormLayer(Layer):
    """The paper's layer: normalised after each sum, with dropout where torch's own layers have it.

    One dropout is left out: that of the cross-attention's single weight, which is always 1.
    """

    def __init__(self, config: ModelConfig, condition: int = 0):
        super().__init__(config, condition)
        self.condition_norm = nn.LayerNorm(config.width) if condition else None

    def forward(self, tokens: Tensor, mask: Tensor, latent: Tensor | None = None, wanted: int | None = None) -> Tensor:
        """As :meth:`Layer.forward`; of the first ``wanted`` tokens only, if given."""
        norm, tokens = self.attention_norm, tokens[:, :wanted] + self._drop(self._attend(tokens, mask, wanted))
        if self.condition is not None and self.condition_norm is not None and latent is not None:
            added = self.condition(latent)[:, None].expand_as(tokens)
            norm, tokens = self.condition_norm, norm(tokens) + self._drop(added)
        tokens, lowered = self._feed_forward(norm, tokens)
        return self.feedforward_norm(tokens + self._drop(lowered))


def _not_kept(function: Callable[..., Result], *arguments: object) -> Result:
    """The result of a function, whose steps on the way there are not kept for the backward pass."""
    if not torch.is_grad_enabled():
        return function(*arguments)
    result: Result = checkpoint(function, *arguments, use_reentrant=False)
    return result
