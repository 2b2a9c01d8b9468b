"""Inference in bfloat16: half the time and memory of matrix products, on processors and GPUs that compute in it.

Transformers and prior are turned; what is small and has to be exact stays in float32: principal components, text and
image heads, the matcher, and all that happens between network and body.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motionclip.model.autoencoder import EmbeddingHead
from motionclip.model.network import PCAAutoencoder

_EXACT = (PCAAutoencoder, EmbeddingHead)


class InBfloat16(nn.Module):
    """A linear layer that computes in bfloat16 between inputs and outputs in float32."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.linear = linear.bfloat16()

    def forward(self, values: Tensor) -> Tensor:
        """Returns the module's output (..., M) for values (..., N)."""
        return self.linear(values.bfloat16()).float()


def turn_to_bfloat16(network: nn.Module) -> None:
    """Makes the matrix products of a network in inference be computed in bfloat16; it can't be saved afterwards."""
    for name, child in network.named_children():
        if isinstance(child, nn.Linear):
            setattr(network, name, InBfloat16(child))
        elif not isinstance(child, _EXACT):
            turn_to_bfloat16(child)


def is_in_bfloat16(network: nn.Module) -> bool:
    """Whether :func:`turn_to_bfloat16` was called on a network."""
    return any(isinstance(module, InBfloat16) for module in network.modules())


def has_bfloat16(device: str | torch.device) -> bool:
    """Whether a device computes in bfloat16; a processor that has to imitate it takes several times longer.

    oneDNN calls it supported on any processor with AVX-512, so the instructions themselves are asked for.
    """
    if torch.device(device).type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.cuda.is_bf16_supported()
