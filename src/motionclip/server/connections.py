"""Connections of the server: how many, and how long they may take to say what they want.

uvicorn waits for the head of a request as long as a client likes, accepts connections until the system has no file
handle left, and goes on reading what a client sends behind the length that it announced; here all three have an end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from motionclip.server.limits import Limits
from motionclip.serving import end_soon

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

#: File handles that are wanted, and those kept for files, pipes and processes.
_WANTED, _KEPT = 8192, 64
#: Where a system does not tell how many it allows.
_USUAL = 512
#: Bytes that a client may send behind the end of its request before it has the answer.
_MOST_AHEAD = 65_536
#: Seconds for requests to end by themselves when the server is told to stop.
_GRACE = 6
_REFUSAL = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TIMEOUT, _BUSY = _REFUSAL % b"408 Request Timeout", _REFUSAL % b"503 Service Unavailable"


@dataclass(frozen=True)
class Room:
    """How many connections fit under the system's limit of file handles.

    Attributes:
        connections: that may be open at once.
        backlog: that are accepted in one go, before any of them can be refused.
    """

    connections: int
    backlog: int


def make_room(wanted: int) -> Room:
    """Raises this process's limit of file handles as far as it may and is of use; returns what fits below it."""
    handles = _USUAL
    if resource is not None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        handles = most if soft == resource.RLIM_INFINITY else max(soft, most)
    backlog = max(8, min(1024, handles // 8))
    # those of three turns of the event loop are accepted before the first of them is counted
    return Room(max(1, min(wanted, handles - _KEPT - 3 * backlog)), backlog)


class BoundedProtocol(H11Protocol):
    """A connection with a deadline for the head of each request, one of at most ``most``.

    One more takes the place of the one that has been silent for longest; it is refused if all are being answered.
    ``silent`` is shared by all, those that have been silent for longest first.
    """

    def __init__(
        self, *args: Any, most: int, head_seconds: float, silent: dict[BoundedProtocol, None], **named: Any
    ) -> None:
        super().__init__(*args, **named)
        self._most, self._head_seconds, self._silent = most, head_seconds, silent
        self._deadline: asyncio.TimerHandle | None = None
        self._ahead = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self.connections) > self._most:
            next(iter(self._silent), self)._refuse(_BUSY)
        if not self.transport.is_closing():
            self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self._is_answering and self.conn.their_state is not h11.SEND_BODY:
            self._ahead += len(data)
            if self._ahead > _MOST_AHEAD:  # more than it said; or requests faster than they are answered
                self.transport.abort()
                return
        super().data_received(data)
        if self._is_answering:
            self._forget_deadline()

    def on_response_complete(self) -> None:
        self._ahead = 0
        super().on_response_complete()
        if not self._is_answering and not self.transport.is_closing():
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        self._forget_deadline()
        self._silent[self] = None
        self._deadline = self.loop.call_later(self._head_seconds, self._refuse, _TIMEOUT)

    def _forget_deadline(self) -> None:
        self._silent.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, answer: bytes) -> None:
        self._forget_deadline()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


class Server(uvicorn.Server):
    """A server that ends soon after it is told to, whatever it does."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        end_soon()
        super().handle_exit(sig, frame)


def server_of(app: Any, host: str, port: int, limits: Limits) -> Server:
    """Returns a server of an app, ready to run."""
    room = make_room(limits.connections)
    protocol = partial(BoundedProtocol, most=room.connections, head_seconds=limits.head_seconds, silent={})
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=cast(type[asyncio.Protocol], protocol),
        ws="none",
        loop="asyncio",
        log_level="error",
        access_log=False,
        server_header=False,
        backlog=room.backlog,
        timeout_graceful_shutdown=_GRACE,
    )
    return Server(config)
