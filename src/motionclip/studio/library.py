"""What the map shows and neighbours are found in: a library on disk, or the takes of a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.applications.search.library import HOP, WINDOW, LibraryIndex
from motionclip.applications.search.search import Hit, embed_query, nearest, read_hits, search
from motionclip.applications.text_to_motion import Source
from motionclip.applications.windows import embed_windows
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.studio.takes import Take, TakeHistory

#: Points of a map at most; of a larger library, windows at even distances are shown.
MAX_POINTS = 2000


@dataclass(frozen=True)
class MapPoint:
    """A stretch of motion in the latent space.

    Attributes:
        title: where it comes from.
        open: reads its motion; MotionClipError if it is gone.
    """

    title: str
    open: Callable[[], Motion]


@dataclass(frozen=True, eq=False)
class LatentMap:
    """N stretches of motion in the plane of their two principal components.

    Attributes:
        points: N of them.
        positions: (N, 2) in [-1, 1].
    """

    points: tuple[MapPoint, ...]
    positions: NDArray[np.float32]


@dataclass(frozen=True)
class Neighbour:
    """A stretch of motion, and its cosine with a query."""

    point: MapPoint
    cosine: float


class Collection(Protocol):
    """Motions in the latent space."""

    def map(self) -> LatentMap:
        """Returns the map of all of them, or of evenly chosen ones of very many."""
        ...

    def neighbours(self, query: Source, top: int) -> list[Neighbour]:
        """Returns the nearest to a text or a motion, the nearest first."""
        ...


class LibraryCollection:
    """A folder of motion files, or a prepared store, in windows."""

    def __init__(self, model: MotionCLIP, index: LibraryIndex):
        self._model, self._index = model, index

    def map(self) -> LatentMap:
        rows = np.arange(0, len(self._index), max(1, -(-len(self._index) // MAX_POINTS)))
        spans = [self._index.span(row) for row in rows.tolist()]
        points = tuple(self._point(Hit(span.file, span.start, span.end, 1.0)) for span in spans)
        return LatentMap(points, plane_positions(self._index.latents[rows]))

    def neighbours(self, query: Source, top: int) -> list[Neighbour]:
        hits = search(self._model, self._index, [query], top=top)
        return [Neighbour(self._point(hit), hit.cosine) for hit in hits]

    def _point(self, hit: Hit) -> MapPoint:
        title = f"{hit.file}, {hit.start:.1f} to {hit.end:.1f} s"
        return MapPoint(title, lambda: read_hits(self._index, [hit])[0])


class TakeCollection:
    """The takes of a page, each the mean direction of its windows."""

    def __init__(self, model: MotionCLIP, history: TakeHistory):
        self._model, self._history = model, history

    def map(self) -> LatentMap:
        takes = self._history.takes
        return LatentMap(tuple(_point(take) for take in takes), plane_positions(self._latents(takes)))

    def neighbours(self, query: Source, top: int) -> list[Neighbour]:
        takes = [take for take in self._history.takes if take.motion is not query]
        if not takes:
            return []
        cosines, rows = nearest(self._latents(takes), embed_query(self._model, [query]), top)
        found = zip(cosines.tolist(), rows.tolist(), strict=True)
        return [Neighbour(_point(takes[row]), cosine) for cosine, row in found]

    def _latents(self, takes: Sequence[Take]) -> Tensor:
        """Returns unit latents (N, D)."""
        embeddings = embed_windows(self._model, [take.motion for take in takes], WINDOW, HOP)
        return torch.stack([e.mean for e in embeddings]) if takes else torch.empty(0, self._model.config.latent_dim)


def _point(take: Take) -> MapPoint:
    return MapPoint(take.title, lambda: take.motion)


def plane_positions(latents: Tensor) -> NDArray[np.float32]:
    """Returns positions (N, 2) in [-1, 1] of latents (N, D): their two principal components, in one scale.

    Components that fewer than three latents, or equal ones, do not have are 0.
    """
    if len(latents) == 0:
        return np.zeros((0, 2), np.float32)
    centred = latents.double() - latents.double().mean(dim=0, keepdim=True)
    left, spread, _ = torch.linalg.svd(centred, full_matrices=False)
    positions = torch.zeros(len(latents), 2, dtype=torch.float64)
    kept = min(2, len(spread))
    positions[:, :kept] = left[:, :kept] * spread[:kept]
    largest = float(positions.abs().max())
    # equal latents differ by rounding alone, which is not to be blown up
    return (positions / largest if largest > 1e-6 else positions * 0).float().numpy()
