"""Search for motions by words, by a motion, or by both: a library, its index, and the query."""

from motionclip.applications.search.library import HOP, WINDOW, LibraryIndex, index_library
from motionclip.applications.search.search import Hit, embed_query, nearest, read_hits, search

__all__ = ["HOP", "WINDOW", "Hit", "LibraryIndex", "embed_query", "index_library", "nearest", "read_hits", "search"]
