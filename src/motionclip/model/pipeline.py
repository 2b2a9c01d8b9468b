"""MotionCLIP: the verbs that every application is written with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.errors import ModelError
from motionclip.model.checkpoint import SHIPPED, Network, find_model, load_network
from motionclip.model.features import Batch, from_motion, to_motions
from motionclip.model.grounding import ground
from motionclip.model.steadying import limit_heading, limit_swings
from motionclip.motion import Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical
from motionclip.towers import ImageTower, TextTower, load_tower

#: Steps of the prior's flow; four times as many move the joints of a motion by 1 to 3 mm on average.
FLOW_STEPS = 12
#: The same where a latent is carried: back and forth again, it then comes within a millimetre of where it was.
_CARRY_STEPS = 24


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
    def device(self) -> torch.device:
        """Where the network computes."""
        return next(self.network.parameters()).device

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
            least = 2 / self.config.fps
            raise ModelError(f"{seconds} seconds; this model makes {least:.2g} to {self.max_seconds:g} seconds")
        return frames

    @torch.inference_mode()
    def encode(self, motions: Sequence[Motion]) -> Tensor:
        """Latents (N, D) of motions on any known skeleton, at any rate: unit, but for the paper's network.

        Raises:
            ModelError: if a motion is longer than ``max_seconds``.
            SkeletonError: if a skeleton's joints are of no known family.
        """
        latents = [self.network.autoencoder.encode(self._window(motion)) for motion in motions]
        return torch.cat(latents) if latents else torch.empty(0, self.config.latent_dim, device=self.device)

    def _window(self, motion: Motion) -> Batch:
        if motion.duration > self.max_seconds + 0.5 / self.config.fps:
            raise ModelError(
                f"a motion of {motion.duration:.2f} s; this model takes {self.max_seconds:g} s: crop it, for example "
                "with motionclip.motion.crop"
            )
        return from_motion(on_canonical(motion), self.config.fps).to(self.device)

    @torch.inference_mode()
    def decode(self, latents: Tensor, seconds: float) -> list[Motion]:
        """Motions of latents (N, D): canonical skeleton, from above the origin, facing +Z, feet planted.

        What the paper's network says is left as it is: it knows nothing of contacts.
        """
        mask = torch.ones(len(latents), self.num_frames(seconds), dtype=torch.bool, device=self.device)
        decoded = self.network.autoencoder.decode(latents.to(self.device), mask)
        rotations, root = rot.sixd_to_matrix(decoded.sixd), decoded.root
        if decoded.contacts is not None:
            rotations = limit_heading(rotations, self.config.fps)
            rotations, root = ground(rotations, root, decoded.contacts.sigmoid())
            rotations = limit_swings(rotations, self.config.fps)
        return to_motions(rotations.cpu(), root.cpu(), self.config.fps)

    @torch.inference_mode()
    def embed_text(self, texts: Sequence[str]) -> Tensor:
        """Latents (N, D) of sentences: each the middle of the motions that it may mean.

        Raises:
            TextError: if a text is empty, too long, or not text.
        """
        return self.network.autoencoder.text_head(self.tower.encode_texts(texts).to(self.device))

    @torch.inference_mode()
    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Latents (N, D) of pictures (H, W, 3), RGB.

        Raises:
            ModelError: if the model or its tower knows no pictures.
        """
        head, tower = self.network.autoencoder.image_head, self.tower
        if head is None or not isinstance(tower, ImageTower):
            raise ModelError(
                f"this model with the tower {tower.name!r} knows no pictures; adapt it to a CLIP tower "
                "(`motionclip adapt`), or train one with pictures"
            )
        return head(tower.encode_images(images).to(self.device))

    @torch.inference_mode()
    def sample(self, text_latents: Tensor, seconds: float, *, guidance: float, seed: int) -> Tensor:
        """Latents (N, D) of motions drawn from the prior under text latents (N, D).

        A model without a prior has one motion for each text, that of the text's own point.
        Every text starts from the same noise, drawn on the CPU: what a text becomes depends on the
        seed alone, not on its neighbours or the device.

        Raises:
            ModelError: if the model cannot make that length, or the guidance is not finite.
        """
        count, prior = len(text_latents), self.network.prior
        length = self._flow_seconds(count, seconds, guidance)
        if prior is None:
            return text_latents
        noise = torch.randn(1, self.config.num_scores, generator=torch.Generator().manual_seed(seed))
        start = noise.to(self.device).expand(count, -1)
        return prior.sample(start, text_latents, length, guidance=guidance, steps=FLOW_STEPS)

    @torch.inference_mode()
    def carry(
        self, latents: Tensor, source: Tensor | None, target: Tensor | None, seconds: float, *, guidance: float
    ) -> Tensor:
        """Latents (N, D) of motions that are like those of latents (N, D), but as another text says.

        Args:
            latents: of motions.
            source: (N, D) text latents of what they do; None if nothing is said of it.
            target: (N, D) text latents of what they are to do; None for anything.
            seconds: length of the motions.
            guidance: above 1 leans towards the texts, both that of the source and that of the target.

        Raises:
            ModelError: if the model has no prior or cannot make that length, or the guidance is not finite.
        """
        prior = self.network.prior
        if prior is None:
            raise ModelError("this model has no latent prior, along whose flow a latent could be carried; add latents")
        length = self._flow_seconds(len(latents), seconds, guidance)
        before, after = (prior.no_text.expand_as(latents) if text is None else text for text in (source, target))
        return prior.carry(latents.to(self.device), before, after, length, guidance=guidance, steps=_CARRY_STEPS)

    def _flow_seconds(self, count: int, seconds: float, guidance: float) -> Tensor:
        """Lengths (count,) for the prior, of motions of ``seconds`` in whole frames."""
        if not math.isfinite(guidance):
            raise ModelError(f"a guidance of {guidance}; expected a finite number, such as 1.5")
        return torch.full((count,), self.num_frames(seconds) / self.config.fps, device=self.device)


def load(model: str | Path = SHIPPED, *, device: str = "cpu", tower_weights: str | Path | None = None) -> MotionCLIP:
    """A trained model: the name of a shipped one, a model folder, or a run folder.

    Args:
        model: its name or folder.
        device: where to compute.
        tower_weights: folder or file of the tower's weights, if they are not where the tower looks for them.

    Raises:
        ModelError: if the model or its tower's weights are missing or damaged.
    """
    network = load_network(find_model(model))
    return MotionCLIP(network.to(device), load_tower(network.config.tower, tower_weights, device))
