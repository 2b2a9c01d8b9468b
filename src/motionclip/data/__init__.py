"""Clips with words, one source per data set, and the prepared store."""

from motionclip.data.bandai_namco import canonical_sentences
from motionclip.data.clip import SPLITS, Caption, Clip
from motionclip.data.prepare import prepare, prepare_shard
from motionclip.data.report import PrepareReport
from motionclip.data.shards import Shard
from motionclip.data.source import Item, Source
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
    "Shard",
    "Source",
    "Store",
    "canonical_sentences",
    "detect",
    "open_source",
    "prepare",
    "prepare_shard",
]
