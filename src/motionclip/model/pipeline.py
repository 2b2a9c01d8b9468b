"""MotionCLIP: the verbs that every application is written with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from motionclip.errors import ModelError
from motionclip.model.checkpoint import SHIPPED, Network, find_model, load_network
from motionclip.model.features import Batch, from_motion, to_motions
from motionclip.model.grounding import plant_feet
from motionclip.motion import CANONICAL, Motion
from motionclip.motion.retarget import retarget
from motionclip.towers import TextTower, load_tower


class MotionCLIP:
    """A trained model with its text tower.

    Attributes:
        network: auto-encoder, text head and latent prior.
        tower: frozen text tower.
    """

    def __init__(self, network: Network, tower: TextTower):
        self.network = network.eval().requires_grad_(False)
        self.tower = tower
        self.config = network.config

    @property
    def max_seconds(self) -> float:
        """The longest motion that the model takes or makes."""
        return self.config.max_frames / self.config.fps

    def num_frames(self, seconds: float) -> int:
        """Frames of a motion of ``seconds``.

        Raises:
            ModelError: if the model cannot make that length.
        """
        frames = round(seconds * self.config.fps) if 0 < seconds < 1e6 else 0
        if not 2 <= frames <= self.config.max_frames:
            raise ModelError(f"{seconds} seconds; this model makes 0.1 to {self.max_seconds:g} seconds")
        return frames

    @torch.inference_mode()
    def encode(self, motions: Sequence[Motion]) -> Tensor:
        """Unit latents (N, D) of motions on any known skeleton, at any rate.

        Raises:
            ModelError: if a motion is longer than ``max_seconds``.
            SkeletonError: if a skeleton's joints are of no known family.
        """
        return torch.cat([self.network.autoencoder.encode(self._window(motion)) for motion in motions])

    def _window(self, motion: Motion) -> Batch:
        if motion.duration > self.max_seconds + 0.5 / self.config.fps:
            raise ModelError(
                f"a motion of {motion.duration:.2f} s; this model takes {self.max_seconds:g} s: crop it, for example "
                "with motionclip.motion.crop"
            )
        on_canonical = motion if motion.skeleton is CANONICAL else retarget(motion)
        return from_motion(on_canonical, self.config.fps)

    @torch.inference_mode()
    def decode(self, latents: Tensor, seconds: float) -> list[Motion]:
        """Motions of unit latents (N, D): canonical skeleton, from above the origin, facing +Z, feet planted."""
        mask = torch.ones(len(latents), self.num_frames(seconds), dtype=torch.bool)
        decoded = self.network.autoencoder.decode(latents, mask)
        root = plant_feet(decoded.sixd, decoded.root, decoded.contacts.sigmoid())
        return to_motions(decoded.sixd, root, self.config.fps)

    @torch.inference_mode()
    def embed_text(self, texts: Sequence[str]) -> Tensor:
        """Unit latents (N, D) of sentences: each the middle of the motions that it may mean.

        Raises:
            TextError: if a text is empty, too long, or not text.
        """
        return self.network.autoencoder.text_head(self.tower.encode_texts(texts))

    @torch.inference_mode()
    def sample(self, text_latents: Tensor, seconds: float, *, guidance: float = 2.0, seed: int = 0) -> Tensor:
        """Unit latents (N, D) of motions drawn from the prior under unit text latents (N, D)."""
        length = torch.full((len(text_latents),), self.num_frames(seconds) / self.config.fps)
        generator = torch.Generator().manual_seed(seed)
        return self.network.prior.sample(text_latents, length, guidance=guidance, steps=12, generator=generator)


def load(model: str | Path = SHIPPED) -> MotionCLIP:
    """A trained model: the name of a shipped one, a model folder, or a run folder.

    Raises:
        ModelError: if the model or its tower's weights are missing or damaged.
    """
    network = load_network(find_model(model))
    return MotionCLIP(network, load_tower(network.config.tower))
