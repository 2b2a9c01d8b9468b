"""The evaluator: networks that evaluate motions and share neither weights nor training with the model.

The *classifier* predicts content and style of a data set that names them. The *pair* embeds motions and texts in one
space, as the evaluator of Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", CVPR 2022:
R-precision, FID, diversity and multimodality are computed in it. Both take joint positions and velocities, where the
model takes rotations, through convolutions, where the model has transformers. ``training.evaluator`` trains them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.encoders import TextEncoder, load_text_encoder
from motionclip.errors import ModelError
from motionclip.formats.files import replacing, save_tensors
from motionclip.gate.documents import DocumentError, Name, Rate, parse
from motionclip.model.checkpoint import read_weights
from motionclip.model.config import Size
from motionclip.model.features import Batch, pose
from motionclip.motion import CANONICAL, seen_from_body

CONFIG_FILE, WEIGHTS_FILE = "evaluator.json", "evaluator.safetensors"
SHIPPED = "evaluator"

_JOINTS = CANONICAL.num_joints
#: Channels of a frame: positions and velocities of all joints, and the rate of turning.
_CHANNELS = 6 * _JOINTS + 1
#: The networks look at every second frame; velocities are those of the full rate.
_STRIDE = 2


@dataclass(frozen=True)
class EvaluatorConfig:
    """Sizes of the networks and classes of the classifier.

    Attributes:
        dataset: the data set whose classes the classifier predicts; empty without one.
        contents: its names of what is done.
        styles: its names of how it is done.
        width: channels of the convolutions.
        embedding: E, numbers of an embedding of the pair.
        fps: frame rate of the motions.
        text_encoder: name of the frozen text encoder.
        text_dim: size of its embeddings.
    """

    dataset: Name
    contents: tuple[Name, ...]
    styles: tuple[Name, ...]
    width: Size = 96
    embedding: Size = 64
    fps: Rate = 30.0
    text_encoder: Name = "minilm"
    text_dim: Size = 384


def joint_channels(batch: Batch, fps: float) -> Tensor:
    """Returns the channels (B, T, C) of windows, each frame relative to its own pelvis on the floor and its heading.

    Positions in metres, velocities in metres per second, turning in radians per second. A frame's velocity leads to
    it from the one before; that of the first is that of the second.
    """
    positions = pose(batch.sixd, batch.root)[1]
    local, facing, turns = seen_from_body(positions)
    steps, turns = torch.diff(positions, dim=1) * fps, turns * fps
    speed = torch.cat([steps[:, :1], steps], dim=1) @ facing
    return torch.cat([local.flatten(2), speed.flatten(2), torch.cat([turns[:, :1], turns], dim=1)[..., None]], dim=-1)


class _Block(nn.Module):
    """A residual convolution over time."""

    def __init__(self, width: int, dilation: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Tensor, real: Tensor) -> Tensor:
        """Frames (B, T, W) with real (B, T, 1), which is 0 in padding."""
        seen = (self.norm(frames) * real).transpose(1, 2)
        return frames + self.dropout(F.gelu(self.conv(seen))).transpose(1, 2)


class MotionConvolution(nn.Module):
    """Convolutions over time, then the mean and the maximum over frames: windows to vectors (B, 2 W)."""

    def __init__(self, config: EvaluatorConfig, dropout: float = 0.1):
        super().__init__()
        self.fps, self.out_features = config.fps, 2 * config.width
        self.register_buffer("mean", torch.zeros(_CHANNELS))
        self.register_buffer("scale", torch.ones(_CHANNELS))
        self.stem = nn.Linear(_CHANNELS, config.width)
        self.blocks = nn.ModuleList(_Block(config.width, dilation, dropout) for dilation in (1, 2, 4, 1))
        self.norm = nn.LayerNorm(config.width)

    def start_from(self, batch: Batch) -> None:
        """Takes mean and standard deviation of the channels from sample windows."""
        channels = joint_channels(batch, self.fps)[batch.mask]
        self.mean, self.scale = channels.mean(dim=0), 1 / channels.std(dim=0).clamp(min=0.01)

    def forward(self, batch: Batch) -> Tensor:
        channels = joint_channels(batch, self.fps).where(batch.mask[..., None], self.mean)[:, ::_STRIDE]
        real = batch.mask[:, ::_STRIDE, None].float()
        frames = self.stem((channels - self.mean) * self.scale)
        for block in self.blocks:
            frames = block(frames, real)
        frames = self.norm(frames)
        mean = (frames * real).sum(dim=1) / real.sum(dim=1)
        return torch.cat([mean, frames.masked_fill(real == 0, float("-inf")).amax(dim=1)], dim=-1)


class Classifier(nn.Module):
    """Classifier of content and style of windows."""

    def __init__(self, config: EvaluatorConfig):
        super().__init__()
        self.motion = MotionConvolution(config)
        self.content = nn.Linear(self.motion.out_features, len(config.contents))
        self.style = nn.Linear(self.motion.out_features, len(config.styles))

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Returns the logits (B, contents) and (B, styles) of windows."""
        seen = self.motion(batch)
        return self.content(seen), self.style(seen)


