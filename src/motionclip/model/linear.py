"""The linear path: a window at a few instants, through one matrix to the latent, and back by its transpose.

A linear auto-encoder (PCA) with as many numbers as the latent is wrong by millimetres, where a
transformer alone takes long to use its latent at all. So the network starts as that linear
auto-encoder, on windows of any length stretched to a fixed number of instants, and the
transformers learn what it lacks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motionclip.model.config import ModelConfig


def stretch(features: Tensor, lengths: Tensor, nodes: int) -> Tensor:
    """Features (B, T, C) at ``nodes`` instants, evenly spread over the first lengths (B,) frames: (B, nodes, C)."""
    share = torch.linspace(0, 1, nodes, device=features.device)
    return _at(features, share * (lengths[:, None] - 1))


def unstretch(values: Tensor, lengths: Tensor, frames: int) -> Tensor:
    """Values (B, nodes, C) at ``frames`` frames, of which the first lengths (B,) span the nodes: (B, T, C)."""
    frame = torch.arange(frames, device=values.device)
    share = (frame / (lengths[:, None] - 1).clamp(min=1)).clamp(max=1)
    return _at(values, share * (values.shape[1] - 1))


def _at(values: Tensor, instants: Tensor) -> Tensor:
    """Values (B, N, C), interpolated linearly at instants (B, M) in [0, N - 1]."""
    before = instants.floor().long().clamp(min=0, max=max(values.shape[1] - 2, 0))
    weight = (instants - before)[..., None]
    after = (before + 1).clamp(max=values.shape[1] - 1)
    return torch.lerp(take(values, before), take(values, after), weight)


def take(values: Tensor, frames: Tensor) -> Tensor:
    """Values (B, T, C) of frames (B, N): (B, N, C)."""
    return values.gather(1, frames[..., None].expand(-1, -1, values.shape[-1]))


class LinearPath(nn.Module):
    """Features to scores and scores to features, by one matrix.

    The matrix restores features from scores; its transpose, scaled as in PCA, scores them.
    """

    metric: Tensor
    variance: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.nodes = config.linear_nodes
        self.restore = nn.Linear(config.num_scores, self.nodes * config.channels)
        self.register_buffer("metric", torch.ones(self.nodes * config.channels))
        self.register_buffer("variance", torch.ones(config.num_scores))

    def encode(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, T, C) of windows of lengths (B,) to scores (B, D - 1) of about unit variance."""
        away = stretch(features, lengths, self.nodes).flatten(1) - self.restore.bias
        return (away * self.metric) @ self.restore.weight / self.variance

    def decode(self, scores: Tensor, lengths: Tensor, frames: int) -> Tensor:
        """Scores (B, D - 1) to features (B, T, C)."""
        values = self.restore(scores).unflatten(-1, (self.nodes, -1))
        return unstretch(values, lengths, frames)

    @torch.no_grad()
    def start_from_pca(self, features: Tensor, lengths: Tensor, weights: Tensor) -> None:
        """Set the matrix to the whitened principal components of sample features (B, T, C).

        Args:
            features: normalised features.
            lengths: (B,) frames of each window.
            weights: (C,) how much an error of each channel counts.
        """
        samples = stretch(features, lengths, self.nodes).flatten(1)
        weights = weights.repeat(self.nodes)
        mean = samples.mean(dim=0)
        size = min(len(self.variance), *samples.shape)
        _, spread, directions = torch.pca_lowrank((samples - mean) * weights, q=size, center=False, niter=4)
        spread = spread / len(samples) ** 0.5  # standard deviation of each score
        spread = spread.clamp(min=1e-3 * spread[0])  # directions that hardly occur are left alone
        self.restore.weight.zero_()
        self.restore.weight[:, :size].copy_(directions * spread / weights[:, None])
        self.restore.bias.copy_(mean)
        self.metric.copy_(weights.square())
        self.variance.fill_(1.0)
        self.variance[:size].copy_(spread.square())
