"""The state that all routes share: the model, the library, the worker pools and the metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, TypeVar, cast

from fastapi import Depends
from starlette.requests import Request

from motionclip.applications.search.library import LibraryIndex
from motionclip.isolation import CallerLeft
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.progress import ProgressCallback
from motionclip.server.batching import Batcher, MemoizedEncoder, WorkerPool
from motionclip.server.errors import HttpError, busy_error
from motionclip.server.limits import Limits
from motionclip.server.metrics import Metrics
from motionclip.serving import Upload, UploadReader

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
        # pools of their own, so that texts and answers that are ready to be written do not wait for edits and films
        self._making = WorkerPool("making", 1, 0, gauge)
        self._answering = WorkerPool("answering", 1, limits.requests, gauge)
        self._jobs = WorkerPool("jobs", limits.workers, limits.jobs, gauge)
        self._reading = WorkerPool("files", limits.workers, limits.jobs, gauge)
        self._reader = UploadReader(limits.workers, limits.file_seconds)
        self.batcher = Batcher(self.model, self._making, limits, self.metrics)

    @property
    def is_full(self) -> bool:
        """Whether new work would be answered with 503."""
        return self.batcher.is_full or self._jobs.is_full or self._reading.is_full

    @property
    def is_stuck(self) -> bool:
        """Whether all workers of some kind are busy with what nobody waits for any more."""
        return any(pool.is_stuck for pool in self._pools)

    async def read(self, upload: Upload, name: str) -> Motion:
        """Returns the motion of an uploaded file, read in a process of its own, which ends with the request.

        Raises:
            HttpError: 503, if too many files wait already.
            FormatError, MotionError, SizeError, OSError: as :meth:`motionclip.serving.UploadReader.read`.
        """
        cancelled = threading.Event()
        try:
            return await self._reading.run(
                lambda: self._reader.read(upload.content, upload.suffix, name, cancelled=cancelled)
            )
        except CallerLeft:
            raise busy_error("the server is being stopped") from None
        finally:
            cancelled.set()

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

    def start(self) -> None:
        """Starts the processes that read files."""
        self._reader.start()

    def close(self) -> None:
        """Ends the processes at once, and the threads after what they have begun."""
        self._reader.close()
        for pool in self._pools:
            pool.close()

    @property
    def _pools(self) -> tuple[WorkerPool, ...]:
        return self._making, self._answering, self._jobs, self._reading


def _service_of(request: Request) -> Service:
    return cast(Service, request.app.state.service)


#: The service of the app that a request came to, as a parameter of a route.
ServiceDependency = Annotated[Service, Depends(_service_of)]
