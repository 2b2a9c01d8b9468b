"""Latents of a library's files on disk: one table, and the parts that an unfinished run has left.

``manifest.json``     names the two arrays of the table and says which file has how many of their rows.
``TOKEN.npy``         (N, D) float32: unit latents.
``TOKEN.rows.npy``    (N,): for each row a number that is never given again, and the seconds of its window.
``part-TOKEN.*``      the same of the files that were read since, until :meth:`IndexFile.merge` takes them in.
``nearest.faiss``     the inverted file of a large table, see ``applications/search/nearest.py``.

All of it can be computed again: what is missing or damaged is taken as not there.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionclip.formats.files import replacing

FORMAT, VERSION = "motionclip-library", 1
MANIFEST, NEAREST = "manifest.json", "nearest.faiss"
_PART = "part-"
#: Number, and first and last second, of a row.
ROW = np.dtype([("id", "<i8"), ("start", "<f4"), ("end", "<f4")])
_CHUNK = 65_536


@dataclass(frozen=True)
class Record:
    """A file of a library.

    Attributes:
        name: of the file, in its library.
        stamp: changes when the file does.
        count: rows that it has.
        problem: why it has none, if it could not be read.
    """

    name: str
    stamp: str
    count: int
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Table:
    """Files and their rows, one file's after another's.

    Attributes:
        records: the files.
        latents: (N, D) float32, memory-mapped.
        rows: (N,) with the fields id, start and end.
    """

    records: tuple[Record, ...]
    latents: NDArray[np.float32]
    rows: NDArray[Any]

    @property
    def counts(self) -> NDArray[np.int64]:
        """(F,) rows of each file."""
        return np.array([record.count for record in self.records], np.int64)


class IndexFile:
    """The folder of a library's latents; one process may write to it at a time.

    Args:
        folder: made if it is not there.
        dim: numbers of a latent.
    """

    def __init__(self, folder: Path, dim: int):
        self._folder, self._dim = folder, dim
        folder.mkdir(parents=True, exist_ok=True)
        self._table, self._next_id = self._open()
        self._parts = dict(self._open_parts())

    @property
    def table(self) -> Table:
        """What has been merged."""
        return self._table

    @property
    def records(self) -> dict[str, Record]:
        """All files by name, those of parts too."""
        return {record.name: record for table in (self._table, *self._parts.values()) for record in table.records}

    def put(self, records: Sequence[Record], latents: NDArray[np.float32], spans: NDArray[np.float64]) -> None:
        """Keep files in a part: latents (N, D) and seconds (N, 2) of their rows, one file's after another's."""
        name = _PART + secrets.token_hex(8)
        rows = np.zeros(len(spans), ROW)
        rows["start"], rows["end"] = spans.T
        self._write(name, [latents], rows)
        self._write_json(f"{name}.json", [astuple(record) for record in records])  # last: now the part is whole
        self._parts[name] = Table(tuple(records), latents, rows)

    def merge(self, wanted: Mapping[str, str]) -> None:
        """Take the parts into the table, and out of it every file that is not wanted.

        Args:
            wanted: stamps of files by name.
        """
        tables = [self._table, *self._parts.values()]
        newest = {record.name: number for number, table in enumerate(tables) for record in table.records}
        kept = [
            np.array([newest[r.name] == number and wanted.get(r.name) == r.stamp for r in table.records], bool)
            for number, table in enumerate(tables)
        ]
        if self._parts or not kept[0].all():
            self._replace(tables, kept)
        for name in self._parts:
            for path in self._folder.glob(f"{name}.*"):
                path.unlink()
        self._parts = {}

    def _replace(self, tables: Sequence[Table], kept: Sequence[NDArray[np.bool_]]) -> None:
        """Write the kept files of tables as the one table; rows of the first keep their numbers."""
        live = [np.repeat(keep, table.counts) for keep, table in zip(kept, tables, strict=True)]
        rows = np.concatenate([table.rows[chosen] for table, chosen in zip(tables, live, strict=True)])
        new = len(rows) - int(live[0].sum())
        rows["id"][len(rows) - new :] = np.arange(self._next_id, self._next_id + new)
        records = [r for keep, t in zip(kept, tables, strict=True) for k, r in zip(keep, t.records, strict=True) if k]
        name = secrets.token_hex(8)
        self._write(name, _pieces(tables, live), rows)
        head = {"format": FORMAT, "version": VERSION, "next_id": self._next_id + new, "arrays": name}
        self._write_json(MANIFEST, {**head, "records": [astuple(record) for record in records]})
        self._table, self._next_id = self._read(name, records), self._next_id + new
        for path in self._folder.glob("*.npy"):
            if not path.name.startswith((f"{name}.", _PART)):
                path.unlink()

    def _open(self) -> tuple[Table, int]:
        """The table and the next number to give."""
        try:
            manifest = json.loads((self._folder / MANIFEST).read_text("utf-8"))
            if (manifest["format"], manifest["version"]) != (FORMAT, VERSION):
                raise ValueError("another format")
            return self._read(manifest["arrays"], [Record(*row) for row in manifest["records"]]), manifest["next_id"]
        except (OSError, ValueError, KeyError, TypeError):
            (self._folder / NEAREST).unlink(missing_ok=True)  # numbers begin anew
            return Table((), np.empty((0, self._dim), np.float32), np.empty(0, ROW)), 0

    def _open_parts(self) -> Iterator[tuple[str, Table]]:
        for path in sorted(self._folder.glob(f"{_PART}*.json"), key=lambda path: path.stat().st_mtime_ns):
            try:
                yield path.stem, self._read(path.stem, [Record(*row) for row in json.loads(path.read_text("utf-8"))])
            except (OSError, ValueError, TypeError):
                path.unlink()

    def _read(self, name: str, records: Sequence[Record]) -> Table:
        """A table that was written; ValueError or OSError if it is not there or damaged."""
        # copy-on-write: never changed, but PyTorch warns of arrays that may not be written to
        latents = np.load(self._folder / f"{name}.npy", mmap_mode="c", allow_pickle=False)
        rows = np.load(self._folder / f"{name}.rows.npy", allow_pickle=False)
        table = Table(tuple(records), latents, rows)
        if latents.shape != (len(rows), self._dim) or rows.dtype != ROW or table.counts.sum() != len(rows):
            raise ValueError("the arrays do not fit the list")
        return table

    def _write(self, name: str, pieces: Iterable[NDArray[np.float32]], rows: NDArray[Any]) -> None:
        """Write the arrays of a table, its latents piece by piece: they may be larger than memory."""
        with replacing(self._folder / f"{name}.npy") as path:
            array = np.lib.format.open_memmap(path, "w+", np.float32, (len(rows), self._dim))
            first = 0
            for piece in pieces:
                array[first : first + len(piece)] = piece
                first += len(piece)
            array.flush()
        with replacing(self._folder / f"{name}.rows.npy") as path:
            np.save(path, rows, allow_pickle=False)

    def _write_json(self, name: str, value: object) -> None:
        with replacing(self._folder / name) as path:
            path.write_text(json.dumps(value), encoding="utf-8")


def _pieces(tables: Sequence[Table], live: Sequence[NDArray[np.bool_]]) -> Iterator[NDArray[np.float32]]:
    """The live rows of tables, one table after another."""
    for table, chosen in zip(tables, live, strict=True):
        for first in range(0, len(chosen), _CHUNK):
            piece = slice(first, first + _CHUNK)
            yield table.latents[piece][chosen[piece]]
