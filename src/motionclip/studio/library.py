"""What the map shows and neighbours are found in: a library on disk, or the takes of a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.applications.recognize import embed_labels, label_set
from motionclip.applications.search.library import HOP, WINDOW, LibraryIndex
from motionclip.applications.search.search import Hit, embed_query, nearest, read_hits, search
from motionclip.applications.text_to_motion import Source
from motionclip.applications.windows import embed_windows
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.studio.takes import Take, TakeHistory

#: Points of a map at most; of a larger library, windows at even distances are shown.
MAX_POINTS = 2000
#: The labels of a map.
_ACTIONS = "babel60"


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
        labels: N actions, "" where none fits.
    """

    points: tuple[MapPoint, ...]
    positions: NDArray[np.float32]
    labels: tuple[str, ...]

    def groups(self, most: int) -> list[tuple[str, NDArray[np.int64]]]:
        """Returns the most frequent actions and the numbers of their points, the most frequent first."""
        found = Counter(label for label in self.labels if label).most_common(most)
        names = np.array(self.labels)
        return [(label, np.flatnonzero(names == label)) for label, _ in found]


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
        embeddings = self._index.embeddings[rows]
        return LatentMap(points, plane_positions(embeddings), actions_of(self._model, embeddings))

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
        embeddings = self._embeddings(takes)
        points = tuple(_point(take) for take in takes)
        return LatentMap(points, plane_positions(embeddings), actions_of(self._model, embeddings))

    def neighbours(self, query: Source, top: int) -> list[Neighbour]:
        takes = [take for take in self._history.takes if take.motion is not query]
        if not takes:
            return []
        cosines, rows = nearest(self._embeddings(takes), embed_query(self._model, [query]), top)
        found = zip(cosines.tolist(), rows.tolist(), strict=True)
        return [Neighbour(_point(takes[row]), cosine) for cosine, row in found]

    def _embeddings(self, takes: Sequence[Take]) -> Tensor:
        """Returns joint embeddings (N, J)."""
        windows = embed_windows(self._model, [take.motion for take in takes], WINDOW, HOP)
        return torch.stack([own.mean for own in windows]) if takes else torch.empty(0, self._model.joint_dim)


def _point(take: Take) -> MapPoint:
    return MapPoint(take.title, lambda: take.motion)


def actions_of(model: MotionCLIP, embeddings: Tensor) -> tuple[str, ...]:
    """Returns for each of N joint embeddings (N, J) the nearest everyday action, "" where none is near."""
    labels = label_set(_ACTIONS)
    cosines, numbers = (embeddings.float() @ embed_labels(model, labels).T).max(dim=1)
    pairs = zip(cosines.tolist(), numbers.tolist(), strict=True)
    return tuple(labels.names[number] if cosine >= labels.none_below else "" for cosine, number in pairs)


def plane_positions(embeddings: Tensor) -> NDArray[np.float32]:
    """Returns positions (N, 2) in [-1, 1] of embeddings (N, J): their two principal components, in one scale.

    Components that fewer than three embeddings, or equal ones, do not have are 0.
    """
    if len(embeddings) == 0:
        return np.zeros((0, 2), np.float32)
    centred = embeddings.double() - embeddings.double().mean(dim=0, keepdim=True)
    left, spread, _ = torch.linalg.svd(centred, full_matrices=False)
    positions = torch.zeros(len(embeddings), 2, dtype=torch.float64)
    kept = min(2, len(spread))
    positions[:, :kept] = left[:, :kept] * spread[:kept]
    largest = float(positions.abs().max())
    # equal embeddings differ by rounding alone, which is not to be blown up
    return (positions / largest if largest > 1e-6 else positions * 0).float().numpy()
