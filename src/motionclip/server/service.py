"""The state that all routes share: the model, the library, the worker pools and the metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, TypeVar, cast

from fastapi import Depends
from starlette.requests import Request

from motionclip.applications.search.library import LibraryIndex
from motionclip.model.pipeline import MotionCLIP
from motionclip.progress import ProgressCallback
from motionclip.server.batching import Batcher, MemoizedEncoder, WorkerPool
from motionclip.server.errors import HttpError
from motionclip.server.limits import Limits
from motionclip.server.metrics import Metrics

T = TypeVar("T")


class Service:
    """The shared state of one server.

    Attributes:
        model: the model, with a text encoder that remembers sentences.
        library: what ``/search`` searches; None without a library.
        metrics: the counters.
        batcher: makes motions of texts.
    """

    def __init__(self, model: MotionCLIP, library: LibraryIndex | None, limits: Limits):
        self.model = model.with_text_encoder(MemoizedEncoder(model.text_encoder))
        self.library, self.metrics = library, Metrics()
        gauge = self.metrics.waiting
        # three pools, so that texts, and answers that are ready to be written, do not wait behind edits and films
        self._making = WorkerPool("making", 1, 0, gauge)
        self._answering = WorkerPool("answering", 1, limits.requests, gauge)
        self._jobs = WorkerPool("jobs", limits.workers, limits.jobs, gauge)
        self.batcher = Batcher(self.model, self._making, limits, self.metrics)

    @property
    def is_full(self) -> bool:
        """Whether new work would be answered with 503."""
        return self.batcher.is_full or self._jobs.is_full

    async def run(self, work: Callable[[], T], *, quick: bool = False) -> T:
        """Returns the result of work, done in a worker thread; ``quick`` work has a thread of its own.

        Raises:
            HttpError: 503, if too much work waits already.
        """
        return await (self._answering if quick else self._jobs).run(work)

    async def run_with_progress(self, work: Callable[[ProgressCallback], T]) -> T:
        """Returns the result of long work, which ends at its next step when its request is cancelled.

        Raises:
            HttpError: 503, if too much work waits already.
        """
        cancelled = threading.Event()

        def progress(done: int, total: int) -> None:
            if cancelled.is_set():
                raise HttpError(503, "TooSlow", f"nobody waits any more, after {done} of {total} steps")

        try:
            return await self.run(lambda: work(progress))
        finally:
            cancelled.set()

    def close(self) -> None:
        """Ends the worker threads."""
        for pool in (self._making, self._answering, self._jobs):
            pool.close()


def _service_of(request: Request) -> Service:
    return cast(Service, request.app.state.service)


#: The service of the app that a request came to, as a parameter of a route.
ServiceDependency = Annotated[Service, Depends(_service_of)]
