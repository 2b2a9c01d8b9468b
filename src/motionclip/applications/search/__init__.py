"""Search for motions by words, by a motion, or by both: a library, its index, and the query."""

from motionclip.applications.search.library import LibraryIndex, index_library
from motionclip.applications.search.search import Hit, search

__all__ = ["Hit", "LibraryIndex", "index_library", "search"]
