"""Frozen encoders of text: the protocol, ``minilm``, and the cache in front of any of them."""

from motionclip.errors import ModelError
from motionclip.towers.cache import CachedTower, cache_folder
from motionclip.towers.minilm import MiniLMTower
from motionclip.towers.protocol import TextTower, checked_texts

__all__ = ["CachedTower", "MiniLMTower", "TextTower", "cache_folder", "checked_texts", "load_tower"]

_TOWERS = {MiniLMTower.name: MiniLMTower}


def load_tower(name: str) -> TextTower:
    """The text tower called ``name``: "minilm".

    Raises:
        ModelError: if no tower has that name, or its weights are missing or damaged.
    """
    if name not in _TOWERS:
        raise ModelError(f"no text tower is called {name!r}; expected one of {', '.join(_TOWERS)}")
    return _TOWERS[name]()
