"""Motions of a library that fit words, motions, or both at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.applications.search.library import HOP, WINDOW, LibraryIndex, Place, library_items
from motionclip.applications.text_to_motion import Source
from motionclip.applications.windows import embed_windows
from motionclip.errors import DataError, ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, crop

#: Rows to look at for each hit: a window shares frames with at most one before and one behind it, or, at the end of
#: a file, with two before it; what is left out for them must not be missing among the hits.
_OVERLAPPING = 4


@dataclass(frozen=True)
class Hit:
    """A stretch of a motion that fits.

    Attributes:
        file: name of the file in the library, or key of the store's clip.
        start: its first second in the file.
        end: its last.
        cosine: of query and stretch; 1 is the same. Words reach less than motions do.
    """

    file: str
    start: float
    end: float
    cosine: float


def search(
    model: MotionCLIP, index: LibraryIndex, queries: Sequence[Source], *, top: int = 10, least: float = -1.0
) -> list[Hit]:
    """The stretches of a library that fit all queries together, the best first.

    Several queries are one: the middle of their directions on the latent's sphere. Of stretches of a file that share
    frames only the best is named.

    Args:
        model: the one that the index was made with.
        index: from :func:`index_library`.
        queries: words, motions of any length, or both.
        top: how many hits are returned at most.
        least: hits with a lower cosine are left out.

    Raises:
        ModelError: if there is no query, or ``top`` is not positive.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if the joints of a motion are of no known family.
    """
    if top < 1:
        raise ModelError(f"the best {top}; expected at least 1")
    cosines, rows = index.nearest.find(embed_query(model, queries).numpy(), top * _OVERLAPPING)
    hits: list[Hit] = []
    for cosine, row in zip(cosines.tolist(), rows.tolist(), strict=True):
        place = index.place(row)
        if cosine >= least and len(hits) < top and not any(_shares_frames(place, hit) for hit in hits):
            hits.append(Hit(place.file, place.start, place.end, cosine))
    return hits


def embed_query(model: MotionCLIP, queries: Sequence[Source]) -> Tensor:
    """The unit direction (D,) of words and motions together, on the CPU; a motion's is the mean of its windows.

    Raises:
        As :func:`search`.
    """
    if not queries:
        raise ModelError("nothing to search for; expected words, a motion, or both")
    words = [query for query in queries if isinstance(query, str)]
    motions = [query for query in queries if isinstance(query, Motion)]
    said = (
        normalize(model.embed_text(words).float().cpu(), dim=-1) if words else torch.empty(0, model.config.latent_dim)
    )
    shown = [windowed.mean[None] for windowed in embed_windows(model, motions, WINDOW, HOP)]
    return normalize(torch.cat([said, *shown]).mean(dim=0), dim=0)


def read_hits(index: LibraryIndex, hits: Sequence[Hit]) -> list[Motion]:
    """The stretches themselves, each on its file's skeleton.

    Raises:
        FormatError: if a file cannot be read any more.
        DataError: if the library is gone, or a file is gone from it.
    """
    items = {item.name: item for item in library_items(index.library)}
    if gone := [hit.file for hit in hits if hit.file not in items]:
        raise DataError(f"{gone[0]} is gone from {index.library}; index the library again")
    return [crop(items[hit.file].read(), hit.start, hit.end) for hit in hits]


def _shares_frames(place: Place, hit: Hit) -> bool:
    return place.file == hit.file and place.start < hit.end and hit.start < place.end
