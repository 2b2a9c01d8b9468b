"""Frozen encoders of text and images: the protocols, ``minilm``, ``clip``, and a cache of text vectors on disk."""

from pathlib import Path

from motionclip.encoders.base import ImageEncoder, TextEncoder, checked_image, checked_texts
from motionclip.encoders.cache import CachedEncoder, cache_folder
from motionclip.encoders.clip import ClipEncoder
from motionclip.encoders.minilm import MiniLMEncoder
from motionclip.errors import ModelError

__all__ = [
    "CachedEncoder",
    "ClipEncoder",
    "ImageEncoder",
    "MiniLMEncoder",
    "TextEncoder",
    "cache_folder",
    "checked_image",
    "checked_texts",
    "load_text_encoder",
]


def load_text_encoder(
    name: str, weights: str | Path | None = None, device: str = "cpu", *, bf16: bool = False
) -> TextEncoder:
    """Returns the text encoder of a name.

    Args:
        name: "minilm", "clip" (= "clip:ViT-B-32"), another published CLIP such as "clip:ViT-L-14", or
            "clip:ORG/REPO" of the Hugging Face hub. Those of CLIP are also an ``ImageEncoder``.
        weights: a folder with the weights; by default the installed package (minilm) or the hub (clip).
        device: "cpu", "cuda" or "cuda:1". ``minilm`` is small and stays on the CPU.
        bf16: let ``minilm`` compute in bfloat16; those of CLIP always compute in float32.

    Raises:
        ModelError: if no text encoder has that name, its weights are missing or damaged, or there is no such device.
    """
    if name == MiniLMEncoder.name:
        return MiniLMEncoder(None if weights is None else Path(weights), bf16=bf16)
    if name == "clip" or name.startswith("clip:"):
        return ClipEncoder(name, weights, device)
    raise ModelError(
        f"no text encoder is called {name!r}; expected minilm, clip, clip:ViT-L-14 or the like, or clip:ORG/REPO"
    )
