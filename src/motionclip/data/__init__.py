"""Clips with words, one source per data set, and the prepared store."""

from motionclip.data.bandai_namco import canonical_sentences
from motionclip.data.clip import SPLITS, Caption, Clip, Item, Source
from motionclip.data.prepare import PrepareReport, prepare
from motionclip.data.sources import detect, open_source
from motionclip.data.store import FPS, Entry, FrameCaption, Store

__all__ = [
    "FPS",
    "SPLITS",
    "Caption",
    "Clip",
    "Entry",
    "FrameCaption",
    "Item",
    "PrepareReport",
    "Source",
    "Store",
    "canonical_sentences",
    "detect",
    "open_source",
    "prepare",
]
