"""Search in a library: its stretches that fit words, motions, or both at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.applications.search.library import HOP, WINDOW, LibraryIndex, WindowSpan, library_items
from motionclip.applications.text_to_motion import Source
from motionclip.applications.windows import check_top, embed_windows
from motionclip.errors import DataError, ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, crop

#: Windows to look at for each hit. A window shares frames with at most one before it and one behind it, or, at the end
#: of a motion, with two before it: of four in a row, at least one is left as a hit of its own.
_WINDOWS_PER_HIT = 4


@dataclass(frozen=True)
class Hit(WindowSpan):
    """A stretch of a motion that fits a query.

    Attributes:
        file: name of the file in the library, or key of the store's clip.
        start: its first second in the file.
        end: its last.
        cosine: of query and stretch; 1 is the same. Words reach less than motions do.
    """

    cosine: float


def search(
    model: MotionCLIP, index: LibraryIndex, queries: Sequence[Source], *, top: int = 10, least: float = -1.0
) -> list[Hit]:
    """Returns the stretches of a library that fit all queries together, the best first.

    Several queries are searched for by the mean of their directions. Of stretches of a file that share frames only the
    best is returned.

    Args:
        model: the one that the index was made with.
        index: from :func:`index_library`.
        queries: words, motions of any length, or both.
        top: the largest number of hits.
        least: hits with a lower cosine are left out.

    Raises:
        ModelError: if there is no query, or ``top`` is not positive.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a motion's skeleton.
    """
    check_top(top)
    cosines, rows = nearest(index.embeddings, embed_query(model, queries), top * _WINDOWS_PER_HIT)
    hits: list[Hit] = []
    for cosine, row in zip(cosines.tolist(), rows.tolist(), strict=True):
        span = index.span(row)
        shared = any(span.file == hit.file and span.start < hit.end and hit.start < span.end for hit in hits)
        if cosine >= least and len(hits) < top and not shared:
            hits.append(Hit(span.file, span.start, span.end, cosine))
    return hits


def nearest(embeddings: Tensor, query: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """Returns the cosines and the rows of the ``top`` embeddings (N, J) nearest to a query (J,), the nearest first.

    Embeddings and query are unit. All are compared, by one product: a million of them take a third of a second on one
    core (benchmarks/search.py), so an approximate index would not be worth its memory and its file.
    """
    cosines, rows = (embeddings @ query).topk(min(top, len(embeddings)))
    return cosines, rows


def embed_query(model: MotionCLIP, queries: Sequence[Source]) -> Tensor:
    """Returns the unit direction (J,) of words and motions together, on the CPU; a motion's is the mean of its windows.

    Raises:
        ModelError, TextError, SkeletonError: as :func:`search`.
    """
    if not queries:
        raise ModelError("nothing to search for; expected words, a motion, or both")
    words = [query for query in queries if isinstance(query, str)]
    motions = [query for query in queries if isinstance(query, Motion)]
    directions = [windows.mean[None] for windows in embed_windows(model, motions, WINDOW, HOP)]
    if words:
        directions.append(model.embed_words(words).cpu())
    return normalize(torch.cat(directions).mean(dim=0), dim=0)


def read_hits(index: LibraryIndex, hits: Sequence[Hit]) -> list[Motion]:
    """Returns the stretches themselves, each on its file's skeleton.

    Raises:
        FormatError: if a file cannot be read any more.
        DataError: if the library is gone, or a file is gone from it.
    """
    items = {item.name: item for item in library_items(index.library)}
    if gone := [hit.file for hit in hits if hit.file not in items]:
        raise DataError(f"{gone[0]} is gone from {index.library}; index the library again")
    return [crop(items[hit.file].read(), hit.start, hit.end) for hit in hits]
