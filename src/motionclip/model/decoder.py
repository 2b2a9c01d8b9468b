"""A point on the latent sphere to motion features, for any number of frames.

The latent reaches each frame in two ways. As in the paper, a projection of it is added to every
token in every layer. And, because the same vector for every frame leaves the network to make all
of time by itself, the tokens start as the frames that the linear path makes of the latent; the
transformer corrects those.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig
from motionclip.model.encoder import token_mask
from motionclip.model.layers import Layer, sinusoid
from motionclip.motion.contacts import CONTACT_JOINTS

CONTACT_CHANNELS = len(CONTACT_JOINTS)


class MotionDecoder(nn.Module):
    """Transformer over drafted frames; its result is smoothed by a convolution over single frames."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.channels * config.frames_per_token, config.width)
        self.layers = nn.ModuleList(Layer(config, config.num_scores) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.unfold = nn.Linear(config.width, config.frames_per_token * config.refiner_width)
        self.smooth = nn.Conv1d(config.refiner_width, config.refiner_width, kernel_size=5, padding=2)
        self.head = nn.Linear(config.refiner_width, config.channels + CONTACT_CHANNELS)
        nn.init.zeros_(self.head.weight)  # training starts at the linear path
        nn.init.zeros_(self.head.bias)

    def forward(self, scores: Tensor, draft: Tensor, mask: Tensor) -> Tensor:
        """Corrections of a draft, and contact logits: (B, T, C + 4).

        Args:
            scores: (B, D - 1) of the latent, of about unit variance.
            draft: (B, T, C) normalised features that the linear path makes of it.
            mask: (B, T) true for real frames; T a multiple of ``frames_per_token``.
        """
        real = token_mask(mask, self.config.frames_per_token)
        tokens = self.embed((draft * mask[..., None]).unflatten(1, (real.shape[1], -1)).flatten(-2))
        tokens = tokens + sinusoid(torch.arange(real.shape[1], device=scores.device), tokens.shape[-1])
        for layer in self.layers:
            tokens = layer(tokens, real, scores)
        frames = self.unfold(self.norm(tokens)).unflatten(-1, (self.config.frames_per_token, -1)).flatten(1, 2)
        frames = frames * mask[..., None]
        frames = frames + F.gelu(self.smooth(frames.transpose(1, 2)).transpose(1, 2))
        return self.head(frames).float()
