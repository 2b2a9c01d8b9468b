"""What all routes share: the model, the library, the worker threads and the metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, TypeVar, cast

from fastapi import Depends
from starlette.requests import Request

from motionclip.applications.search.library import LibraryIndex
from motionclip.model.pipeline import MotionCLIP
from motionclip.progress import ProgressCallback
from motionclip.server.batching import Batcher, Lane, MemoizedEncoder
from motionclip.server.errors import HttpError
from motionclip.server.limits import Limits
from motionclip.server.metrics import Metrics

# What is counted, in the text format of Prometheus.


# What all routes share: the model, the library, the threads.


T = TypeVar("T")


class Service:
    """One server's inside.

    Attributes:
        model: makes and understands motions.
        library: what is searched; None without a library.
        metrics: what is counted.
        batcher: makes motions of sentences.
    """

    def __init__(self, model: MotionCLIP, library: LibraryIndex | None, limits: Limits):
        self.model = model.with_text_encoder(MemoizedEncoder(model.text_encoder))
        self.library, self.metrics = library, Metrics()
        gauge = self.metrics.waiting
        self._making = Lane("making", 1, limits.threads, 0, gauge)
        self._answering = Lane("answering", 1, limits.threads, limits.requests, gauge)
        self._jobs = Lane("jobs", limits.workers, limits.threads, limits.jobs, gauge)
        self.batcher = Batcher(self.model, self._making, limits, self.metrics)

    @property
    def is_full(self) -> bool:
        """Whether new work would be turned away."""
        return self.batcher.is_full or self._jobs.is_full

    async def do(self, work: Callable[[], T], *, quick: bool = False) -> T:
        """The result of work, done in a thread: one of its own for what is quick.

        Raises:
            HttpError: if too much waits already.
        """
        return await (self._answering if quick else self._jobs).run(work)

    async def do_in_steps(self, work: Callable[[ProgressCallback], T]) -> T:
        """The result of long work that says how far it is; it ends at its next step when nobody waits any more.

        Raises:
            HttpError: as :meth:`do`.
        """
        left = threading.Event()

        def on_step(done: int, total: int) -> None:
            if left.is_set():
                raise HttpError(503, "TooSlow", f"nobody waits any more, after {done} of {total} steps")

        try:
            return await self.do(lambda: work(on_step))
        finally:
            left.set()

    def close(self) -> None:
        """Ends the threads."""
        for lane in (self._making, self._answering, self._jobs):
            lane.close()


def service_of(request: Request) -> Service:
    """The service of the app that a request came to."""
    return cast(Service, request.app.state.service)


#: The service, as a parameter of a route.
Given = Annotated[Service, Depends(service_of)]
