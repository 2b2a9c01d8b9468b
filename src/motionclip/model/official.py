"""Import of the authors' checkpoints, https://github.com/GuyTevet/MotionCLIP, into the paper's network.

A published model is a file ``checkpoint_XXXX.pth.tar``, a flat dictionary of tensors named as by torch's transformer
layers, with ``opt.yaml``, the options of its training, beside it. Three kinds of tensors are left out: the positional
codes, which are computed; ``actionBiases``, which their decoder never adds; and the query and key projections of
cross-attention, which have no effect with a single memory token (:class:`motionclip.model.layers.Layer`). Every other
tensor is required and taken.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motionclip.errors import FormatError, ModelError
from motionclip.gate.documents import DocumentError, parse_yaml
from motionclip.model.checkpoint import Network, read_weights
from motionclip.model.config import ModelConfig
from motionclip.model.features import LAYOUTS
from motionclip.model.layers import interleaved_sinusoid
from motionclip.pickles import read_torch

OPTIONS_FILE = "opt.yaml"
TEXT_ENCODER, TEXT_DIM = "clip:ViT-B-32", 512
#: Mean norm of CLIP's embeddings of 360 sentences on actions (8.3 to 13.3); the authors feed them unnormalised.
EMBEDDING_NORM = 10.35

_CHANNELS = LAYOUTS["published"].channels
_PREFIX = ("encoder.muQuery", "encoder.sigmaQuery")
_CODES = ("encoder.sequence_pos_encoder.pe", "decoder.sequence_pos_encoder.pe")
_MAX_POSITIONS = 5000
_STACKS = ("encoder.seqTransEncoder.layers.", "decoder.seqTransDecoder.layers.")
_CROSS = ".multihead_attn."
_UNUSED = "decoder.actionBiases"
_CLIP = "clip_model."  # CLIP's own tensors; the authors' files leave them out

_WRITTEN = ("num_frames", "num_layers", "latent_dim")  # always in the file
_SIZES = (*_WRITTEN, "ff_size", "num_heads")
#: Options that make the network another than the paper's, at the values that it needs; a file may leave them out.
_NEEDED = {
    "archiname": "transformer",
    "activation": "gelu",
    "pose_rep": "rot6d",
    "glob": True,
    "translation": True,
    "align_pose_frontview": False,
    "ablation": None,
    "normalize_encoder_output": False,
    "normalize_decoder_input": False,
}
_OUR_NAMES = {
    "encoder.skelEmbedding.": "encoder.embed.",
    "encoder.seqTransEncoder.layers.": "encoder.layers.",
    "decoder.seqTransDecoder.layers.": "decoder.layers.",
    "decoder.finallayer.": "decoder.head.",
    ".self_attn.in_proj_": ".qkv.",
    ".self_attn.out_proj.": ".out.",
    ".linear1.": ".up.",
    ".linear2.": ".down.",
    ".multihead_attn.": ".condition.",
    ".norm1.": ".attention_norm.",
    ".norm3.": ".feedforward_norm.",
}


@dataclass(frozen=True)
class OfficialOptions:
    """Sizes of a published network, from ``opt.yaml``; defaults are the authors'.

    Attributes:
        num_frames: longest motion, in frames.
        num_layers: layers of the encoder, and of the decoder.
        latent_dim: size of a token and of the latent.
        ff_size: hidden size of a layer.
        num_heads: attention heads.
        fps: frame rate, from the name of the data.
    """

    num_frames: int
    num_layers: int
    latent_dim: int
    ff_size: int = 1024
    num_heads: int = 4
    fps: float = 30.0


@dataclass(frozen=True)
class OfficialModel:
    """A published model.

    Attributes:
        network: the paper's network with its weights, in evaluation mode.
        clip_tensors: number of tensors of CLIP itself in the file, which are left out.
    """

    network: Network
    clip_tensors: int


def read_official(checkpoint: Path, options: Path | None = None) -> OfficialModel:
    """Returns a published model. Only tensors are taken of a pickle; no code in it is run.

    Args:
        checkpoint: the authors' .pth.tar, or a .safetensors of the same tensors.
        options: its opt.yaml; by default the one beside the checkpoint.

    Raises:
        ModelError: if a file is missing, is anything but tensors or options, is of another network, or if the two
            contradict each other.
    """
    tensors = _read_tensors(checkpoint)
    path = options or checkpoint.with_name(OPTIONS_FILE)
    opt = read_options(path)
    kept = {name: value for name, value in tensors.items() if not name.startswith(_CLIP)}
    _check_sizes(kept, checkpoint, opt, path)
    network = Network(_config(opt))
    _check_tensors(kept, opt, checkpoint)
    _check_codes(kept, opt, checkpoint)
    network.autoencoder.load_state_dict(_our_state({name: value.double() for name, value in kept.items()}))
    return OfficialModel(network.eval(), len(tensors) - len(kept))


def read_options(path: Path) -> OfficialOptions:
    """Returns the sizes of the network that an opt.yaml describes.

    Raises:
        ModelError: if the file is missing or damaged, or describes another network than the paper's.
    """
    values = _read_yaml(path)
    other = {name: values[name] for name, need in _NEEDED.items() if values.get(name, need) != need}
    if other:
        raise ModelError(
            f"{path} is of another network than the paper's: {_listed(other)}; expected "
            f"{_listed({name: _NEEDED[name] for name in other})}"
        )
    sizes = {name: value for name in _SIZES if type(value := values.get(name)) is int and value > 0}
    odd = {name: values.get(name) for name in _SIZES if name not in sizes and (name in values or name in _WRITTEN)}
    if odd:
        raise ModelError(f"{path}: {_listed(odd)}; expected whole numbers above 0, as in a published {OPTIONS_FILE}")
    data = values.get("datapath")
    rate = re.search(r"_([1-9]\d{0,3})fps", data) if isinstance(data, str) else None
    return OfficialOptions(**sizes, fps=float(rate[1]) if rate else 30.0)


def _read_yaml(path: Path) -> dict[object, object]:
    try:
        values = parse_yaml(path.read_bytes(), Any)
    except OSError as error:
        raise ModelError(
            f"{path}: {error.strerror}; expected the options of the checkpoint: put its {OPTIONS_FILE} there, "
            "or give it as --opt"
        ) from error
    except DocumentError as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"{path}: {reason}; expected the {OPTIONS_FILE} of the checkpoint") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path} holds no options; expected the {OPTIONS_FILE} of the checkpoint")
    return values


def _read_tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ModelError(f"{path} is missing; expected a published checkpoint, such as checkpoint_0100.pth.tar")
    if path.suffix == ".safetensors":
        return read_weights(path)
    try:
        found = read_torch(path, "a published checkpoint")
    except FormatError as error:
        raise _no_tensors(path) from error
    values = found.values() if isinstance(found, dict) and all(isinstance(name, str) for name in found) else [None]
    if not all(isinstance(v, Tensor) and v.layout == torch.strided and v.device.type == "cpu" for v in values):
        raise _no_tensors(path)  # sparse tensors and those on the device "meta" have no numbers to check
    return found


def _no_tensors(path: Path) -> ModelError:
    return ModelError(
        f"{path} is damaged, or holds more than named tensors, and was not opened further; "
        "expected a published checkpoint, such as checkpoint_0100.pth.tar: download it again"
    )


def _check_sizes(tensors: dict[str, Tensor], checkpoint: Path, opt: OfficialOptions, path: Path) -> None:
    """Raises ModelError on options that contradict the tensors, and on sizes that no published model has."""
    for name, size in _sizes(tensors):
        if size != getattr(opt, name):
            raise ModelError(
                f"{path} says {name} {getattr(opt, name)} and {checkpoint} has {size}; expected the "
                f"{OPTIONS_FILE} that came with the checkpoint"
            )
    limit = _MAX_POSITIONS - len(_PREFIX)
    if opt.latent_dim != TEXT_DIM or not 2 <= opt.num_frames <= limit:
        raise ModelError(
            f"{path} says latent_dim {opt.latent_dim} and num_frames {opt.num_frames}; expected {TEXT_DIM}, "
            f"the size of CLIP's embeddings, and 2 to {limit}"
        )


def _sizes(tensors: dict[str, Tensor]) -> Iterator[tuple[str, int]]:
    """Yields sizes by their names in opt.yaml, from the shapes of tensors."""
    for stack in _STACKS:
        numbers = {name.removeprefix(stack).partition(".")[0] for name in tensors if name.startswith(stack)}
        yield "num_layers", len(numbers)
    for name, value in tensors.items():
        if name == "encoder.skelEmbedding.bias":
            yield "latent_dim", value.numel()
        elif name.endswith(".linear1.bias"):
            yield "ff_size", value.numel()


def _check_tensors(tensors: dict[str, Tensor], opt: OfficialOptions, path: Path) -> None:
    """Raises ModelError on tensors that are missing, left over, of another shape, or not finite."""
    expected = _shapes(opt)
    wrong = {
        "missing": expected.keys() - tensors.keys(),
        "left over": tensors.keys() - expected.keys(),
        "of another shape": {n for n in expected.keys() & tensors.keys() if tensors[n].shape != expected[n]},
        "not finite numbers": {
            n for n, value in tensors.items() if not value.is_floating_point() or not value.isfinite().all()
        },
    }
    for problem, names in wrong.items():
        if names:
            shown = ", ".join(sorted(names)[:5]) + (" ..." if len(names) > 5 else "")
            raise ModelError(
                f"{path}: {len(names)} tensors {problem}: {shown}; expected those of the published network, "
                f"{opt.num_layers} layers of {opt.latent_dim} on {_CHANNELS} channels"
            )


def _check_codes(tensors: dict[str, Tensor], opt: OfficialOptions, path: Path) -> None:
    """Raises ModelError on positional codes other than those that our network computes."""
    positions = opt.num_frames + len(_PREFIX)  # as many as are used, of the 5,000 that theirs stores
    codes = interleaved_sinusoid(positions, opt.latent_dim, torch.device("cpu"))
    for name in _CODES:
        error = (tensors[name][:positions, 0] - codes).abs().max().item()
        if error > 1e-5:
            raise ModelError(
                f"{path}: {name} is up to {error:.1g} off the sinusoidal code that the network is built on"
            )


def _shapes(opt: OfficialOptions) -> dict[str, torch.Size]:
    """Returns the shapes of the published network's tensors by name."""
    width, token = opt.latent_dim, torch.Size([1, opt.latent_dim])
    sizes = (width, opt.num_heads, opt.ff_size)
    with torch.device("meta"):
        encoder_layer, decoder_layer = nn.TransformerEncoderLayer(*sizes), nn.TransformerDecoderLayer(*sizes)
        parts = {
            "encoder.skelEmbedding": nn.Linear(_CHANNELS, width),
            "encoder.seqTransEncoder": nn.TransformerEncoder(encoder_layer, opt.num_layers, enable_nested_tensor=False),
            "decoder.seqTransDecoder": nn.TransformerDecoder(decoder_layer, opt.num_layers),
            "decoder.finallayer": nn.Linear(width, _CHANNELS),
        }
    shapes = {f"{part}.{name}": value.shape for part in parts for name, value in parts[part].state_dict().items()}
    codes = dict.fromkeys(_CODES, torch.Size([_MAX_POSITIONS, 1, width]))
    return shapes | codes | dict.fromkeys((*_PREFIX, _UNUSED), token)


