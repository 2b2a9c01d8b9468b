"""MotionCLIP: a trained model and its text encoder, the interface that every application is written with.

Motions, texts, images and latents come in lists and go out in the same order. ``encode`` and ``decode`` work on
:class:`~motionclip.motion.Motion`; ``encode_batch`` and ``decode_batch`` are their twins on tensors, which gradients
flow through. Shapes: N items, B windows of a batch, T frames, D numbers of a latent, P of a point of the tangent plane,
J of a joint embedding.

Motions are drawn and decoded by latents. Where motions and words are compared it is by their *joint embeddings*: unit
vectors that hold the latent and the matcher's embedding side by side, each of length 1 over the root of 2, so that the
inner product of two is the mean of both cosines (docs/experiments.md). Without a matcher it is the unit latent alone.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.encoders import ImageEncoder, TextEncoder, load_text_encoder
from motionclip.errors import ModelError
from motionclip.model.autoencoder import Decoded, EmbeddingHead, MotionAutoencoder
from motionclip.model.bfloat16 import has_bfloat16, is_in_bfloat16, turn_to_bfloat16
from motionclip.model.checkpoint import SHIPPED, Network, find_model, load_network, save_network
from motionclip.model.features import Batch, from_motion, to_motions
from motionclip.model.known_words import KnownWords, load_known_words
from motionclip.model.matcher import Matcher, load_matcher
from motionclip.model.postprocessing import postprocess
from motionclip.model.prior import LatentPrior
from motionclip.motion import Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical
from motionclip.seeds import following_seed
from motionclip.sides import mirror_words

#: Steps of Heun's method for translation along the prior's flow, back and forth: a latent then returns to within a
#: millimetre.
_TRANSLATION_STEPS = 24
#: How much farther a text is led from the one with the sides exchanged than it is: docs/experiments.md.
_SIDE_CONTRAST = 0.5
#: Windows that go through the network together: bounds the memory that long lists take.
_CHUNK = 64


class MotionCLIP:
    """A trained model with its text encoder.

    Attributes:
        network: the trained modules: autoencoder with its text and image heads, and latent prior.
        text_encoder: frozen encoder of texts, and of images if it is an :class:`~motionclip.encoders.ImageEncoder`.
        config: sizes and choices of the network.
        known_words: texts that it learned from, if they were saved with it.
        matcher: network by which takes of words are ranked, if one was saved with it.
    """

    def __init__(
        self,
        network: Network,
        text_encoder: TextEncoder,
        known_words: KnownWords | None = None,
        matcher: Matcher | None = None,
    ):
        self.known_words, self.matcher = known_words, matcher
        self.network = network.eval().requires_grad_(False)
        self.text_encoder = text_encoder
        self.config = network.config

    @property
    def autoencoder(self) -> MotionAutoencoder:
        """The autoencoder and its heads as a module, for exporters that trace one; ``encode_batch`` calls it."""
        return self.network.autoencoder

    @property
    def prior(self) -> LatentPrior | None:
        """The latent prior as a module, for exporters that trace one; ``sample`` and ``translate`` call it."""
        return self.network.prior

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return next(self.network.parameters()).device

    @property
    def max_seconds(self) -> float:
        """Length of the longest motion that the model encodes or decodes, seconds."""
        return self.config.max_frames / self.config.fps

    def num_frames(self, seconds: float) -> int:
        """Returns the number of frames of a motion of ``seconds``.

        Raises:
            ModelError: if the model cannot make that length.
        """
        least = 2 / self.config.fps
        frames = round(seconds * self.config.fps) if least - 1e-6 < seconds < 1e6 else 0
        if not 2 <= frames <= self.config.max_frames:
            raise ModelError(
                f"{seconds} seconds; this model makes {least:.2g} to {self.max_seconds:g} seconds at once; "
                "a storyboard joins several to a longer one"
            )
        return frames

    @property
    def has_prior(self) -> bool:
        """Whether the model has a latent prior, which draws motions under texts and translates them."""
        return self.network.prior is not None

    @property
    def predicts_contacts(self) -> bool:
        """Whether the decoder predicts foot contacts, by which ``decode`` locks feet."""
        return self.network.autoencoder.predicts_contacts

    @property
    def has_text_head(self) -> bool:
        """Whether texts and images reach the latent through heads of the model's own, which :meth:`adapted` keeps."""
        return isinstance(self.network.autoencoder.text_head, EmbeddingHead)

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the sizes and weights: the key of what is stored of this model's embeddings."""
        digest = sha256(repr(sorted(self.config.to_dict().items())).encode())
        weights = self.network.state_dict() | ({} if self.matcher is None else self.matcher.state_dict())
        for name, tensor in sorted(weights.items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().flatten().view(torch.uint8).numpy())
        return digest.hexdigest()

    def with_text_encoder(self, text_encoder: TextEncoder) -> MotionCLIP:
        """Returns the same network behind another encoder of the same embeddings, such as one that remembers them.

        Raises:
            ModelError: if its embeddings are of another size.
        """
        if text_encoder.dim != self.config.text_dim:
            raise ModelError(
                f"the text encoder {text_encoder.name!r} gives {text_encoder.dim} numbers; this model takes "
                f"{self.config.text_dim}: adapt it (`motionclip adapt`)"
            )
        return MotionCLIP(self.network, text_encoder, self.known_words, self.matcher)

    @torch.no_grad()
    def adapted(
        self, text_encoder: TextEncoder, weight: Tensor, text_bias: Tensor, image_bias: Tensor | None = None
    ) -> MotionCLIP:
        """Returns a copy that takes another text encoder's embeddings, led to those that it knows by a linear map.

        Args:
            text_encoder: the other text encoder, of E numbers.
            weight: (text_dim, E) of the map weight @ embedding + bias, for texts and images.
            text_bias: (text_dim,) for texts.
            image_bias: (text_dim,) for images; None for a model that takes no images.

        Raises:
            ModelError: if the model has no heads of its own, or was loaded in bfloat16.
        """
        self._check_exact()
        if not self.has_text_head:
            raise ModelError(
                "the paper's network has its text encoder's space as latent; train it with that text encoder instead"
            )
        config = self.config.with_text_encoder(text_encoder.name, text_encoder.dim, image_head=image_bias is not None)
        network = Network(dataclasses.replace(config, text_inner=self.config.text_inner or self.config.text_dim))
        state = {name: value for name, value in self.network.state_dict().items() if ".image_head." not in name}
        for kind, bias in (("text_head", text_bias), ("image_head", image_bias)):
            if bias is not None:
                state |= self._behind_map(f"autoencoder.{kind}.", weight, bias)
        network.load_state_dict(state)
        return MotionCLIP(network.to(self.device), text_encoder, matcher=self.matcher)

    def _check_exact(self) -> None:
        if is_in_bfloat16(self.network):
            raise ModelError("the weights of this model are rounded to bfloat16; load it without bf16 to keep them")

    def _behind_map(self, prefix: str, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
        """The weights of the text head, named by a prefix, whose inner map first applies another one."""
        head = self.network.autoencoder.text_head
        state = {prefix + name: value for name, value in head.state_dict().items()}
        inner = head.get_submodule("paraphrase")
        state[f"{prefix}paraphrase.weight"] = inner.get_parameter("weight") @ weight
        state[f"{prefix}paraphrase.bias"] = inner(bias)
        return state

    def save(self, folder: str | Path) -> None:
        """Writes the config and the weights, in half precision, as a model folder that :func:`load` reads.

        Raises:
            ModelError: if the model was loaded in bfloat16.
        """
        self._check_exact()
        save_network(self.network, Path(folder))
        if self.known_words is not None:
            self.known_words.save(Path(folder))
        if self.matcher is not None:
            self.matcher.save(Path(folder))

    @torch.inference_mode()
    def encode(self, motions: Sequence[Motion]) -> Tensor:
        """Returns the latents (N, D) of motions on any human-like skeleton, at any frame rate.

        The latents of our network are unit vectors; those of the paper's network are of any norm.

        Raises:
            ModelError: if a motion is longer than ``max_seconds``.
            SkeletonError: if no human body is found in a skeleton.
        """
        return self._by_batches(motions, self.config.latent_dim, self.encode_batch)

    @torch.inference_mode()
    def embed_motions(self, motions: Sequence[Motion]) -> Tensor:
        """Returns the joint embeddings (N, J) of motions; errors as of :meth:`encode`."""
        return self._by_batches(motions, self.joint_dim, self.embed_batch)

    def _by_batches(self, motions: Sequence[Motion], size: int, rows_of: Callable[[Batch], Tensor]) -> Tensor:
        """Returns rows (N, size) of motions, from those (B, size) of batches of windows of like length."""
        windows = [self._window(motion) for motion in motions]
        rows = torch.empty(len(windows), size, device=self.device)
        # windows of like length go together, so that little is padded
        order = sorted(range(len(windows)), key=lambda number: windows[number].mask.shape[1])
        for start in range(0, len(order), _CHUNK):
            chosen = order[start : start + _CHUNK]
            rows[chosen] = rows_of(Batch.padded([windows[number] for number in chosen])).to(rows)
        return rows

    def takes(self, motion: Motion) -> bool:
        """Whether a motion is short enough to be encoded: ``max_seconds``, and half a frame for rounding."""
        return motion.duration <= self.max_seconds + 0.5 / self.config.fps

    def _window(self, motion: Motion) -> Batch:
        if not self.takes(motion):
            raise ModelError(
                f"a motion of {motion.duration:.2f} s; this model takes {self.max_seconds:g} s: crop it, for example "
                "with motionclip.motion.crop"
            )
        return from_motion(on_canonical(motion), self.config.fps)

    def encode_batch(self, batch: Batch) -> Tensor:
        """Returns the latents (B, D) of windows; differentiable."""
        latents: Tensor = self.network.autoencoder.encode(batch.to(self.device))
        return latents

    @property
    def joint_dim(self) -> int:
        """J, the size of a joint embedding."""
        return self.config.latent_dim + (0 if self.matcher is None else self.matcher.size)

    def embed_batch(self, batch: Batch) -> Tensor:
        """Returns the joint embeddings (B, J) of windows."""
        batch = batch.to(self.device)
        latents = normalize(self.encode_batch(batch).float(), dim=-1)
        if self.matcher is None:
            return latents
        return _side_by_side(latents, self.matcher.embed_windows(batch, self.config.fps))

    @torch.inference_mode()
    def embed_words(self, texts: Sequence[str]) -> Tensor:
        """Returns the joint embeddings (N, J) of texts.

        Raises:
            TextError: if a text is empty, too long, or not text.
        """
        latents = normalize(self.embed_text(texts).float(), dim=-1)
        return latents if self.matcher is None else _side_by_side(latents, self.matcher.embed_text(latents))

    @torch.inference_mode()
    def decode(self, latents: Tensor, seconds: float) -> list[Motion]:
        """Returns the motions of latents (N, D): canonical skeleton, starting above the origin and facing +Z.

        Rotation rates are limited and feet are locked (:mod:`motionclip.model.postprocessing`), but for the paper's
        network, which predicts no contacts and is returned as it is.

        Raises:
            ModelError: if the model cannot make that length.
        """
        frames = self.num_frames(seconds)
        motions: list[Motion] = []
        for part in latents.split(_CHUNK):
            decoded = self.decode_batch(part, torch.ones(len(part), frames, dtype=torch.bool))
            rotations, root = rot.sixd_to_matrix(decoded.sixd), decoded.root
            if decoded.contacts is not None:
                rotations, root = postprocess(rotations, root, decoded.contacts.sigmoid(), self.config.fps)
            motions += to_motions(rotations.cpu(), root.cpu(), self.config.fps)
        return motions

    def decode_batch(self, latents: Tensor, mask: Tensor) -> Decoded:
        """Returns the decoder's output for latents (B, D) and the frames of mask (B, T); differentiable.

        Unlike :meth:`decode` it does not limit rotation rates or lock feet.
        """
        return self.network.autoencoder.decode(latents.to(self.device), mask.to(self.device))

    def to_tangent(self, latents: Tensor) -> Tensor:
        """Returns latents (..., D) as points (..., P) of a plane on which sums and means of latents are latents again.

        For the unit latents of our network it is the gnomonic projection to a plane that touches the sphere, with
        P = D - 1 (:mod:`motionclip.model.network`). The latents of the paper's network are returned as they are.
        """
        return self.network.autoencoder.to_tangent(latents)

    def from_tangent(self, points: Tensor) -> Tensor:
        """Returns the latents (..., D) of points (..., P), the inverse of :meth:`to_tangent`."""
        return self.network.autoencoder.from_tangent(points)

    @torch.inference_mode()
    def embed_text(self, texts: Sequence[str]) -> Tensor:
        """Returns the latents (N, D) of texts: each in the middle of the motions that it may mean.

        Raises:
            TextError: if a text is empty, too long, or not text.
        """
        return self.network.autoencoder.text_head(self.text_encoder.encode_texts(texts).to(self.device))

    @torch.inference_mode()
    def embed_prompts(self, texts: Sequence[str]) -> Tensor:
        """Returns the latents (N, D) under which motions of texts are drawn: :meth:`embed_text`'s, on the named side.

        A text encoder finds "the left hand" and "the right hand" nearly alike. So a text that names a side is led away
        from the same text with the sides exchanged.

        Raises:
            TextError: if a text is empty, too long, or not text.
        """
        latents, mirrored = self.embed_text(texts), [mirror_words(text) for text in texts]
        sided = [index for index, text in enumerate(texts) if mirrored[index] != text]
        if sided:
            latents[sided] = led_away(latents[sided], self.embed_text([mirrored[index] for index in sided]))
        return latents

    def match(self, positions: Tensor, words: Tensor) -> Tensor:
        """Returns how well motions of one length match text latents (N, D), each its own: (N,); differentiable.

        Only differences between motions of the same words mean anything. 0 from a model without a matcher.

        Args:
            positions: (N, T, 24, 3) joint positions, metres, of decoded motions or of drafts.
            words: (N, D) text latents.
        """
        if self.matcher is None:
            return words.new_zeros(len(positions))
        positions = positions.to(self.device)
        mask = torch.ones(positions.shape[:2], dtype=torch.bool, device=positions.device)
        return self.matcher(positions, mask, words.to(positions), self.config.fps)

    @torch.inference_mode()
    def draft(self, latents: Tensor, seconds: float) -> Tensor:
        """Returns joint positions (N, T, 24, 3), metres, that show what latents (N, D) do, in a tenth of the time.

        Raises:
            ModelError: if the model cannot make that length.
        """
        frames, autoencoder = self.num_frames(seconds), self.network.autoencoder
        parts = latents.to(self.device).split(_CHUNK)
        return torch.cat(
            [
                autoencoder.draft(part, torch.ones(len(part), frames, dtype=torch.bool, device=self.device))
                for part in parts
            ]
        )

    @torch.inference_mode()
    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Returns the latents (N, D) of images (H, W, 3), RGB, 0 to 255.

        Raises:
            ModelError: if the model or its text encoder takes no images.
        """
        head, text_encoder = self.network.autoencoder.image_head, self.text_encoder
        if head is None or not isinstance(text_encoder, ImageEncoder):
            raise ModelError(
                f"this model with the text encoder {text_encoder.name!r} knows no pictures; adapt it to a CLIP text "
                "encoder (`motionclip adapt`), or train one with pictures"
            )
        return head(text_encoder.encode_images(images).to(self.device))

    @torch.inference_mode()
    def sample(
        self,
        text_latents: Tensor,
        seconds: float | Sequence[float],
        *,
        guidance: float,
        seed: int | Sequence[int],
        draws: int = 1,
    ) -> Tensor:
        """Returns latents (N * draws, D) of motions drawn from the prior under text latents (N, D), text by text.

        A model without a prior returns the text latents. Draw k of every text starts from the noise of seed + k, made
        on the CPU: it is what a single draw with that seed is, whatever the other texts, their number or the device.

        Args:
            text_latents: (N, D) from :meth:`embed_text`.
            seconds: length of the motions; or one for each text.
            guidance: weight of the text in classifier-free guidance; 1 is none, more follows the text more closely.
            seed: of the noise of the first draw; or one for each text.
            draws: for each text; several cost less together than one by one.

        Raises:
            ModelError: if the model cannot make that length, the guidance is not finite, or there are no draws.
            MotionClipError: if the seed is out of range.
        """
        if draws < 1:
            raise ModelError(f"{draws} draws; expected at least 1")
        lengths = self._flow_seconds([seconds] if isinstance(seconds, float | int) else seconds, guidance)
        prior = self.network.prior
        if prior is None:
            return text_latents.repeat_interleave(draws, dim=0)
        seeds = [following_seed(each, k) for each in ([seed] if isinstance(seed, int) else seed) for k in range(draws)]
        noise = torch.stack([_noise(self.config.num_coefficients, each) for each in seeds]).to(self.device)
        start = noise.unflatten(0, (-1, draws)).expand(len(text_latents), -1, -1)
        return prior.sample(start, text_latents, lengths, guidance=guidance).flatten(0, 1)

    @torch.inference_mode()
    def translate(
        self, latents: Tensor, source: Tensor | None, target: Tensor | None, seconds: float, *, guidance: float
    ) -> Tensor:
        """Returns latents (N, D) of motions like those of ``latents`` that do what another text says.

        The prior's flow is followed back under the source to noise, and forth under the target.

        Args:
            latents: (N, D) of motions.
            source: (N, D) latents of texts that describe them; None for no text.
            target: (N, D) latents of texts that describe the result; None for no text.
            seconds: length of the motions.
            guidance: weight of both texts in classifier-free guidance; 1 is none.

        Raises:
            ModelError: if the model has no prior or cannot make that length, or the guidance is not finite.
        """
        prior = self.network.prior
        if prior is None:
            raise ModelError("this model has no latent prior, along whose flow a latent could be carried; add latents")
        length = self._flow_seconds([seconds], guidance)
        before, after = (prior.no_text.expand_as(latents) if text is None else text for text in (source, target))
        return prior.translate(
            latents.to(self.device), before, after, length, guidance=guidance, steps=_TRANSLATION_STEPS
        )

    def _flow_seconds(self, seconds: Sequence[float], guidance: float) -> Tensor:
        """Returns the lengths (N,) for the prior of motions of ``seconds``, rounded to whole frames."""
        if not math.isfinite(guidance):
            raise ModelError(f"a guidance of {guidance}; expected a finite number, such as 1.5")
        return torch.tensor([self.num_frames(each) / self.config.fps for each in seconds], device=self.device)


def _side_by_side(one: Tensor, other: Tensor) -> Tensor:
    """Returns unit vectors (N, D + E) of unit vectors (N, D) and (N, E)."""
    return torch.cat([one, other], dim=-1) / math.sqrt(2)


def led_away(latents: Tensor, others: Tensor) -> Tensor:
    """Returns latents (..., D) of texts, led away from those of the same texts with the sides exchanged (..., D)."""
    led = torch.lerp(others, latents, 1 + _SIDE_CONTRAST)
    return normalize(led, dim=-1) * others.norm(dim=-1, keepdim=True)


def _noise(size: int, seed: int) -> Tensor:
    """Returns standard normal numbers (size,) of a seed."""
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def load(
    model: str | Path = SHIPPED,
    *,
    device: str = "cpu",
    encoder_weights: str | Path | None = None,
    bf16: bool = False,
) -> MotionCLIP:
    """Returns a trained model.

    Args:
        model: name of a shipped model, a model folder, or a run folder.
        device: where to compute.
        encoder_weights: folder of the text encoder's weights, if they are not where the encoder looks for them.
        bf16: compute in bfloat16 (``model/bfloat16.py``): faster on processors and GPUs that have it, and joints of the
            same words and seed are some millimetres elsewhere.

    Raises:
        ModelError: if the model or its text encoder's weights are missing or damaged.
    """
    folder = find_model(model)
    network = load_network(folder)
    text_encoder = load_text_encoder(network.config.text_encoder, encoder_weights, device, bf16=bf16)
    if bf16:
        if not has_bfloat16(device):
            warnings.warn(f"{device} has no bfloat16 instructions: without bf16 it is faster", stacklevel=2)
        turn_to_bfloat16(network)
    matcher = load_matcher(folder, network.config.latent_dim)
    return MotionCLIP(
        network.to(device), text_encoder, load_known_words(folder), None if matcher is None else matcher.to(device)
    )
