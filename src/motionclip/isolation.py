"""Work on what strangers sent, in processes of its own: with an end to its time and memory, both given back.

A thread cannot be stopped, and memory that a process once took it seldom returns. So files from outside are read in
child processes that live as long as they behave: one that takes too long, or whose caller has left, is killed and
replaced by the next call.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import torch

from motionclip.errors import MotionClipError, SizeError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

T = TypeVar("T")

#: Characters of the folder for temporary files with which a path of a socket in it is still short enough.
_LONGEST_PATH = 60
#: Seconds between looks at whether the caller has left.
_LOOK = 0.1
#: Seconds for which a call goes on whose caller has left.
_GRACE = 2.0
#: Calls after which a process is replaced, so that what a library leaks is given back.
_MOST_CALLS = 200
#: What PyTorch says where memory ends.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


class CallerLeft(Exception):
    """Nobody waits for this call any more."""


class IsolatedWorkers:
    """A few processes that call functions for threads of this one.

    Args:
        count: of processes.
        seconds: of one call, at most.
        megabytes: of memory that a process may take beyond what it starts with.
        preload: modules that the functions need, imported once for all processes.
    """

    def __init__(self, count: int, seconds: float, megabytes: float, preload: Sequence[str] = ()):
        # the server of forks listens on a socket in the folder for temporary files, whose path may not be long
        forks = "forkserver" in multiprocessing.get_all_start_methods() and len(tempfile.gettempdir()) < _LONGEST_PATH
        self._context: Any = multiprocessing.get_context("forkserver" if forks else "spawn")
        if forks:
            self._context.set_forkserver_preload([__name__, *preload])
        self._seconds, self._new = seconds, partial(_Worker, self._context, megabytes)
        self._idle: queue.Queue[_Worker | None] = queue.Queue()
        for _ in range(count):
            self._idle.put(None)  # a process that is to be started
        self._running: set[_Worker] = set()
        self._closed = False

    def call(self, function: Callable[..., T], *args: object, cancelled: threading.Event | None = None) -> T:
        """Returns what a function of some module returns; waits for a process to be free.

        Args:
            function: found by its name in its module; its result and arguments are pickled, without tensors.
            args: of the function.
            cancelled: set when nobody waits for the result any more; the call then ends soon.

        Raises:
            SizeError: if it takes more time or memory than the limits allow.
            CallerLeft: if it was cancelled, or the workers are closed.
            MotionClipError, OSError: as the function.
            RuntimeError: if the function made a mistake.
        """
        cancelled = cancelled or threading.Event()
        deadline = time.monotonic() + self._seconds
        worker = self._take(cancelled, deadline)
        try:
            answer = worker.ask(function, args, cancelled, deadline)
        except BaseException:
            self._running.discard(worker)
            worker.kill()
            self._idle.put(None)
            if self._closed:
                raise CallerLeft from None
            raise
        self._running.discard(worker)
        if worker.calls < _MOST_CALLS:
            self._idle.put(worker)
        else:
            worker.kill()
            self._idle.put(None)
        if cancelled.is_set():
            raise CallerLeft
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def start(self) -> None:
        """Starts all processes, in the background; else the first calls do it."""

        def run(waiting: int) -> None:
            for _ in range(0 if self._closed else waiting):
                with contextlib.suppress(queue.Empty):
                    self._idle.put(self._started(self._idle.get_nowait()))

        threading.Thread(target=run, args=(self._idle.qsize(),), daemon=True).start()

    def _take(self, cancelled: threading.Event, deadline: float) -> _Worker:
        while True:
            if cancelled.is_set() or self._closed:
                raise CallerLeft
            if time.monotonic() > deadline:
                raise SizeError("no process was free in time to read a file; try again later")
            with contextlib.suppress(queue.Empty):
                worker = self._started(self._idle.get(timeout=_LOOK))
                self._running.add(worker)
                return worker

    def _started(self, worker: _Worker | None) -> _Worker:
        """Returns a process, a new one in the place of None; where it cannot be started, its place stays."""
        try:
            return worker or self._new()
        except BaseException:
            self._idle.put(None)
            raise

    def close(self) -> None:
        """Kills the processes; calls that wait end with `CallerLeft`."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                if worker := self._idle.get_nowait():
                    worker.kill()
        for worker in tuple(self._running):
            worker.kill()


class _Worker:
    """One process, and this side's end of the pipe to it."""

    def __init__(self, context: Any, megabytes: float):
        self.calls, self._killed, self._ending = 0, False, threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="motionclip-")  # of this side: it outlives a killed process
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, megabytes, self._folder.name), daemon=True)
        self._process.start()
        theirs.close()

    def ask(
        self, function: Callable[..., Any], args: tuple[object, ...], cancelled: threading.Event, deadline: float
    ) -> Any:
        """The result of a function, or the error that it raised."""
        self.calls, left = self.calls + 1, False
        try:
            self._pipe.send((function, args))
            while not wait([self._pipe, self._process.sentinel], _LOOK):
                if cancelled.is_set() and not left:  # what is nearly done is let alone: a new process costs more
                    left, deadline = True, min(deadline, time.monotonic() + _GRACE)
                if time.monotonic() > deadline:
                    if left:
                        raise CallerLeft
                    raise SizeError("the file takes too long to read; expected a smaller or simpler one")
            return self._pipe.recv()
        except (EOFError, OSError, ValueError) as error:  # the process is gone
            if cancelled.is_set() or self._killed:
                raise CallerLeft from error
            raise SizeError("the file takes more memory or time than is allowed; expected a smaller one") from error

    def kill(self) -> None:
        """Ends the process and those that it started, and removes their files; for several threads at once."""
        with self._ending:
            if self._killed:
                return
            self._killed = True
            if hasattr(os, "killpg") and self._process.pid is not None:
                with contextlib.suppress(OSError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._folder.cleanup()


def _serve(pipe: Connection, megabytes: float, folder: str) -> None:
    """Calls functions until the other side is gone; the main function of a process."""
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own: what it starts is killed with it, and Ctrl-C does not reach it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tempfile.tempdir = folder
    torch.set_num_threads(1)
    _limit_memory(megabytes)
    while True:
        try:
            function, args = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_answer(function, args))


def _limit_memory(megabytes: float) -> None:
    if resource is None or not sys.platform.startswith("linux"):  # elsewhere address space says little
        return
    with open("/proc/self/statm") as file:  # noqa: PTH123
        now = int(file.read().split()[0]) * resource.getpagesize()
    limit = now + int(megabytes * 1e6)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _answer(function: Callable[..., Any], args: tuple[object, ...]) -> Any:
    try:
        return function(*args)
    except (MotionClipError, OSError) as error:
        return error
    except MemoryError:
        return SizeError("the file takes more memory than is allowed; expected a smaller one")
    except Exception as error:
        if any(said in str(error) for said in _NO_MEMORY):
            return SizeError("the file takes more memory than is allowed; expected a smaller one")
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
        return RuntimeError(f"{type(error).__name__} at {where}")