class Pair(nn.Module):
    """Encoder of windows, and a linear head on text embeddings, to unit vectors of one space."""

    def __init__(self, config: EvaluatorConfig):
        super().__init__()
        self.motion = MotionConvolution(config)
        self.motion_head = nn.Linear(self.motion.out_features, config.embedding)
        self.text_head = nn.Linear(config.text_dim, config.embedding)

    def embed_motion(self, batch: Batch) -> Tensor:
        """Returns the unit embeddings (B, E) of windows."""
        return F.normalize(self.motion_head(self.motion(batch)), dim=-1)

    def embed_text(self, encoded: Tensor) -> Tensor:
        """Returns the unit embeddings (N, E) of text embeddings (N, text_dim)."""
        return F.normalize(self.text_head(encoded), dim=-1)


class EvaluatorNetwork(nn.Module):
    """The two networks; no classifier if the config names no contents and styles."""

    def __init__(self, config: EvaluatorConfig):
        super().__init__()
        self.config = config
        self.classifier = Classifier(config) if config.contents and config.styles else None
        self.pair = Pair(config)


class Evaluator:
    """Trained networks with their text encoder.

    Attributes:
        config: sizes and classes.
        classifier: network to logits of content and style of windows, or None.
    """

    def __init__(self, network: EvaluatorNetwork, text_encoder: TextEncoder):
        self._network = network.eval().requires_grad_(False)
        self._text_encoder = text_encoder
        self.config, self.classifier = network.config, network.classifier

    @torch.inference_mode()
    def embed_motion(self, batch: Batch) -> Tensor:
        """Returns the unit embeddings (B, E) of windows."""
        return self._network.pair.embed_motion(batch)

    @torch.inference_mode()
    def embed_text(self, texts: Sequence[str]) -> Tensor:
        """Returns the unit embeddings (N, E) of texts.

        Raises:
            TextError: if a text is empty, too long, or not text.
        """
        return self._network.pair.embed_text(self._text_encoder.encode_texts(texts))


def save_evaluator(network: EvaluatorNetwork, folder: Path) -> None:
    """Writes config and weights, in half precision, into a folder."""
    tensors = {name: value.half() for name, value in network.state_dict().items()}
    with replacing(folder / CONFIG_FILE) as path:
        path.write_text(json.dumps(dataclasses.asdict(network.config), indent=2) + "\n")
    save_tensors(folder / WEIGHTS_FILE, tensors)


def load_evaluator(name: str | Path = SHIPPED) -> Evaluator:
    """Returns an evaluator: the shipped one by name, or that of a folder that `motionclip train-evaluator` wrote.

    Raises:
        ModelError: if there is none, or it is damaged.
    """
    folder = _find(name)
    network = EvaluatorNetwork(_read_config(folder / CONFIG_FILE))
    tensors = read_weights(folder / WEIGHTS_FILE)
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    if expected != {key: tuple(value.shape) for key, value in tensors.items()}:
        raise ModelError(f"{folder / WEIGHTS_FILE} does not fit {CONFIG_FILE} beside it; train the evaluator again")
    network.load_state_dict({key: value.float() for key, value in tensors.items()})
    return Evaluator(network, load_text_encoder(network.config.text_encoder))


def _find(name: str | Path) -> Path:
    shipped = Path(str(resources.files("motionclip"))) / "weights"
    for folder in (Path(name), shipped / name):
        if (folder / CONFIG_FILE).is_file():
            return folder
    raise ModelError(
        f"no evaluator at {name}; expected a folder with {CONFIG_FILE}: make one by "
        "`motionclip train-evaluator --data STORE --out DIR`"
    )


def _read_config(path: Path) -> EvaluatorConfig:
    try:
        return parse(path.read_bytes(), EvaluatorConfig)
    except DocumentError as error:
        raise ModelError(f"{path} is damaged: {error}; train the evaluator again") from error
