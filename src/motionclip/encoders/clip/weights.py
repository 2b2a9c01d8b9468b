"""CLIP's weights into transformers' network: read, renamed where they are OpenAI's, compared, put in place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from motionclip.encoders.clip.recipe import Architecture, Stack
from motionclip.errors import ModelError

if TYPE_CHECKING:
    from transformers import CLIPConfig, CLIPModel


def clip_config(architecture: Architecture, end: int) -> CLIPConfig:
    """The architecture in transformers' terms.

    Args:
        architecture: sizes.
        end: number of the token that ends a text; its place is where a text's vector is read.
    """
    from transformers import CLIPConfig

    text = {
        **_stack_config(architecture.text, architecture.dim),
        "max_position_embeddings": architecture.context,
        "vocab_size": architecture.vocabulary,
        "bos_token_id": end - 1,
        "eos_token_id": end,
    }
    image = {
        **_stack_config(architecture.image, architecture.dim),
        "image_size": architecture.image_size,
        "patch_size": architecture.patch_size,
    }
    return CLIPConfig(text_config=text, vision_config=image, projection_dim=architecture.dim)


def load_network(architecture: Architecture, end: int, path: Path) -> CLIPModel:
    """The network with the weights of a safetensors file, as precise as there, in evaluation mode, without gradients.

    Args:
        architecture: what the weights must fit.
        end: see ``clip_config``.
        path: names of transformers, or of OpenAI and OpenCLIP.

    Raises:
        ModelError: if the file is damaged or holds another architecture.
    """
    network = _empty_network(architecture, end)
    state = _read(path)
    if "visual.conv1.weight" in state:
        state = _renamed(state)
    _compare(state, network.state_dict(), path)
    network.load_state_dict(state, assign=True)
    for part in (network.text_model.embeddings, network.vision_model.embeddings):
        part.position_ids = torch.arange(part.position_ids.shape[-1])[None]  # no file holds them
    return network.eval().requires_grad_(False)


def _empty_network(architecture: Architecture, end: int) -> Any:
    """The network without memory for its weights."""
    from transformers import CLIPModel

    try:
        with torch.device("meta"):
            return CLIPModel(clip_config(architecture, end))
    except (ArithmeticError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"no CLIP can be built of {architecture} ({error!r}); get its config.json again") from error


def _stack_config(stack: Stack, dim: int) -> dict[str, Any]:
    return {
        "hidden_size": stack.width,
        "num_hidden_layers": stack.layers,
        "num_attention_heads": stack.heads,
        "intermediate_size": stack.hidden,
        "hidden_act": stack.activation,
        "layer_norm_eps": stack.epsilon,
        "projection_dim": dim,
    }


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is damaged ({error}); get the weights again") from error
    return {name: tensor for name, tensor in state.items() if name not in _NO_WEIGHTS}


def _compare(state: dict[str, Tensor], expected: dict[str, Tensor], path: Path) -> None:
    if wrong := sorted(state.keys() ^ expected.keys()):
        kind = "lacks" if wrong[0] in expected else "has a tensor that this CLIP has not,"
        raise ModelError(
            f"{path} {kind} {wrong[0]} ({len(wrong)} names differ); expected a whole CLIP of this architecture, in the "
            "names of transformers, OpenAI or OpenCLIP: take the file that belongs to the name"
        )
    for name, tensor in state.items():
        if tensor.shape != expected[name].shape:
            raise ModelError(
                f"{path} has {name} of shape {tuple(tensor.shape)}; expected {tuple(expected[name].shape)}: these are "
                "the weights of another model, take the file that belongs to the name"
            )


def _renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """OpenAI's and OpenCLIP's names to transformers'; what is unknown keeps its name."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        layer = _LAYER.fullmatch(name)
        if layer is None:
            renamed[_NAMES.get(name, name)] = tensor.T.contiguous() if name in _TURNED else tensor
            continue
        part, kind = layer["part"], layer["kind"]
        stack = "vision_model" if layer["visual"] else "text_model"
        start = f"{stack}.encoder.layers.{layer['number']}."
        if part == "attn.in_proj":
            for letter, third in zip("qkv", tensor.chunk(3), strict=True):
                renamed[f"{start}self_attn.{letter}_proj.{kind}"] = third.contiguous()
        else:
            renamed[f"{start}{_LAYER_PARTS.get(part, part)}.{kind}"] = tensor
    return renamed


_LAYER = re.compile(
    r"(?P<visual>visual\.)?transformer\.resblocks\.(?P<number>\d+)\.(?P<part>.+)[._](?P<kind>weight|bias)"
)
_LAYER_PARTS = {
    "attn.out_proj": "self_attn.out_proj",
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_NAMES = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "text_projection": "text_projection.weight",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
    "visual.proj": "visual_projection.weight",
}
_TURNED = {"text_projection", "visual.proj"}
"""Matrices that OpenAI multiplies from the right."""

_NO_WEIGHTS = {
    "text_model.embeddings.position_ids",
    "vision_model.embeddings.position_ids",
    *("input_resolution", "context_length", "vocab_size"),
}
"""Counters and sizes that some files keep among the weights."""
