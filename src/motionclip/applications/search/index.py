"""The index of a library on disk: the window embeddings of its motions, in blocks.

A block is a safetensors file with three tensors about some of the motions:

``entries``  (B,) uint8: JSON, a list of [name, stamp, count, problem], one for each motion.
``embeddings``  (N, J) float32: joint embeddings of their windows, one motion's after another's.
``spans``    (N, 2) float32: first and last second of each window.

While motions are read, blocks are added, so that a run that is stopped goes on where it was; at its end all blocks are
merged into one. Where two blocks have the same motion, the newer block is right. Two runs at once may do the same work
twice, but damage nothing. All of it can be computed again: a damaged block is removed.
"""

from __future__ import annotations

import itertools
import json
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from operator import itemgetter
from pathlib import Path

import torch
from torch import Tensor

from motionclip.errors import DataError
from motionclip.formats.files import save_tensors
from motionclip.gate.documents import Count, parse
from motionclip.gate.tensors import read_tensors

_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Entry:
    """A motion of a library in its index.

    Attributes:
        name: of the motion in the library.
        stamp: changes when the motion does.
        count: number of its windows.
        problem: why it has none, if it could not be read.
    """

    name: str
    stamp: str
    count: int
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Block:
    """Some motions and their windows.

    Attributes:
        entries: of the motions.
        embeddings: (N, J) float32, unit; memory-mapped where they are read from disk.
        spans: (N, 2) float32, seconds.
    """

    entries: tuple[Entry, ...]
    embeddings: Tensor
    spans: Tensor

    @property
    def counts(self) -> Tensor:
        """(E,) number of windows of each entry."""
        return torch.tensor([entry.count for entry in self.entries], dtype=torch.long)


class IndexFolder:
    """The folder of a library's index.

    Args:
        folder: made if it is missing.
        dim: J, the size of an embedding.

    Raises:
        DataError: if there can be no such folder.
    """

    def __init__(self, folder: Path, dim: int):
        self._folder, self._dim = folder, dim
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = f"the search index cannot be kept in {folder} ({error.strerror})"
            raise DataError(f"{problem}; set MOTIONCLIP_CACHE to a folder that can be written") from error
        found: list[tuple[int, Path, Block]] = []
        for path in folder.glob(f"*{_SUFFIX}"):
            try:
                found.append((path.stat().st_mtime_ns, path, self._read(path)))
            except (OSError, ValueError) as error:  # a link to nowhere, too
                warnings.warn(f"the search index {path} is damaged ({error}); it is built anew", stacklevel=2)
                path.unlink(missing_ok=True)
        found.sort(key=itemgetter(0))
        self._blocks = {path: block for _, path, block in found}  # from the oldest to the newest

    @property
    def entries(self) -> dict[str, Entry]:
        """The newest entry of each motion, by name."""
        return {entry.name: entry for block in self._blocks.values() for entry in block.entries}

    def add(self, block: Block) -> None:
        """Writes a block."""
        path = self._folder / f"{secrets.token_hex(8)}{_SUFFIX}"
        text = json.dumps([astuple(entry) for entry in block.entries]).encode()
        tensors = {
            "entries": torch.frombuffer(bytearray(text), dtype=torch.uint8),
            "embeddings": block.embeddings,
            "spans": block.spans.float(),
        }
        save_tensors(path, tensors)
        self._blocks[path] = self._read(path)

    def merge(self, wanted: Mapping[str, str]) -> Block:
        """Returns the newest entries that are wanted as one block, which takes the place of all others on disk.

        Args:
            wanted: stamps of motions by name.
        """
        old, self._blocks = self._blocks, {}
        newest = {entry.name: path for path, block in old.items() for entry in block.entries}
        entries: list[Entry] = []
        embeddings, spans = [torch.empty(0, self._dim)], [torch.empty(0, 2)]
        for path, block in old.items():
            kept = [newest[e.name] == path and wanted.get(e.name) == e.stamp for e in block.entries]
            if len(old) == 1 and all(kept):
                self._blocks = old
                return block
            entries += itertools.compress(block.entries, kept)
            rows = torch.tensor(kept, dtype=torch.bool).repeat_interleave(block.counts)
            embeddings.append(block.embeddings[rows])
            spans.append(block.spans[rows])
        self.add(Block(tuple(entries), torch.cat(embeddings), torch.cat(spans)))
        for path in old:
            path.unlink(missing_ok=True)  # where another process has it memory-mapped, it stays there
        (merged,) = self._blocks.values()
        return merged

    def _read(self, path: Path) -> Block:
        """Returns a block; raises a ValueError or an OSError if it is missing or damaged."""
        tensors, _ = read_tensors(path, ("entries", "embeddings", "spans"))
        if tensors["entries"].dtype != torch.uint8:
            raise ValueError("its entries are no text")
        rows = parse(bytes(tensors["entries"].numpy()), list[tuple[str, str, Count, str]])
        entries = tuple(Entry(*row) for row in rows)
        embeddings, spans, count = tensors["embeddings"], tensors["spans"], sum(entry.count for entry in entries)
        shapes = (tuple(embeddings.shape), tuple(spans.shape))
        if shapes != ((count, self._dim), (count, 2)) or {embeddings.dtype, spans.dtype} != {torch.float32}:
            raise ValueError("the tensors do not fit the entries")
        return Block(entries, embeddings, spans)
