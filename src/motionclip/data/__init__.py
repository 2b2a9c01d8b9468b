"""Clips with words, one source per data set, and the prepared store.

A module is imported on first use of its names: references and window captions are needed where no store is read.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors: the same names as in _MODULES
    from motionclip.data.bandai_namco import canonical_sentences as canonical_sentences
    from motionclip.data.clip import SPLITS as SPLITS
    from motionclip.data.clip import Caption as Caption
    from motionclip.data.clip import Clip as Clip
    from motionclip.data.clip import Item as Item
    from motionclip.data.clip import Source as Source
    from motionclip.data.sources import detect as detect
    from motionclip.data.sources import open_source as open_source
    from motionclip.data.store import FPS as FPS
    from motionclip.data.store import Entry as Entry
    from motionclip.data.store import FrameCaption as FrameCaption
    from motionclip.data.store import Store as Store

_MODULES = {
    "FPS": "store",
    "SPLITS": "clip",
    "Caption": "clip",
    "Clip": "clip",
    "Entry": "store",
    "FrameCaption": "store",
    "Item": "clip",
    "Source": "clip",
    "Store": "store",
    "canonical_sentences": "bandai_namco",
    "detect": "sources",
    "open_source": "sources",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'motionclip.data' has no attribute {name!r}")
    value = getattr(import_module(f"motionclip.data.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
