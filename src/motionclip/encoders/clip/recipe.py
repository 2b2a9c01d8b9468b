"""Which CLIP a name means: its place on the hub, its sizes, and what its weights do not say about themselves."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from motionclip.errors import ModelError

PREFIX = "clip:"
DEFAULT = "clip:ViT-B-32"
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_HALVES = (0.5, 0.5, 0.5)
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Stack:
    """One of CLIP's two transformers.

    Attributes:
        width: channels.
        layers: transformer layers.
        heads: attention heads of a layer.
        hidden: channels between the two linear maps of a layer.
        activation: "quick_gelu" in OpenAI's models, "gelu" in most of OpenCLIP's.
        epsilon: of the layer norms.
    """

    width: int
    layers: int
    heads: int
    hidden: int
    activation: str
    epsilon: float = 1e-5


@dataclass(frozen=True)
class Architecture:
    """The sizes of a CLIP with a vision transformer (Radford et al., ICML 2021).

    Attributes:
        dim: numbers in a vector of the common space.
        text: the text transformer.
        image: the vision transformer.
        image_size: side of a picture in pixels.
        patch_size: side of a patch in pixels.
        context: most tokens of a text, with its two marks.
        vocabulary: tokens that there are.
    """

    dim: int
    text: Stack
    image: Stack
    image_size: int
    patch_size: int
    context: int = 77
    vocabulary: int = 49408


@dataclass(frozen=True)
class Recipe:
    """An architecture, with the mean and standard deviation (per RGB channel, 0 to 1) that its pictures need."""

    architecture: Architecture
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD


@dataclass(frozen=True)
class Published:
    """A recipe with the repository of the Hugging Face hub that holds its weights as safetensors."""

    repository: str
    recipe: Recipe


def _base(patch_size: int, activation: str) -> Architecture:
    text, image = Stack(512, 12, 8, 2048, activation), Stack(768, 12, 12, 3072, activation)
    return Architecture(512, text, image, 224, patch_size)


def _large(activation: str, image_size: int = 224) -> Architecture:
    text, image = Stack(768, 12, 12, 3072, activation), Stack(1024, 24, 16, 4096, activation)
    return Architecture(768, text, image, image_size, 14)


_HUGE = Architecture(1024, Stack(1024, 24, 16, 4096, "gelu"), Stack(1280, 32, 16, 5120, "gelu"), 224, 14)
_LAION_LARGE = Recipe(_large("gelu"), _HALVES, _HALVES)

#: By name without "clip:". OpenAI's own repositories hold pickles only; timm's hold the same weights as safetensors.
PUBLISHED = {
    "ViT-B-32": Published("timm/vit_base_patch32_clip_224.openai", Recipe(_base(32, "quick_gelu"))),
    "ViT-B-16": Published("timm/vit_base_patch16_clip_224.openai", Recipe(_base(16, "quick_gelu"))),
    "ViT-L-14": Published("timm/vit_large_patch14_clip_224.openai", Recipe(_large("quick_gelu"))),
    "ViT-L-14-336": Published("timm/vit_large_patch14_clip_336.openai", Recipe(_large("quick_gelu", 336))),
    "ViT-B-32-laion2B-s34B-b79K": Published("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", Recipe(_base(32, "gelu"))),
    "ViT-B-16-laion2B-s34B-b88K": Published("laion/CLIP-ViT-B-16-laion2B-s34B-b88K", Recipe(_base(16, "gelu"))),
    "ViT-L-14-laion2B-s32B-b82K": Published("laion/CLIP-ViT-L-14-laion2B-s32B-b82K", _LAION_LARGE),
    "ViT-H-14-laion2B-s32B-b79K": Published("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", Recipe(_HUGE)),
}


def full_name(name: str) -> str:
    """The name as models store it: "clip" is "clip:ViT-B-32"; others are checked and stay.

    Raises:
        ModelError: if it is neither a published name nor "clip:ORG/REPO".
    """
    full = DEFAULT if name == "clip" else name
    short = full.removeprefix(PREFIX)
    if not full.startswith(PREFIX) or not (short in PUBLISHED or _REPOSITORY.fullmatch(short)):
        raise ModelError(
            f"no CLIP is called {name!r}; expected {', '.join(PREFIX + known for known in PUBLISHED)}, or "
            "clip:ORG/REPO of the Hugging Face hub; files of your own are given as weights (--encoder-weights)"
        )
    return full


def repository_of(name: str) -> str:
    """The repository of the hub that a full name means."""
    short = name.removeprefix(PREFIX)
    return PUBLISHED[short].repository if short in PUBLISHED else short


def recipe_of(name: str, config: Path, preprocessor: Path) -> Recipe:
    """The recipe of a full name: that of the published model, or else what the files in the hub's layout say.

    Args:
        name: full name.
        config: ``config.json``; for a published model it may be missing, but must not say otherwise.
        preprocessor: ``preprocessor_config.json``, which may be missing; a published model does not need it.

    Raises:
        ModelError: if the files are damaged, belong to another model, or are needed and missing.
    """
    stated = _stated_architecture(config) if config.is_file() else None
    if published := PUBLISHED.get(name.removeprefix(PREFIX)):
        if stated not in (None, published.recipe.architecture):
            raise ModelError(f"{config} says {_differences(stated, published.recipe.architecture)} for {name}")
        return published.recipe
    if stated is None:
        raise ModelError(
            f"{config} is missing or not that of a CLIP in transformers' layout; the sizes of {name} are read from it: "
            "expected a folder in that layout, or the name of a published CLIP"
        )
    return Recipe(stated, *_stated_colours(preprocessor))


def _stated_architecture(config: Path) -> Architecture | None:
    """What a ``config.json`` says; None if it is another program's or another model's."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import CLIPConfig

    content = _read_json(config)
    if content.get("model_type") != "clip":
        return None
    try:
        full: Any = CLIPConfig.from_dict(content)
        text, image = full.text_config, full.vision_config
        sizes = (image.image_size, image.patch_size)
        context, vocabulary = text.max_position_embeddings, text.vocab_size
        return Architecture(full.projection_dim, _stack(text), _stack(image), *sizes, context, vocabulary)
    except (AttributeError, TypeError, ValueError, StrictDataclassError) as error:
        raise ModelError(
            f"{config} is damaged ({str(error).splitlines()[0]}); expected a CLIP's config.json"
        ) from error


