"""Our network: a PCA autoencoder of motion, corrected by transformers, with its latent on the unit sphere.

::

    window ─▶ features (T, C) ─┬─ keyframes ─ PCA ────────┬─ + ─▶ coefficients (D - 1) ─ sphere ─▶ latent (D)
                               └─ transformer ─ correction ┘
    window ◀─ smoothing ◀─ + ─┬─ draft (T, C) ◀─ PCA ◀────┬─ coefficients (D - 1) ◀─ sphere ◀──── latent (D)
                              └─ correction ◀─ transformer ┘

PCA with as many coefficients as the latent has numbers reconstructs motion to millimetres, where a transformer alone
takes long to use its latent at all. So training starts at PCA, and the transformers, whose last layers start at zero,
learn what it lacks.

Shapes: B windows, T frames, C feature channels, K keyframes, D numbers of a latent, W width of a token.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.autoencoder import Decoded, EmbeddingHead, MotionAutoencoder
from motionclip.model.config import ModelConfig
from motionclip.model.features import Batch
from motionclip.model.layers import Layer, sinusoid
from motionclip.model.postprocessing import smooth, take
from motionclip.motion.contacts import CONTACT_JOINTS

_CONTACTS = len(CONTACT_JOINTS)

# --- The latent sphere ---
#
# Texts and motions are compared by angle, so a latent is a direction. Normalising PCA coefficients would throw their
# length away, and with it a third of what tells one pose from another. Instead the D - 1 coefficients lie in the plane
# that touches the unit sphere's pole and are projected from the centre (gnomonic projection): nothing is lost, and
# every point of the upper hemisphere is a motion.

#: Distance of the plane from the centre, in standard deviations of a coefficient times sqrt(D).
_DISTANCE = 0.5
#: Latents with less than this along the pole, which project to far away or nowhere, are projected as if they had it.
_MIN_HEIGHT = 0.1


def to_sphere(coefficients: Tensor) -> Tensor:
    """Returns the unit latents (..., D) of coefficients (..., D - 1) of about unit variance."""
    pole = coefficients.new_full((*coefficients.shape[:-1], 1), _DISTANCE * (coefficients.shape[-1] + 1) ** 0.5)
    return F.normalize(torch.cat([coefficients, pole], dim=-1), dim=-1)


def from_sphere(latent: Tensor) -> Tensor:
    """Returns the coefficients (..., D - 1) of unit latents (..., D), the inverse of :func:`to_sphere`."""
    height = latent[..., -1:].clamp(min=_MIN_HEIGHT)
    return latent[..., :-1] / height * (_DISTANCE * latent.shape[-1] ** 0.5)


# --- The PCA autoencoder ---


def to_keyframes(features: Tensor, lengths: Tensor, count: int) -> Tensor:
    """Returns features (B, T, C) at ``count`` keyframes, evenly spread over the first lengths (B,) frames: (B, K, C)"""
    share = torch.linspace(0, 1, count, device=features.device)
    return _interpolate(features, share * (lengths[:, None] - 1))


def from_keyframes(keyframes: Tensor, lengths: Tensor, frames: int) -> Tensor:
    """Returns keyframes (B, K, C) at ``frames`` frames, of which the first lengths (B,) span them: (B, T, C)."""
    frame = torch.arange(frames, device=keyframes.device)
    share = (frame / (lengths[:, None] - 1).clamp(min=1)).clamp(max=1)
    return _interpolate(keyframes, share * (keyframes.shape[1] - 1))


def _interpolate(values: Tensor, positions: Tensor) -> Tensor:
    """Returns values (B, N, C), interpolated linearly at fractional indices (B, M) from 0 to N - 1: (B, M, C)."""
    before = positions.floor().long().clamp(min=0, max=max(values.shape[1] - 2, 0))
    weight = (positions - before)[..., None]
    after = (before + 1).clamp(max=values.shape[1] - 1)
    return torch.lerp(take(values, before), take(values, after), weight)


class PCAAutoencoder(nn.Module):
    """Whitened PCA of windows at keyframes, as one trainable matrix.

    With W and b of ``restore``, squared channel weights M (``metric``) and variances v of components, a window x has
    With W and b of ``restore``, squared channel weights M (``metric``) and variances v of the components, a window x
    has the coefficients z = (x - b) M W / v and is restored as W z + b: W holds components times standard deviations.
    """

    metric: Tensor
    variance: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.keyframes = config.pca_keyframes
        self.restore = nn.Linear(config.num_coefficients, self.keyframes * config.channels)
        self.register_buffer("metric", torch.ones(self.keyframes * config.channels))
        self.register_buffer("variance", torch.ones(config.num_coefficients))

    def encode(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Returns coefficients (B, D - 1), of about unit variance, of features (B, T, C) with lengths (B,)."""
        centred = to_keyframes(features, lengths, self.keyframes).flatten(1) - self.restore.bias
        return (centred * self.metric) @ self.restore.weight / self.variance

    def decode(self, coefficients: Tensor, lengths: Tensor, frames: int) -> Tensor:
        """Returns features (B, T, C) of coefficients (B, D - 1): windows of lengths (B,), padded to T = ``frames``."""
        return from_keyframes(self.restore(coefficients).unflatten(-1, (self.keyframes, -1)), lengths, frames)

    @torch.no_grad()
    def start_from_pca(self, features: Tensor, lengths: Tensor, weights: Tensor) -> None:
        """Sets the matrix to the whitened principal components of sample windows.

        Args:
            features: (B, T, C) normalised features.
            lengths: (B,) frames of each window.
            weights: (C,) factors of the error of each channel.
        """
        samples = to_keyframes(features, lengths, self.keyframes).flatten(1)
        weights = weights.repeat(self.keyframes)
        mean = samples.mean(dim=0)
        size = min(len(self.variance), *samples.shape)
        _, singular, directions = torch.pca_lowrank((samples - mean) * weights, q=size, center=False, niter=4)
        deviation = singular / len(samples) ** 0.5
        deviation = deviation.clamp(min=1e-3 * deviation[0])  # whitening would blow up directions that hardly vary
        self.restore.weight.zero_()
        self.restore.weight[:, :size].copy_(directions * deviation / weights[:, None])
        self.restore.bias.copy_(mean)
        self.metric.copy_(weights.square())
        self.variance.fill_(1.0)
        self.variance[:size].copy_(deviation.square())


