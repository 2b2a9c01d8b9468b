"""The nearest of many latents: exactly up to a hundred thousand, by an inverted file of faiss above that.

The inverted file (IVF, Sivic and Zisserman 2003) sorts latents into cells and looks at the cells nearest to the
query; latents in it are rounded to 8 bits a number, and its candidates are compared once more with full precision.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.formats.files import replacing

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

#: Latents up to which all are compared.
EXACT_UP_TO = 100_000

#: Cells looked at for a query, candidates compared again for each answer, and latents of each cell that it is made of.
_PROBES, _CANDIDATES, _SAMPLE = 32, 8, 64
#: The cells are made anew where there should be this many times as many.
_GROWTH = 2
_CHUNK = 65_536


class Nearest(Protocol):
    """Finds the nearest of latents (N, D)."""

    def find(self, query: Floats, top: int) -> tuple[Floats, Ints]:
        """Cosines and rows of at most ``top`` latents, the nearest to a unit query (D,) first."""
        ...


class ExactNearest:
    """Compares all unit latents (N, D)."""

    def __init__(self, latents: Floats):
        self._latents = torch.from_numpy(latents)  # whose product with a vector is several times as fast as numpy's

    def find(self, query: Floats, top: int) -> tuple[Floats, Ints]:
        cosines = (self._latents @ torch.from_numpy(query)).numpy()
        return _best(cosines, np.arange(len(cosines)), top)


class ApproximateNearest:
    """Compares the latents in the cells nearest to the query.

    Args:
        index: an inverted file of faiss whose numbers are ``ids``.
        latents: (N, D) unit.
        ids: (N,) the number of each row, ascending.
    """

    def __init__(self, index: Any, latents: Floats, ids: Ints):
        self._index, self._latents, self._ids = index, latents, ids

    @property
    def held(self) -> int:
        """How many latents the inverted file holds."""
        return int(self._index.ntotal)

    def find(self, query: Floats, top: int) -> tuple[Floats, Ints]:
        _, found = self._index.search(query[None], min(top * _CANDIDATES, len(self._ids)))
        rows = np.searchsorted(self._ids, found[0][found[0] >= 0])
        return _best(self._latents[rows] @ query, rows, top)


def open_nearest(latents: Floats, ids: Ints, path: Path) -> Nearest:
    """What finds the nearest of latents.

    Args:
        latents: (N, D) unit.
        ids: (N,) a number of each row that stays its own and is never given again, ascending.
        path: file of the inverted file, where one is needed; brought up to date if it is there.
    """
    if len(ids) <= EXACT_UP_TO or find_spec("faiss") is None:
        return ExactNearest(latents)
    index = _read(path)
    if index is None or _cells(len(ids)) > _GROWTH * index.nlist:
        index, changed = _trained(latents), True
        _add(index, latents, ids, np.arange(len(ids)))
    else:
        changed = _update(index, latents, ids)
    if changed:
        _write(index, path)
    index.nprobe = _PROBES
    return ApproximateNearest(index, latents, ids)


def _best(cosines: Floats, rows: Ints, top: int) -> tuple[Floats, Ints]:
    """The ``top`` largest of cosines (N,), and their rows, the largest first; of equal ones the first row."""
    if top < len(cosines):
        chosen = np.argpartition(-cosines, top - 1)[:top]
        cosines, rows = cosines[chosen], rows[chosen]
    order = np.lexsort((rows, -cosines))
    return cosines[order], rows[order]


def _cells(count: int) -> int:
    return round(count**0.5)


def _trained(latents: Floats) -> Any:
    """An empty inverted file with cells for latents (N, D)."""
    import faiss

    cells = _cells(len(latents))
    sample = np.random.default_rng(0).choice(len(latents), min(_SAMPLE * cells, len(latents)), replace=False)
    index = faiss.index_factory(latents.shape[1], f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(np.ascontiguousarray(latents[np.sort(sample)]))
    return index


def _add(index: Any, latents: Floats, ids: Ints, rows: Ints) -> None:
    for first in range(0, len(rows), _CHUNK):  # latents may be a memory map that is larger than memory
        chunk = rows[first : first + _CHUNK]
        index.add_with_ids(np.ascontiguousarray(latents[chunk]), ids[chunk])


def _update(index: Any, latents: Floats, ids: Ints) -> bool:
    """Make an inverted file hold what ``ids`` name and nothing else; true if it did not."""
    held = _ids(index)
    gone, new = np.setdiff1d(held, ids), np.flatnonzero(~np.isin(ids, held))
    if len(gone):
        index.remove_ids(gone)
    _add(index, latents, ids, new)
    return bool(len(gone) or len(new))


def _ids(index: Any) -> Ints:
    """The numbers of all that an inverted file holds."""
    import faiss

    lists = index.invlists
    held = [faiss.rev_swig_ptr(lists.get_ids(cell), lists.list_size(cell)) for cell in range(index.nlist)]
    return np.concatenate(held) if held else np.empty(0, np.int64)


def _read(path: Path) -> Any:
    """An inverted file, or None where there is none that is sound: it is then made anew."""
    import faiss

    try:
        return faiss.read_index(str(path))
    except RuntimeError:
        return None


def _write(index: Any, path: Path) -> None:
    import faiss

    with replacing(path) as temporary:
        faiss.write_index(index, str(temporary))
