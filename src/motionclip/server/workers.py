"""Several processes that answer at one address: the system gives each connection to one that waits for one."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any

from motionclip.errors import MotionClipError
from motionclip.server.connections import server_of
from motionclip.server.limits import Limits


def serve_in_processes(make_app: Callable[[], Any], host: str, port: int, limits: Limits, count: int) -> None:
    """Runs servers of an app in ``count`` processes, until this process is told to end.

    Args:
        make_app: returns the app, in each process one of its own; can be pickled.
        host: address to listen at.
        port: port to listen at.
        limits: of each process.
        count: of the processes.

    Raises:
        MotionClipError: if one of them ends by itself; the others are told to end, too.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    listener, context = server_of(None, host, port, limits).config.bind_socket(), get_context("spawn")
    arguments = (make_app, host, port, limits, listener)
    processes = [context.Process(target=_serve, args=arguments) for _ in range(count)]
    try:
        for process in processes:
            process.start()
        wait([process.sentinel for process in processes])
        raise MotionClipError("a process of the server died (out of memory?); take fewer --workers, or start it again")
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _serve(make_app: Callable[[], Any], host: str, port: int, limits: Limits, listener: socket.socket) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server_of(make_app(), host, port, limits).run(sockets=[listener])


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, however it went."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
