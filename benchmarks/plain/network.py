"""The published network, as its paper says it and as torch's own layers make it easiest to write.

Dimensions and layer order are those of Tevet et al., "MotionCLIP", ECCV 2022. It is what a reader of the
paper would write first: nothing is done here to be fast or slow.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

CHANNELS, WIDTH, HEADS, FEEDFORWARD, LAYERS, DROPOUT, FRAMES = 25 * 6, 512, 4, 1024, 8, 0.1, 60


class PositionalEncoding(nn.Module):
    """Adds sines and cosines of the position, then drops out."""

    def __init__(self, longest: int = 5000):
        super().__init__()
        position = torch.arange(longest)[:, None]
        rates = torch.exp(torch.arange(0, WIDTH, 2) * (-math.log(10_000.0) / WIDTH))
        codes = torch.zeros(longest, WIDTH)
        codes[:, 0::2], codes[:, 1::2] = torch.sin(position * rates), torch.cos(position * rates)
        self.register_buffer("codes", codes)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, N, W) to (B, N, W)."""
        return self.dropout(tokens + self.codes[: tokens.shape[1]])


class Encoder(nn.Module):
    """Frames (B, T, C) and mask (B, T) to latents (B, W), read at a learned token in front."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(CHANNELS, WIDTH)
        self.prefix = nn.Parameter(torch.randn(1, WIDTH))
        self.positions = PositionalEncoding()
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, FEEDFORWARD, DROPOUT, "gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        each_of_its_own(self.layers)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        tokens = torch.cat([self.prefix.expand(len(frames), -1, -1), self.embed(frames)], dim=1)
        padding = torch.cat([mask.new_zeros(len(mask), 1), ~mask], dim=1)
        return self.layers(self.positions(tokens), src_key_padding_mask=padding)[:, 0]


class Decoder(nn.Module):
    """Latents (B, W) and mask (B, T) to frames (B, T, C): positional codes ask, the latent is the only memory."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = PositionalEncoding()
        layer = nn.TransformerDecoderLayer(WIDTH, HEADS, FEEDFORWARD, DROPOUT, "gelu", batch_first=True)
        self.layers = nn.TransformerDecoder(layer, LAYERS)
        each_of_its_own(self.layers)
        self.head = nn.Linear(WIDTH, CHANNELS)

    def forward(self, latent: Tensor, mask: Tensor) -> Tensor:
        queries = self.positions(latent.new_zeros(*mask.shape, WIDTH))
        return self.head(self.layers(queries, latent[:, None], tgt_key_padding_mask=~mask))


def each_of_its_own(stack: nn.Module) -> None:
    """Initialise every matrix anew: torch's stacks are copies of one layer, so all would start equal."""
    for parameter in stack.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
