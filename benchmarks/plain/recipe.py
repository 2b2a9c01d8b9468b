"""One training step of the published recipe, plainly: both of CLIP's encoders and two SMPL bodies in every step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPConfig, CLIPModel

from plain.network import FRAMES, Decoder, Encoder
from plain.smpl import JOINTS, SHAPES, Smpl, sixd_to_matrix

TEXT_TOKENS, PICTURE_SIZE, END_OF_TEXT = 77, 224, 49407


class PlainRecipe:
    """The network, a frozen CLIP ViT-B/32 of random weights, a random SMPL, and AdamW.

    Args:
        frames: (N, 150) features of a data set, one frame after another.
        device: where all of it is.
    """

    def __init__(self, frames: Tensor, device: torch.device):
        self.frames, self.device = frames.to(device), device
        self.encoder, self.decoder = Encoder().to(device), Decoder().to(device)
        self.clip, self.smpl = CLIPModel(CLIPConfig()).eval().to(device), Smpl().to(device)
        self.optimizer = torch.optim.AdamW([*self.encoder.parameters(), *self.decoder.parameters()], lr=1e-4)

    def step(self, batch: int, lap: Callable[[str], None]) -> float:
        """One step on random windows; ``lap`` is called with the name of each part as it ends. Returns the loss.

        Words come as tokens and pictures as CLIP's pixels: the work of making those is not counted.
        """
        x, mask = self._windows(batch)
        words = torch.randint(0, END_OF_TEXT, (batch, TEXT_TOKENS), device=self.device)
        words[:, -1] = END_OF_TEXT
        pictures = torch.randn(batch, 3, PICTURE_SIZE, PICTURE_SIZE, device=self.device)
        lap("batch")
        with torch.no_grad():
            text = self.clip.get_text_features(input_ids=words).pooler_output
            image = self.clip.get_image_features(pixel_values=pictures).pooler_output
        lap("text encoders")
        latent = self.encoder(x, mask)
        decoded = self.decoder(latent, mask)
        lap("transformers, forward")
        loss = self.losses(x, decoded, latent, text, image)
        lap("losses, forward")
        self.optimizer.zero_grad()
        decoded.register_hook(lambda gradient: lap("losses, backward"))
        loss.backward()
        lap("transformers, backward")
        self.optimizer.step()
        lap("optimiser")
        return loss.item()

    def losses(self, x: Tensor, decoded: Tensor, latent: Tensor, text: Tensor, image: Tensor) -> Tensor:
        """The paper's sum: features, velocities, vertices, and the two cosines."""
        features = F.mse_loss(decoded, x)
        velocities = F.mse_loss(decoded.diff(dim=1), x.diff(dim=1))
        vertices = F.mse_loss(self._vertices(decoded), self._vertices(x))
        cosines = [1 - F.cosine_similarity(latent, other).mean() for other in (text, image)]
        return features + velocities + vertices + 0.01 * sum(cosines)

    def _vertices(self, features: Tensor) -> Tensor:
        sixd = features[..., : 6 * JOINTS].reshape(-1, JOINTS, 6)
        return self.smpl(sixd_to_matrix(sixd), sixd.new_zeros(len(sixd), SHAPES))

    def _windows(self, batch: int) -> tuple[Tensor, Tensor]:
        starts = torch.randint(0, len(self.frames) - FRAMES, (batch,)).tolist()
        x = torch.stack([self.frames[start : start + FRAMES] for start in starts])
        return x, torch.ones(batch, FRAMES, dtype=torch.bool, device=self.device)
