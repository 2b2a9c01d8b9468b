"""What the map shows and neighbours are found in: a library on disk, or what the session has made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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
from motionclip.studio.session import Session, Take

#: Points of a map: of a larger library every so many windows are shown.
MOST_POINTS = 2000


@dataclass(frozen=True)
class Spot:
    """A stretch of motion in the latent space.

    Attributes:
        title: where it comes from.
        open: reads its motion; MotionClipError if it is gone.
    """

    title: str
    open: Callable[[], Motion]


@dataclass(frozen=True, eq=False)
class Map:
    """Spots in the plane.

    Attributes:
        spots: N of them.
        places: (N, 2) in [-1, 1].
    """

    spots: tuple[Spot, ...]
    places: NDArray[np.float32]


@dataclass(frozen=True)
class Neighbour:
    """A spot, and the cosine of what was asked for with it."""

    spot: Spot
    cosine: float


class Collection(Protocol):
    """Motions in the latent space."""

    def map(self) -> Map:
        """All of them in the plane, or evenly chosen ones of very many."""
        ...

    def neighbours(self, query: Source, top: int) -> list[Neighbour]:
        """The nearest to words or to a motion, the nearest first."""
        ...


class LibraryCollection:
    """A folder of motion files, or a prepared store, in windows."""

    def __init__(self, model: MotionCLIP, index: LibraryIndex):
        self._model, self._index = model, index

    def map(self) -> Map:
        rows = np.arange(0, len(self._index), max(1, -(-len(self._index) // MOST_POINTS)))
        places = [self._index.span(row) for row in rows.tolist()]
        spots = tuple(self._spot(Hit(place.file, place.start, place.end, 1.0)) for place in places)
        return Map(spots, flatten(self._index.latents[rows]))

    def neighbours(self, query: Source, top: int) -> list[Neighbour]:
        hits = search(self._model, self._index, [query], top=top)
        return [Neighbour(self._spot(hit), hit.cosine) for hit in hits]

    def _spot(self, hit: Hit) -> Spot:
        title = f"{hit.file}, {hit.start:.1f} to {hit.end:.1f} s"
        return Spot(title, lambda: read_hits(self._index, [hit])[0])


class SessionCollection:
    """The takes of a session, each the mean direction of its windows."""

    def __init__(self, model: MotionCLIP, session: Session):
        self._model, self._session = model, session

    def map(self) -> Map:
        takes = self._session.takes
        return Map(tuple(_spot(take) for take in takes), flatten(self._latents(takes)))

    def neighbours(self, query: Source, top: int) -> list[Neighbour]:
        takes = [take for take in self._session.takes if take.motion is not query]
        if not takes:
            return []
        cosines, rows = nearest(self._latents(takes), embed_query(self._model, [query]), top)
        return [
            Neighbour(_spot(takes[row]), cosine) for cosine, row in zip(cosines.tolist(), rows.tolist(), strict=True)
        ]

    def _latents(self, takes: Sequence[Take]) -> Tensor:
        """(N, D) unit."""
        windowed = embed_windows(self._model, [take.motion for take in takes], WINDOW, HOP)
        return torch.stack([w.mean for w in windowed]) if windowed else torch.empty(0, self._model.config.latent_dim)


def _spot(take: Take) -> Spot:
    return Spot(take.title, partial(_motion, take))


def _motion(take: Take) -> Motion:
    return take.motion


def flatten(latents: Tensor) -> NDArray[np.float32]:
    """Places (N, 2) in [-1, 1] of unit latents (N, D): their two principal components, in one scale.

    Of fewer than three latents, or where all are alike, what the plane does not show is 0.
    """
    centred = latents.double() - latents.double().mean(dim=0, keepdim=True) if len(latents) else latents.double()
    left, spread, _ = torch.linalg.svd(centred, full_matrices=False)
    places = torch.zeros(len(latents), 2, dtype=torch.float64)
    kept = min(2, len(spread))
    places[:, :kept] = left[:, :kept] * spread[:kept]
    largest = float(places.abs().max()) if len(places) else 0.0
    return (places / largest if largest > 1e-6 else places * 0).float().numpy()
