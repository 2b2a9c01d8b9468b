"""Work in processes of its own: its results and errors come back, and its time and memory end."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from motionclip.errors import FormatError, SizeError
from motionclip.isolation import CallerLeft, IsolatedWorkers

#: For calls that end by themselves, and the start of a process on a busy machine.
PATIENCE = 300.0


@pytest.fixture(scope="module")
def workers() -> Iterator[IsolatedWorkers]:
    workers = IsolatedWorkers(1, seconds=PATIENCE, megabytes=300.0)
    yield workers
    workers.close()


def double(number: int) -> int:
    return 2 * number


def pid() -> int:
    return os.getpid()


def complain(kind: str) -> None:
    if kind == "format":
        raise FormatError("take.bvh", "it is damaged", "a whole file", 3)
    if kind == "disk":
        raise OSError(errno.ENOSPC, "No space left on device")
    raise ZeroDivisionError("a secret")


def spin() -> None:
    while True:
        pass


def swallow() -> int:
    return int(np.ones(1_000_000_000).sum())


def leave() -> None:
    os._exit(3)


def write_and_spin(mark: str) -> None:
    Path(tempfile.gettempdir(), "left").touch()
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", mark])
    spin()


def write_much_and_spin() -> None:
    for number in range(2000):
        Path(tempfile.gettempdir(), str(number)).touch()
    spin()


def running(mark: str) -> int:
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout.splitlines()
    return sum(mark in line for line in lines)


def wait_until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def test_results_and_errors_come_back(workers: IsolatedWorkers) -> None:
    assert workers.call(double, 21) == 42
    with pytest.raises(FormatError) as refused:
        workers.call(complain, "format")
    assert str(refused.value) == "take.bvh, line 3: it is damaged; expected a whole file" and refused.value.line == 3
    with pytest.raises(OSError) as full:
        workers.call(complain, "disk")
    assert full.value.errno == errno.ENOSPC
    with pytest.raises(RuntimeError, match=r"ZeroDivisionError at .*test_isolation.py") as fault:
        workers.call(complain, "mistake")
    assert "secret" not in str(fault.value)


def test_a_process_serves_many_calls(workers: IsolatedWorkers) -> None:
    assert workers.call(pid) == workers.call(pid) != os.getpid()


def test_memory_ends(workers: IsolatedWorkers) -> None:
    with pytest.raises(SizeError, match="memory"):
        workers.call(swallow)
    assert workers.call(double, 1) == 2


def test_a_process_that_dies_is_replaced(workers: IsolatedWorkers) -> None:
    with pytest.raises(SizeError):
        workers.call(leave)
    assert workers.call(double, 1) == 2


def test_time_ends_with_all_that_was_started_and_written() -> None:
    mark = f"motionclip-grandchild-{os.getpid()}"  # other runs may test the same
    workers = IsolatedWorkers(1, seconds=PATIENCE, megabytes=300.0)
    workers.call(pid)  # its start takes time, too
    workers._seconds = 1.5
    before = set(Path(tempfile.gettempdir()).glob("motionclip-*"))
    started = time.monotonic()
    with pytest.raises(SizeError, match="too long"):
        workers.call(write_and_spin, mark)
    assert time.monotonic() - started < PATIENCE / 5
    assert not any((folder / "left").exists() for folder in before)
    wait_until(lambda: running(mark) == 0)  # a busy machine ends what was killed a little later
    workers._seconds = PATIENCE
    assert workers.call(double, 2) == 4
    workers.close()


def test_a_caller_that_leaves_gives_the_process_back(workers: IsolatedWorkers) -> None:
    cancelled = threading.Event()
    threading.Timer(0.5, cancelled.set).start()
    with pytest.raises(CallerLeft):
        workers.call(spin, cancelled=cancelled)
    assert workers.call(double, 3) == 6


def test_several_threads_may_close_at_once() -> None:
    """Each of them ends the process that runs; the first does, and the others wait for it."""
    workers = IsolatedWorkers(1, seconds=PATIENCE, megabytes=300.0)
    with ThreadPoolExecutor(9) as threads:
        call = threads.submit(workers.call, write_much_and_spin)
        wait_until(lambda: any(Path(each._folder.name, "1999").exists() for each in tuple(workers._running)))
        for closing in [threads.submit(workers.close) for _ in range(8)]:
            closing.result(PATIENCE)
        assert isinstance(call.exception(PATIENCE), CallerLeft)


def test_closing_ends_what_runs() -> None:
    workers = IsolatedWorkers(1, seconds=PATIENCE, megabytes=300.0)
    found: list[BaseException] = []

    def run() -> None:
        try:
            workers.call(spin)
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: bool(workers._running))
    workers.close()
    thread.join(PATIENCE)
    assert [type(error) for error in found] == [CallerLeft]
    with pytest.raises(CallerLeft):
        workers.call(double, 1)
