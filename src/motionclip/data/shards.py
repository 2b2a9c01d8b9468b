"""Several runs on one store: which share of the work each has, and the locks that keep them apart.

A run on the whole takes its lock for itself; the runs of a cluster share that lock, and each has one of its own, so
that no share is worked on twice at once. Locks die with their process, however that ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from motionclip.errors import DataError

try:
    import fcntl
except ImportError:  # not on Windows, where runs are not kept apart
    fcntl = None  # type: ignore[assignment]

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """Share ``index`` of ``count``, counted from 1.

    Raises:
        DataError: if there is no such share.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise DataError(f"shard {self}; expected i/n with i from 1 to n, for example 1/8, 2/8, ... 8/8")

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that is written as ``i/n``.

        Raises:
            DataError: if that is not what is written.
        """
        if not re.fullmatch(r"[0-9]+/[0-9]+", text):
            raise DataError(f"shard {text!r}; expected i/n with i from 1 to n, for example 1/8, 2/8, ... 8/8")
        return cls(*map(int, text.split("/")))

    def of(self, works: Sequence[T]) -> Sequence[T]:
        """Every ``count``-th piece of work, so that long and short ones are shared evenly."""
        return works[self.index - 1 :: self.count]


@contextmanager
def locked(out: Path, parts: Path, shard: Shard | None) -> Iterator[None]:
    """Keep others out while ``out`` is made: all of them, or with a shard those that do the same share or the whole.

    Args:
        out: what is made; its parent is created.
        parts: folder of what is finished; created for a shard, whose lock lies in it.
        shard: this run's share, or None for the whole.

    Raises:
        DataError: if another process is at it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    path, busy = out.with_name(f".{out.name}.lock"), f"{out} is being prepared by another process"
    if shard is None:
        with _lock(path, busy):
            yield
            path.unlink()
    else:
        with _lock(path, busy, shared=True):
            parts.mkdir(exist_ok=True)
            with _lock(parts / f"shard-{shard.index}-of-{shard.count}.lock", f"shard {shard} of {busy}"):
                yield


@contextmanager
def _lock(path: Path, busy: str, *, shared: bool = False) -> Iterator[None]:
    with path.open("w") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataError(f"{busy}; wait for it or stop it") from None
        yield
