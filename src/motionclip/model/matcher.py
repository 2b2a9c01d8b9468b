"""The matcher: how well a finished motion matches words, by what its joints do, for choosing among takes.

The cosine of a take's latent and the words' hardly tells takes apart, for all were drawn towards those words. The
matcher sees the motion that became of the latent instead: the range, mean, spread, beginning and end of where joints
are and how fast they move. Like the pairs of Guo et al. (CVPR 2022) and TMR (Petrovich et al., ICCV 2023) it
embeds both into one space by contrast, but knows nothing of the model's latents of motions.

Shapes: B windows, T frames, D numbers of a latent, E numbers of the common space.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.errors import ModelError
from motionclip.formats.files import save_tensors
from motionclip.model.checkpoint import Uninitialised, read_weights
from motionclip.model.features import Batch, pose
from motionclip.motion import CANONICAL, horizontal, seen_from_body

FILE = "matcher.safetensors"
#: Texts that a motion is held against, of those that training knew.
OTHERS = 1024
#: Divides the cosines.
TEMPERATURE = 0.05
#: What a motion that is unlike others counts, by the length of its embedding. What is drawn is tamer than what was
#: recorded, so that a take is seldom wrong for doing too much (docs/experiments.md).
_EVIDENCE = 0.25

_JOINTS = CANONICAL.num_joints
#: Joints whose distance from each other says what no single joint does: clapping, drinking, a wide stance.
_PAIRS = (
    ("left_wrist", "right_wrist"),
    ("left_wrist", "head"),
    ("right_wrist", "head"),
    ("left_ankle", "right_ankle"),
)
_CHANNELS = 4 * _JOINTS + 7 + len(_PAIRS)
#: Mean, deviation, least, greatest, beginning and end of each channel, and the length.
_FIGURES = 6 * _CHANNELS + 1
#: The beginning and the end are each this share of a window.
_END = 1 / 8
#: Least variance of a channel: the root of 0, which the pelvis' own place has, has no slope.
_LEAST_VARIANCE = 1e-12
_WIDTH, _SIZE = 256, 64


class Matcher(nn.Module):
    """Embeds motions and text latents in one space in which they are near where they match.

    Args:
        latent_dim: D, of the text latents.
    """

    #: E, the size of the common space.
    size = _SIZE
    mean: Tensor
    scale: Tensor
    others: Tensor

    def __init__(self, latent_dim: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(_FIGURES))
        self.register_buffer("scale", torch.ones(_FIGURES))
        self.register_buffer("others", torch.zeros(OTHERS, _SIZE))
        self.motion = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(_FIGURES, _WIDTH), nn.GELU(), nn.Dropout(0.3), nn.Linear(_WIDTH, _SIZE)
        )
        self.text = nn.Sequential(nn.Linear(latent_dim, _WIDTH), nn.GELU(), nn.Dropout(0.2), nn.Linear(_WIDTH, _SIZE))

    @torch.no_grad()
    def start_from(self, figures: Tensor) -> None:
        """Takes mean and deviation of the figures (N, F) of sample windows."""
        self.mean.copy_(figures.mean(dim=0))
        self.scale.copy_(1 / figures.std(dim=0).clamp(min=1e-3))

    @torch.no_grad()
    def compare_with(self, words: Tensor) -> None:
        """Takes text latents (N, D) as those that a motion is held against."""
        self.others.copy_(self.embed_text(words))

    def embed_figures(self, figures: Tensor) -> Tensor:
        """Returns the embeddings (..., E), of any length, of figures (..., F) from :func:`figures_of`."""
        return self.motion(((figures - self.mean) * self.scale).clamp(-5, 5))

    def embed_windows(self, windows: Batch, fps: float) -> Tensor:
        """Returns the unit embeddings (B, E) of windows at a rate."""
        return F.normalize(self.embed_figures(figures_of_windows(windows, fps)), dim=-1)

    def embed_text(self, words: Tensor) -> Tensor:
        """Returns the unit embeddings (..., E) of text latents (..., D)."""
        return F.normalize(self.text(words), dim=-1)

    def forward(self, positions: Tensor, mask: Tensor, words: Tensor, fps: float) -> Tensor:
        """Returns how well windows match words, each its own: (B,), for comparing windows of the same words.

        The logarithm of how much more a window matches its words than it matches what else people say, an estimate of
        their pointwise mutual information (van den Oord et al., "Representation learning with contrastive predictive
        coding", 2018), and a share of the length of the motion's embedding.

        Args:
            positions: (B, T, 24, 3) world joint positions, metres, Y up, the floor at 0.
            mask: (B, T) true for real frames.
            words: (B, D) text latents.
            fps: frames per second.
        """
        embedded = self.embed_figures(figures_of(positions, mask, fps))
        motion = F.normalize(embedded, dim=-1)
        own = (motion * self.embed_text(words)).sum(dim=-1) / TEMPERATURE
        others = torch.logsumexp(motion @ self.others.T / TEMPERATURE, dim=-1) - math.log(len(self.others))
        return own - others + _EVIDENCE * embedded.norm(dim=-1)

    def save(self, folder: Path) -> None:
        """Writes the file into a model folder, in half precision."""
        save_tensors(folder / FILE, {name: value.half().cpu() for name, value in self.state_dict().items()})


def load_matcher(folder: Path, latent_dim: int) -> Matcher | None:
    """Returns the matcher of a model folder, for text latents of D numbers; None if it has none.

    Raises:
        ModelError: if the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    with Uninitialised():
        matcher = Matcher(latent_dim)
    try:
        matcher.load_state_dict({name: value.float() for name, value in read_weights(path).items()}, assign=True)
    except RuntimeError as error:
        raise ModelError(f"{path} does not fit the model beside it: {error}; copy the model again") from error
    return matcher.eval().requires_grad_(False)


def figures_of_windows(windows: Batch, fps: float) -> Tensor:
    """Returns figures (B, F) that describe windows."""
    return figures_of(pose(windows.sixd, windows.root)[1], windows.mask, fps)


def figures_of(positions: Tensor, mask: Tensor, fps: float) -> Tensor:
    """Returns figures (B, F) that describe windows of joint positions (B, T, 24, 3) with mask (B, T)."""
    channels, real, count = _channels(positions, fps), mask[..., None], mask.sum(dim=1)
    frame, span = torch.arange(mask.shape[1], device=mask.device), (count * _END).ceil()[:, None]
    mean = _mean(channels, mask)
    variance = _mean((channels - mean[:, None]).square(), mask)
    parts = [
        mean,
        variance.clamp(min=_LEAST_VARIANCE).sqrt(),
        channels.masked_fill(~real, torch.inf).amin(dim=1),
        channels.masked_fill(~real, -torch.inf).amax(dim=1),
        _mean(channels, frame < span),
        _mean(channels, mask & (frame >= count[:, None] - span)),
        count[:, None] / fps,
    ]
    return torch.cat(parts, dim=-1)


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    """Returns the mean (B, C) of values (B, T, C) over the frames that are chosen (B, T)."""
    weights = chosen.to(values)
    return (weights[:, None] @ values)[:, 0] / weights.sum(dim=1, keepdim=True)


def _channels(positions: Tensor, fps: float) -> Tensor:
    """Returns the channels (B, T, C) of each frame.

    Places of joints relative to the ground under the pelvis and the body's heading, their speeds so seen; velocity of
    the pelvis and rate of turning; how far the body has turned and travelled since the first frame; its lowest joint;
    distances of pairs of joints.
    """
    local, facing, turns = seen_from_body(positions)
    rate, ground, index = _from_first(turns * fps), horizontal(positions[:, :, :1]), CANONICAL.index
    speeds = _from_first(torch.diff(local, dim=1) * fps).norm(dim=-1)
    velocity = (_from_first(torch.diff(ground, dim=1) * fps) @ facing)[:, :, 0, ::2]
    travelled = ((ground - ground[:, :1]) @ facing[:, :1])[:, :, 0, ::2]
    turned = rate.cumsum(dim=1) / fps
    pairs = [(local[:, :, index(a)] - local[:, :, index(b)]).norm(dim=-1) for a, b in _PAIRS]
    single = torch.stack([rate, turned, positions[..., 1].amin(dim=-1), *pairs], dim=-1)
    return torch.cat([local.flatten(2), speeds, velocity, travelled, single], dim=-1)


def _from_first(rates: Tensor) -> Tensor:
    """Returns rates (B, T - 1, ...) between frames as those of T frames, that of the first being 0."""
    return torch.cat([torch.zeros_like(rates[:, :1]), rates], dim=1)