def _config(opt: OfficialOptions) -> ModelConfig:
    return ModelConfig(
        architecture="paper",
        layout="published",
        fps=opt.fps,
        max_frames=opt.num_frames,
        text_encoder=TEXT_ENCODER,
        text_dim=TEXT_DIM,
        latent_dim=opt.latent_dim,
        image_head=True,
        embedding_norm=EMBEDDING_NORM,
        width=opt.latent_dim,
        heads=opt.num_heads,
        feedforward=opt.ff_size,
        encoder_layers=opt.num_layers,
        decoder_layers=opt.num_layers,
        dropout=0.1,
        frames_per_token=1,
        prefix_tokens=len(_PREFIX),
        prior_layers=0,
    )


def _our_state(theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the weights of our network from theirs, in double precision.

    Cross-attention to one token z is W_out (W_value z + b_value) + b_out: one linear map, ``condition``.
    """
    ours = {"encoder.prefix": torch.cat([theirs[name] for name in _PREFIX])}
    for name, value in theirs.items():
        if name not in (*_PREFIX, *_CODES, _UNUSED) and _CROSS not in name:
            ours[_our_name(name)] = value
        elif name.endswith(_CROSS + "in_proj_weight"):
            stem = name.removesuffix("in_proj_weight")
            value_bias = theirs[stem + "in_proj_bias"].chunk(3)[2]
            out, out_bias = theirs[stem + "out_proj.weight"], theirs[stem + "out_proj.bias"]
            folded = _our_name(stem)
            ours[folded + "weight"] = out @ value.chunk(3)[2]
            ours[folded + "bias"] = out @ value_bias + out_bias
    return ours


def _our_name(name: str) -> str:
    second_norm = ".feedforward_norm." if name.startswith("encoder.") else ".condition_norm."
    for theirs, ours in (_OUR_NAMES | {".norm2.": second_norm}).items():
        name = name.replace(theirs, ours)
    return name


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {reprlib.repr(value)}" for name, value in values.items())  # aliases make long values
