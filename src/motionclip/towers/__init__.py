"""Frozen encoders of text and pictures: the protocols, ``minilm``, ``clip``, and the cache in front of any of them."""

from pathlib import Path

from motionclip.errors import ModelError
from motionclip.towers.cache import CachedTower, cache_folder
from motionclip.towers.clip import ClipTower
from motionclip.towers.minilm import MiniLMTower
from motionclip.towers.protocol import ImageTower, TextTower, checked_image, checked_texts

__all__ = [
    "CachedTower",
    "ClipTower",
    "ImageTower",
    "MiniLMTower",
    "TextTower",
    "cache_folder",
    "checked_image",
    "checked_texts",
    "load_tower",
]


def load_tower(name: str, weights: str | Path | None = None, device: str = "cpu") -> TextTower:
    """The tower of that name.

    Args:
        name: "minilm", "clip" (= "clip:ViT-B-32"), another published CLIP such as "clip:ViT-L-14", or
            "clip:ORG/REPO" of the Hugging Face hub. Those of CLIP are ``ImageTower``.
        weights: a folder or a file with the weights, if they are not where the tower looks for them.
        device: "cpu" or "cuda". ``minilm`` is small and stays on the CPU.

    Raises:
        ModelError: if no tower has that name, its weights are missing or damaged, or there is no such device.
    """
    if name == MiniLMTower.name:
        return MiniLMTower(None if weights is None else Path(weights))
    if name == "clip" or name.startswith("clip:"):
        return ClipTower(name, weights, device)
    raise ModelError(f"no tower is called {name!r}; expected minilm, clip, clip:ViT-L-14 or the like, or clip:ORG/REPO")