# --- The transformers ---


def token_mask(mask: Tensor, frames_per_token: int) -> Tensor:
    """Returns the token mask (B, N) of a frame mask (B, T): a token with any real frame is real."""
    return mask.unflatten(1, (-1, frames_per_token)).any(dim=-1)


class MotionEncoder(nn.Module):
    """Transformer over learned prefix tokens and motion tokens; the prefix's outputs correct the PCA coefficients."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.channels * config.frames_per_token, config.width)
        self.prefix = nn.Parameter(torch.randn(config.prefix_tokens, config.width) * 0.02)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.prefix_tokens * config.width, config.num_coefficients)
        nn.init.zeros_(self.head.weight)  # training starts at PCA
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Returns corrections (B, D - 1) of the coefficients of normalised features (B, T, C) with mask (B, T).

        T must be a multiple of ``frames_per_token``; padding frames do not change the result.
        """
        step = self.config.frames_per_token
        tokens = self.embed((features * mask[..., None]).unflatten(1, (-1, step)).flatten(-2))  # (B, N, W)
        tokens = tokens + sinusoid(torch.arange(tokens.shape[1], device=tokens.device), tokens.shape[-1])
        prefix = self.prefix.expand(tokens.shape[0], -1, -1).to(tokens)
        tokens = torch.cat([prefix, tokens], dim=1)
        real = token_mask(mask, step)
        real = torch.cat([real.new_ones(real.shape[0], prefix.shape[1]), real], dim=1)
        for layer in self.layers:
            tokens = layer(tokens, real)
        return self.head(self.norm(tokens[:, : prefix.shape[1]]).flatten(1)).float()


