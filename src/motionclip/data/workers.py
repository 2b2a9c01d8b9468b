"""Pieces of work on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

import torch

from motionclip.errors import DataError

T = TypeVar("T")


def do_all(make: Callable[[T], None], todo: Sequence[T], workers: int) -> Iterator[None]:
    """Do each piece of work, in this process (one worker) or in several; yields once for each that is done.

    Raises:
        DataError: if a process died.
    """
    if workers == 1 or len(todo) < 2:
        yield from map(make, todo)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,))
    with pool:
        try:
            yield from pool.map(make, todo, chunksize=4)
        except BrokenProcessPool as error:
            raise DataError(
                "a worker process died (out of memory?); run the same command again to go on, with fewer workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
