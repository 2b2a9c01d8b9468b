"""Our auto-encoder: transformers that correct a linear path, and a latent on the unit sphere."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.autoencoder import Decoded, LinearHead, MotionAutoencoder, TextHead
from motionclip.model.config import ModelConfig
from motionclip.model.features import Batch
from motionclip.model.layers import Layer, sinusoid
from motionclip.model.postprocessing import smooth, take
from motionclip.motion.contacts import CONTACT_JOINTS

# Scores on a plane, latents on the unit sphere: the gnomonic projection and its inverse.
#
# Words and motions are compared by angle, so a latent is a direction; merely normalising scores
# would throw their length away, and with it a third of what tells one pose from another. Instead
# the D - 1 scores lie in the plane that touches the sphere's pole, and a point of the plane is seen
# from the centre: nothing is lost, and every point of the upper half of the sphere is a motion.


#: Distance of the plane from the centre, in standard deviations of a score times sqrt(D).
_DISTANCE = 0.5
#: Directions lower than this above the equator are taken as this high.
_LOWEST = 0.1


def to_sphere(scores: Tensor) -> Tensor:
    """Scores (..., D - 1) of about unit variance to unit latents (..., D)."""
    pole = scores.new_full((*scores.shape[:-1], 1), _DISTANCE * (scores.shape[-1] + 1) ** 0.5)
    return F.normalize(torch.cat([scores, pole], dim=-1), dim=-1)


def from_sphere(latent: Tensor) -> Tensor:
    """Unit latents (..., D) to scores (..., D - 1), the inverse of :func:`to_sphere`."""
    height = latent[..., -1:].clamp(min=_LOWEST)
    return latent[..., :-1] / height * (_DISTANCE * latent.shape[-1] ** 0.5)


# The linear path: a window at a few instants, through one matrix to the latent, and back by its transpose.
#
# A linear auto-encoder (PCA) with as many numbers as the latent is wrong by millimetres, where a
# transformer alone takes long to use its latent at all. So the network starts as that linear
# auto-encoder, on windows of any length stretched to a fixed number of instants, and the
# transformers learn what it lacks.


def to_keyframes(features: Tensor, lengths: Tensor, nodes: int) -> Tensor:
    """Features (B, T, C) at ``nodes`` instants, evenly spread over the first lengths (B,) frames: (B, nodes, C)."""
    share = torch.linspace(0, 1, nodes, device=features.device)
    return _at(features, share * (lengths[:, None] - 1))


def from_keyframes(values: Tensor, lengths: Tensor, frames: int) -> Tensor:
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


class PCAAutoencoder(nn.Module):
    """Features to scores and scores to features, by one matrix.

    The matrix restores features from scores; its transpose, scaled as in PCA, scores them.
    """

    metric: Tensor
    variance: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.nodes = config.pca_keyframes
        self.restore = nn.Linear(config.num_coefficients, self.nodes * config.channels)
        self.register_buffer("metric", torch.ones(self.nodes * config.channels))
        self.register_buffer("variance", torch.ones(config.num_coefficients))

    def encode(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, T, C) of windows of lengths (B,) to scores (B, D - 1) of about unit variance."""
        away = to_keyframes(features, lengths, self.nodes).flatten(1) - self.restore.bias
        return (away * self.metric) @ self.restore.weight / self.variance

    def decode(self, scores: Tensor, lengths: Tensor, frames: int) -> Tensor:
        """Scores (B, D - 1) to features (B, T, C)."""
        values = self.restore(scores).unflatten(-1, (self.nodes, -1))
        return from_keyframes(values, lengths, frames)

    @torch.no_grad()
    def start_from_pca(self, features: Tensor, lengths: Tensor, weights: Tensor) -> None:
        """Set the matrix to the whitened principal components of sample features (B, T, C).

        Args:
            features: normalised features.
            lengths: (B,) frames of each window.
            weights: (C,) how much an error of each channel counts.
        """
        samples = to_keyframes(features, lengths, self.nodes).flatten(1)
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


# Motion features to a latent: what the linear path's scores lack.


def token_mask(mask: Tensor, frames_per_token: int) -> Tensor:
    """Frame mask (B, T) to token mask (B, T / frames_per_token): a token with any real frame is real."""
    return mask.unflatten(1, (-1, frames_per_token)).any(dim=-1)


