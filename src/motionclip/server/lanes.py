"""Threads for heavy work, with a line of bounded length before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch
from prometheus_client import Gauge

from motionclip.server.refusals import busy

T = TypeVar("T")


class Lane:
    """A few threads that take work in turn. All but the work itself happens on the event loop.

    Args:
        name: in the metrics and for the threads.
        threads: how many.
        each: processor threads of a computation in one of them.
        waiting: work that may wait.
        gauge: shows what waits or is done.
    """

    def __init__(self, name: str, threads: int, each: int, waiting: int, gauge: Gauge):
        # in the thread itself: from outside, MKL does not hear of it
        self._pool = ThreadPoolExecutor(threads, f"motionclip-{name}", torch.set_num_threads, (each,))
        self._room, self._held = threads + waiting, 0
        gauge.labels(name).set_function(lambda: self._held)

    @property
    def is_full(self) -> bool:
        return self._held >= self._room

    async def run(self, work: Callable[[], T]) -> T:
        """The result of work. If the caller is cancelled, work that has begun goes on and keeps its place.

        Raises:
            Refusal: if too much waits already.
        """
        if self.is_full:
            raise busy(f"{self._held} other jobs wait or are being done")
        self._held += 1
        loop, future = asyncio.get_running_loop(), self._pool.submit(work)

        def leave(_: Future[T]) -> None:
            loop.call_soon_threadsafe(self._leave)

        future.add_done_callback(leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Ends the threads after what they have begun; what waits is dropped."""
        self._pool.shutdown(cancel_futures=True)

    def _leave(self) -> None:
        self._held -= 1