class MotionDecoder(nn.Module):
    """Transformer over the frames of a draft, and a convolution over the single frames of its result.

    The latent reaches a frame in two ways. As in the paper, a projection of it is added to every token in every layer.
    And, since a vector that is the same for all frames leaves the network to make all of time by itself, the tokens
    start as the draft that PCA makes of the latent.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.channels * config.frames_per_token, config.width)
        self.layers = nn.ModuleList(Layer(config, config.num_coefficients) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.unfold = nn.Linear(config.width, config.frames_per_token * config.refiner_width)
        self.smooth = nn.Conv1d(config.refiner_width, config.refiner_width, kernel_size=5, padding=2)
        self.head = nn.Linear(config.refiner_width, config.channels + _CONTACTS)
        nn.init.zeros_(self.head.weight)  # training starts at PCA
        nn.init.zeros_(self.head.bias)

    def forward(self, coefficients: Tensor, draft: Tensor, mask: Tensor) -> Tensor:
        """Returns corrections of a draft, and contact logits: (B, T, C + 4).

        Args:
            coefficients: (B, D - 1) of the latent, of about unit variance.
            draft: (B, T, C) normalised features that PCA makes of them.
            mask: (B, T) true for real frames; T a multiple of ``frames_per_token``.
        """
        real = token_mask(mask, self.config.frames_per_token)
        tokens = self.embed((draft * mask[..., None]).unflatten(1, (real.shape[1], -1)).flatten(-2))
        tokens = tokens + sinusoid(torch.arange(real.shape[1], device=draft.device), tokens.shape[-1])
        for layer in self.layers:
            tokens = layer(tokens, real, coefficients)
        frames = self.unfold(self.norm(tokens)).unflatten(-1, (self.config.frames_per_token, -1)).flatten(1, 2)
        frames = frames * mask[..., None]
        frames = frames + F.gelu(self.smooth(frames.transpose(1, 2)).transpose(1, 2))
        return self.head(frames).float()


class ResidualAutoencoder(MotionAutoencoder):
    """PCA autoencoder, the transformers that correct it, text and image heads, and feature statistics."""

    predicts_contacts = True
    encoder: MotionEncoder
    decoder: MotionDecoder
    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.linear = PCAAutoencoder(config)
        self.encoder = MotionEncoder(config)
        self.decoder = MotionDecoder(config)
        self.text_head = EmbeddingHead(config)
        self.image_head = EmbeddingHead(config) if config.image_head else None
        self.register_buffer("feature_mean", torch.zeros(self.layout.channels))
        self.register_buffer("feature_scale", torch.ones(self.layout.channels))

    def start_from(self, batch: Batch) -> None:
        """Takes feature statistics and principal components from sample windows."""
        real = self.layout.features(batch, self.config.fps)[batch.mask]
        self.feature_mean.copy_(real.mean(dim=0))
        deviation = real.std(dim=0)
        # one scale for all channels of a kind: a scale per channel would blow up the noise of those that hardly move
        for kind in self.layout.kinds:
            self.feature_scale[kind] = deviation[kind].square().mean().sqrt().clamp(min=1e-3)
        self.take_components(batch)

    def take_components(self, batch: Batch) -> None:
        """Takes the principal components of sample windows; the transformers stay as they are."""
        weights = torch.empty_like(self.feature_scale)
        for kind, metres in zip(self.layout.kinds, self.layout.metres, strict=True):
            weights[kind] = self.feature_scale[kind] * metres
        self.linear.start_from_pca(self._features(batch), batch.mask.sum(dim=1), weights)

    def components_of(self, batch: Batch) -> Tensor:
        """Returns the coefficients (B, D - 1) of windows before the encoder's correction."""
        return self.linear.encode(self._features(batch), batch.mask.sum(dim=1))

    def encode(self, batch: Batch) -> Tensor:
        """Returns the unit latents (B, D) of windows."""
        batch = Batch(self._pad(batch.sixd), self._pad(batch.root), self._pad(batch.mask))
        features = self._features(batch)
        coefficients = self.linear.encode(features, batch.mask.sum(dim=1))
        with self._autocast(features.device):
            correction = self.encoder(features, batch.mask)
        return to_sphere(coefficients + correction)

    def decode(self, latent: Tensor, mask: Tensor) -> Decoded:
        """Returns the windows of unit latents (B, D) with the frames of mask (B, T)."""
        coefficients, lengths, padded = from_sphere(latent), mask.sum(dim=1), self._pad(mask)
        draft = self.linear.decode(coefficients, lengths, padded.shape[1])
        with self._autocast(latent.device):
            output = self.decoder(coefficients, draft, padded)
        corrected = (draft + output[..., :-_CONTACTS])[:, : mask.shape[1]]
        features = smooth(corrected, lengths) * self.feature_scale + self.feature_mean
        contacts = output[:, : mask.shape[1], -_CONTACTS:]
        return Decoded(features, *self.layout.window(features, self.config.fps), contacts)

    def draft(self, latent: Tensor, mask: Tensor) -> Tensor:
        """Returns the joint positions (B, T, 24, 3), metres, of the PCA autoencoder alone."""
        draft = self.linear.decode(from_sphere(latent), mask.sum(dim=1), mask.shape[1])
        return self.layout.positions(draft * self.feature_scale + self.feature_mean, self.config.fps)

    def to_tangent(self, latent: Tensor) -> Tensor:
        """Returns the coefficients (..., D - 1) of unit latents (..., D)."""
        return from_sphere(latent)

    def from_tangent(self, points: Tensor) -> Tensor:
        """Returns the unit latents (..., D) of coefficients (..., D - 1)."""
        return to_sphere(points)

    @property
    def slow_parameters(self) -> Collection[nn.Parameter]:
        """The PCA autoencoder: full steps would shake it off before the transformers can use it."""
        return tuple(self.linear.parameters())

    def _features(self, batch: Batch) -> Tensor:
        """Returns the normalised features (B, T, C) of windows."""
        return (self.layout.features(batch, self.config.fps) - self.feature_mean) / self.feature_scale

    def _pad(self, frames: Tensor) -> Tensor:
        """Returns frames (B, T, ...) padded with zeros to whole tokens."""
        missing = -frames.shape[1] % self.config.frames_per_token
        return torch.cat([frames, frames.new_zeros(frames.shape[0], missing, *frames.shape[2:])], dim=1)
