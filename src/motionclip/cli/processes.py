"""Work on many files in all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from motionclip.errors import MotionClipError

Work = TypeVar("Work")
Result = TypeVar("Result")


def in_processes(do: Callable[[Work], Result], work: Sequence[Work], *, enough: int) -> Iterator[Result]:
    """Yields the result of each piece of work, in order.

    Args:
        do: a function of a module, whose argument and result can be pickled.
        work: the pieces.
        enough: pieces that are worth a process.

    Raises:
        MotionClipError: if a process died.
    """
    import torch

    count = min(os.cpu_count() or 1, -(-len(work) // enough))
    if count < 2:
        yield from map(do, work)
        return
    # one thread each: there is a process per core
    with ProcessPoolExecutor(count, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        try:
            yield from pool.map(do, work)
        except BrokenProcessPool as error:
            raise MotionClipError("a worker process died (out of memory?); give it fewer files at a time") from error
        finally:
            pool.shutdown(cancel_futures=True)
