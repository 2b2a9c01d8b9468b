"""Work off the page: one thing at a time, in the order of asking, and dropped when nobody waits any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """Nobody waits for this work any more."""


class Job:
    """A piece of work that was asked for.

    Args:
        title: what is done, for people.
        on_step: is called at every step of long work.
    """

    def __init__(self, title: str, on_step: Callable[[], None] = lambda: None):
        self._title, self._on_step, self._progress = title, on_step, ""
        self._stopped = threading.Event()

    @property
    def doing(self) -> str:
        """What is done, and how far it is."""
        return self._title + self._progress

    def stop(self) -> None:
        """It is not begun any more, or ends at its next step, or its result is thrown away."""
        self._stopped.set()

    def step(self, done: int = 0, total: int = 0) -> None:
        """What long work calls between its steps.

        Raises:
            Stopped: if it was stopped.
        """
        if self._stopped.is_set():
            raise Stopped(self.doing)
        if total:
            self._progress = f", {done} of {total}"
            self._on_step()


class Workshop:
    """One thread that all browsers share."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "motionclip-studio")

    def start(
        self,
        job: Job,
        work: Callable[[Job], T],
        *,
        then: Callable[[T], None],
        failed: Callable[[Exception], None],
        ended: Callable[[Job], None],
    ) -> None:
        """Has work done after all that was asked for before.

        Args:
            job: by which it can be stopped.
            work: calls ``Job.step`` if it is long.
            then: gets the result, in the same thread, unless the job was stopped.
            failed: gets the error of ``work`` or ``then`` instead, unless the job was stopped.
            ended: is told in any case.
        """

        def whole() -> None:
            try:
                job.step()
                result = work(job)
                job.step()
                then(result)
            except Stopped:
                pass
            except Exception as error:
                failed(error)
            finally:
                ended(job)

        self._pool.submit(whole)

    def close(self) -> None:
        """Ends the thread after what it has begun; what waits is dropped."""
        self._pool.shutdown(cancel_futures=True)
