"""A command that is one process of a torchrun job: when another one dies, it ends too, and says how to go on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from motionclip.cli.console import show_cursor
from motionclip.errors import ProcessError

if TYPE_CHECKING:
    from motionclip.training.distributed import Ranks

#: Seconds that torchrun gets to notice a dead process and stop this one.
_GRACE = 10.0


@contextmanager
def among(ranks: Ranks) -> Iterator[None]:
    """Around the work of one process of a job."""
    if ranks.size == 1:
        yield
        return
    _end_on_sigterm(
        f"motionclip: process {ranks.rank} of {ranks.size} was told to stop, as when another one ended; torchrun's "
        "report names the first; the same command with --resume goes on from the last checkpoint"
    )
    try:
        yield
    except ProcessError:
        # torchrun blames the first process that it sees end: that must be the one that died, not one that noticed.
        time.sleep(_GRACE)
        raise


def _end_on_sigterm(message: str) -> None:
    """End the process with a message when torchrun or the cluster stops it, even in the middle of an exchange.

    Python's own handlers wait until a call into torch returns, and an exchange on a GPU with a process that is gone
    does not: so a thread reads the signal's number from a pipe.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGTERM, lambda number, frame: None)

    def wait() -> None:
        while os.read(reader, 1)[0] != signal.SIGTERM:
            pass  # Ctrl-C, which Python handles
        show_cursor()
        print(message, file=sys.stderr, flush=True)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