class MotionEncoder(nn.Module):
    """Transformer over motion tokens with learned prefix tokens, whose outputs are added to the latent."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.channels * config.frames_per_token, config.width)
        self.prefix = nn.Parameter(torch.randn(config.prefix_tokens, config.width) * 0.02)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.prefix_tokens * config.width, config.num_coefficients)
        nn.init.zeros_(self.head.weight)  # training starts at the linear path
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Normalised features (B, T, C) and mask (B, T) to corrections (B, D - 1) of the scores.

        T must be a multiple of ``frames_per_token``; padding frames do not change the result.
        """
        step = self.config.frames_per_token
        frames = (features * mask[..., None]).unflatten(1, (-1, step)).flatten(-2)
        tokens = self.embed(frames)  # (B, N, W)
        tokens = tokens + sinusoid(torch.arange(tokens.shape[1], device=tokens.device), tokens.shape[-1])
        prefix = self.prefix.expand(tokens.shape[0], -1, -1).to(tokens)
        tokens = torch.cat([prefix, tokens], dim=1)
        real = token_mask(mask, step)
        real = torch.cat([real.new_ones(real.shape[0], prefix.shape[1]), real], dim=1)
        for layer in self.layers:
            tokens = layer(tokens, real)
        read = self.norm(tokens[:, : prefix.shape[1]]).flatten(1)
        return self.head(read).float()


# A point on the latent sphere to motion features, for any number of frames.
#
# The latent reaches each frame in two ways. As in the paper, a projection of it is added to every
# token in every layer. And, because the same vector for every frame leaves the network to make all
# of time by itself, the tokens start as the frames that the linear path makes of the latent; the
# transformer corrects those.


CONTACT_CHANNELS = len(CONTACT_JOINTS)


class MotionDecoder(nn.Module):
    """Transformer over drafted frames; its result is smooth by a convolution over single frames."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.channels * config.frames_per_token, config.width)
        self.layers = nn.ModuleList(Layer(config, config.num_coefficients) for _ in range(config.decoder_layers))
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


class ResidualAutoencoder(MotionAutoencoder):
    """Linear path, encoder, decoder and heads, and the statistics that scale features."""

    predicts_contacts = True
    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.linear = PCAAutoencoder(config)
        self.encoder = MotionEncoder(config)
        self.decoder = MotionDecoder(config)
        self.text_head = TextHead(config)
        self.image_head = LinearHead(config) if config.image_head else None
        self.register_buffer("feature_mean", torch.zeros(self.layout.channels))
        self.register_buffer("feature_scale", torch.ones(self.layout.channels))

    def start_from(self, batch: Batch) -> None:
        """Take feature statistics and the linear path from sample windows.

        One scale for all channels of a kind: a scale per channel would blow up the noise of those that hardly move.
        """
        features = self.layout.features(batch, self.config.fps)
        real = features[batch.mask]
        self.feature_mean.copy_(real.mean(dim=0))
        deviation = real.std(dim=0)
        weights = torch.empty_like(deviation)
        for kind, metres in zip(self.layout.kinds, self.layout.metres, strict=True):
            self.feature_scale[kind] = deviation[kind].square().mean().sqrt().clamp(min=1e-3)
            weights[kind] = self.feature_scale[kind] * metres
        normalised = (features - self.feature_mean) / self.feature_scale
        self.linear.start_from_pca(normalised, batch.mask.sum(dim=1), weights)

    def encode(self, batch: Batch) -> Tensor:
        """Windows to unit latents (B, D)."""
        batch = self._padded(batch)
        features = (self.layout.features(batch, self.config.fps) - self.feature_mean) / self.feature_scale
        scores = self.linear.encode(features, batch.mask.sum(dim=1))
        with self._autocast(features.device):
            correction = self.encoder(features, batch.mask)
        return to_sphere(scores + correction)

    def decode(self, latent: Tensor, mask: Tensor) -> Decoded:
        """Unit latents (B, D) to windows with the frames of mask (B, T)."""
        scores = from_sphere(latent)
        padded = self._pad(mask)
        draft = self.linear.decode(scores, mask.sum(dim=1), padded.shape[1])
        with self._autocast(latent.device):
            output = self.decoder(scores, draft, padded)
        corrected = (draft + output[..., :-CONTACT_CHANNELS])[:, : mask.shape[1]]
        features = smooth(corrected, mask.sum(dim=1)) * self.feature_scale + self.feature_mean
        contacts = output[:, : mask.shape[1], -CONTACT_CHANNELS:]
        return Decoded(features, *self.layout.window(features, self.config.fps), contacts)

    def to_tangent(self, latent: Tensor) -> Tensor:
        """Returns unit latents (..., D) as points (..., D - 1) of the plane that touches the sphere's pole."""
        return from_sphere(latent)

    def from_tangent(self, points: Tensor) -> Tensor:
        """Returns the unit latents (..., D) of points (..., D - 1) of that plane."""
        return to_sphere(points)

    @property
    def slow_parameters(self) -> Collection[nn.Parameter]:
        """The linear path: full steps would shake it off before the transformers can use it."""
        return tuple(self.linear.parameters())

    def _pad(self, frames: Tensor) -> Tensor:
        missing = -frames.shape[1] % self.config.frames_per_token
        return torch.cat([frames, frames.new_zeros(frames.shape[0], missing, *frames.shape[2:])], dim=1)

    def _padded(self, batch: Batch) -> Batch:
        return Batch(self._pad(batch.sixd), self._pad(batch.root), self._pad(batch.mask))