def _stack(config: Any) -> Stack:
    return Stack(
        config.hidden_size,
        config.num_hidden_layers,
        config.num_attention_heads,
        config.intermediate_size,
        config.hidden_act,
        config.layer_norm_eps,
    )


def _differences(stated: Architecture, expected: Architecture) -> str:
    """The fields in which two architectures differ, for a message."""
    one, other = _flat(asdict(stated)), _flat(asdict(expected))
    found = [f"{key} {one[key]} where {other[key]} was expected" for key in one if one[key] != other[key]]
    return ", ".join(found)


def _flat(fields: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        flat.update(_flat(value, f"{key} ") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat


def _stated_colours(preprocessor: Path) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and standard deviation as ``preprocessor_config.json`` says; CLIP's where it says nothing."""
    content = _read_json(preprocessor) if preprocessor.is_file() else {}
    try:
        mean, std = (
            tuple(float(value) for value in content.get(key, default))
            for key, default in (("image_mean", CLIP_MEAN), ("image_std", CLIP_STD))
        )
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{preprocessor} is damaged ({error}); expected three numbers of image_mean, image_std"
        ) from error
    if len(mean) != 3 or len(std) != 3 or not all(value > 0 for value in std):
        raise ModelError(f"{preprocessor} has image_mean {mean} and image_std {std}; expected three numbers of each")
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); expected a JSON file: get it again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds a {type(content).__name__}; expected a JSON object: get it again")
    return content
