"""Tower embeddings to the latent."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig


class LinearHead(nn.Module):
    """A linear map to the unit sphere, so that the tower's own geometry carries over."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.linear = nn.Linear(config.tower_dim, config.latent_dim)
        if config.tower_dim == config.latent_dim:
            nn.init.eye_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """Embeddings (N, tower_dim) to unit latents (N, D)."""
        return F.normalize(self.linear(embedding), dim=-1)


class TextHead(LinearHead):
    """A linear map behind another one, `paraphrase`, in whose image sentences about the same motion lie together.

    The inner map is learned from sentences alone and held while the outer one learns from motions: described motions
    are too few to say how people vary their words. As long as it has not learned, it is the identity.
    """

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.paraphrase = nn.Linear(config.tower_dim, config.tower_dim).requires_grad_(False)
        nn.init.eye_(self.paraphrase.weight)
        nn.init.zeros_(self.paraphrase.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """Embeddings (N, tower_dim) to unit latents (N, D)."""
        return super().forward(F.normalize(self.paraphrase(embedding), dim=-1))


class ScaledHead(nn.Module):
    """The paper's: the latent is the tower's space; embeddings are only given the norm that the decoder expects."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm = config.embedding_norm

    def forward(self, embedding: Tensor) -> Tensor:
        """Embeddings (N, D) to latents (N, D) of norm ``embedding_norm``."""
        return F.normalize(embedding, dim=-1) * self.norm
