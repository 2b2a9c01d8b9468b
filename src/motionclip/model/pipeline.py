"""MotionCLIP: the verbs that every application is written with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.encoders import ImageEncoder, TextEncoder, load_text_encoder
from motionclip.errors import ModelError
from motionclip.model.autoencoder import Decoded
from motionclip.model.checkpoint import SHIPPED, Network, find_model, load_network
from motionclip.model.features import Batch, from_motion, to_motions
from motionclip.model.postprocessing import ground, limit_heading, limit_swings
from motionclip.motion import Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical

#: Steps of the prior's flow; four times as many move the joints of a motion by 1 to 3 mm on average.
FLOW_STEPS = 12
#: The same where a latent is carried: back and forth again, it then comes within a millimetre of where it was.
_CARRY_STEPS = 24
#: Windows that go through the network together; bounds the memory of long lists.
_CHUNK = 64


class MotionCLIP:
    """A trained model with its text encoder.

    Attributes:
        network: auto-encoder, text head and latent prior.
        text_encoder: frozen text encoder.
    """

    def __init__(self, network: Network, text_encoder: TextEncoder):
        self.network = network.eval().requires_grad_(False)
        self.text_encoder = text_encoder
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

    @property
    def has_prior(self) -> bool:
        """Whether the model has a latent prior, which draws motions under words and translates them."""
        return self.network.prior is not None

    @torch.inference_mode()
    def encode(self, motions: Sequence[Motion]) -> Tensor:
        """Returns the latents (N, D) of motions on any known skeleton, at any rate: unit, but for the paper's network.

        Raises:
            ModelError: if a motion is longer than ``max_seconds``.
            SkeletonError: if a skeleton's joints are of no known family.
        """
        windows = [self._window(motion) for motion in motions]
        latents = torch.empty(len(windows), self.config.latent_dim, device=self.device)
        # windows of like length go together, so that little is padded
        order = sorted(range(len(windows)), key=lambda number: windows[number].mask.shape[1])
        for start in range(0, len(order), _CHUNK):
            chosen = order[start : start + _CHUNK]
            latents[chosen] = self.encode_batch(Batch.padded([windows[number] for number in chosen])).to(latents)
        return latents

    def encode_batch(self, batch: Batch) -> Tensor:
        """Returns the latents (B, D) of windows; differentiable."""
        latents: Tensor = self.network.autoencoder.encode(batch.to(self.device))
        return latents

    def _window(self, motion: Motion) -> Batch:
        if motion.duration > self.max_seconds + 0.5 / self.config.fps:
            raise ModelError(
                f"a motion of {motion.duration:.2f} s; this model takes {self.max_seconds:g} s: crop it, for example "
                "with motionclip.motion.crop"
            )
        return from_motion(on_canonical(motion), self.config.fps)

    @torch.inference_mode()
    def decode(self, latents: Tensor, seconds: float) -> list[Motion]:
        """Returns the motions of latents (N, D): canonical skeleton, from above the origin, facing +Z, feet locked.

        The output of the paper's network is returned as it is, since it predicts no contacts.

        Raises:
            ModelError: if the model cannot make that length.
        """
        frames = self.num_frames(seconds)
        return [motion for part in latents.split(_CHUNK) for motion in self._motions(part, frames)]

    def _motions(self, latents: Tensor, frames: int) -> list[Motion]:
        mask = torch.ones(len(latents), frames, dtype=torch.bool, device=self.device)
        decoded = self.decode_batch(latents.to(self.device), mask)
        rotations, root = rot.sixd_to_matrix(decoded.sixd), decoded.root
        if decoded.contacts is not None:
            rotations = limit_heading(rotations, self.config.fps)
            rotations, root = ground(rotations, root, decoded.contacts.sigmoid())
            rotations = limit_swings(rotations, self.config.fps)
        return to_motions(rotations.cpu(), root.cpu(), self.config.fps)

    def decode_batch(self, latents: Tensor, mask: Tensor) -> Decoded:
        """Returns the decoder's output for latents (B, D) and the frames of mask (B, T), uncorrected; differentiable."""
        return self.network.autoencoder.decode(latents, mask)

    def to_tangent(self, latents: Tensor) -> Tensor:
        """Returns latents (..., D) as points (..., P) of a plane on which sums and means of latents are latents again.

        The latents of our network are unit vectors: the gnomonic projection of a plane that touches the sphere, with
        P = D - 1 (:mod:`motionclip.model.network`). The paper's latents are no unit vectors and are returned as they are.
        """
        return self.network.autoencoder.to_tangent(latents)

    def from_tangent(self, points: Tensor) -> Tensor:
        """Returns the latents (..., D) of points (..., P), the inverse of :meth:`to_tangent`."""
        return self.network.autoencoder.from_tangent(points)

    @torch.inference_mode()
    def embed_text(self, texts: Sequence[str]) -> Tensor:
        """Latents (N, D) of sentences: each the middle of the motions that it may mean.

        Raises:
            TextError: if a text is empty, too long, or not text.
        """
        return self.network.autoencoder.text_head(self.text_encoder.encode_texts(texts).to(self.device))

    @torch.inference_mode()
    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Latents (N, D) of pictures (H, W, 3), RGB.

        Raises:
            ModelError: if the model or its text encoder knows no pictures.
        """
        head, text_encoder = self.network.autoencoder.image_head, self.text_encoder
        if head is None or not isinstance(text_encoder, ImageEncoder):
            raise ModelError(
                f"this model with the text encoder {text_encoder.name!r} knows no pictures; adapt it to a CLIP text encoder "
                "(`motionclip adapt`), or train one with pictures"
            )
        return head(text_encoder.encode_images(images).to(self.device))

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
        noise = torch.randn(1, self.config.num_coefficients, generator=torch.Generator().manual_seed(seed))
        start = noise.to(self.device).expand(count, -1)
        return prior.sample(start, text_latents, length, guidance=guidance, steps=FLOW_STEPS)

    @torch.inference_mode()
    def translate(
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


def load(model: str | Path = SHIPPED, *, device: str = "cpu", encoder_weights: str | Path | None = None) -> MotionCLIP:
    """A trained model: the name of a shipped one, a model folder, or a run folder.

    Args:
        model: its name or folder.
        device: where to compute.
        encoder_weights: folder or file of the text encoder's weights, if they are not where the text encoder looks for them.

    Raises:
        ModelError: if the model or its text encoder's weights are missing or damaged.
    """
    network = load_network(find_model(model))
    return MotionCLIP(network.to(device), load_text_encoder(network.config.text_encoder, encoder_weights, device))
