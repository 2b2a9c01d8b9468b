"""Connections of the server: how many, and how long they may take to say what they want and to take the answer.

uvicorn waits for the head of a request as long as a client likes, and as long for it to take its answer, accepts
connections until the system has no file handle left, and goes on reading what a client sends behind the length that it
announced; here all four have an end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
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
#: Bytes of all answers that their clients have not taken.
_MOST_UNSENT = 256_000_000
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


@dataclass
class Waiting:
    """Connections that the server waits for, those that it has waited for longest first, each with its deadline.

    Attributes:
        silent: for the head of a request.
        unread: for an answer to be taken.
    """

    silent: dict[BoundedProtocol, asyncio.TimerHandle] = field(default_factory=dict)
    unread: dict[BoundedProtocol, asyncio.TimerHandle] = field(default_factory=dict)


class BoundedProtocol(H11Protocol):
    """A connection with a deadline for the head of each request and for taking the answer, one of at most ``most``.

    One more takes the place of the one that has been waited for longest; it is refused if all are being answered.

    Args:
        most: connections.
        head_seconds: for a head.
        unread_seconds: for which a client may take nothing of its answer.
        waiting: is shared by all.
    """

    def __init__(
        self, *args: Any, most: int, head_seconds: float, unread_seconds: float, waiting: Waiting, **named: Any
    ) -> None:
        super().__init__(*args, **named)
        self._most, self._head_seconds, self._unread_seconds = most, head_seconds, unread_seconds
        self._silent, self._unread = waiting.silent, waiting.unread
        self._ahead = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.transport.set_write_buffer_limits(high=0)  # `pause_writing` is called whenever something is unsent
        if len(self.connections) > self._most:
            next(chain(self._silent, self._unread), self)._give_up()
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
            self._forget(self._silent)

    def on_response_complete(self) -> None:
        self._ahead = 0
        super().on_response_complete()
        if not self._is_answering and not self.transport.is_closing():
            self._expect_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()
        while sum(each._unsent for each in self._unread) > _MOST_UNSENT and len(self._unread) > 1:
            next(iter(self._unread))._abort()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget(self._unread)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget(self._silent, self._unread)
        super().connection_lost(exc)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _unsent(self) -> int:
        """Bytes of answers that the system has not taken, as the client does not."""
        return self.transport.get_write_buffer_size()

    def _expect_reading(self) -> None:
        self._unread[self] = self.loop.call_later(self._unread_seconds, self._check_reading, self._unsent)

    def _check_reading(self, unsent_before: int) -> None:
        if self._unsent < unsent_before:
            self._expect_reading()
        else:
            self._abort()

    def _forget(self, *tables: dict[BoundedProtocol, asyncio.TimerHandle]) -> None:
        """Waits no more for what these tables are of."""
        for table in tables:
            if deadline := table.pop(self, None):
                deadline.cancel()

    def _abort(self) -> None:
        """Ends the connection without waiting for what is unsent, as closing it does."""
        self._forget(self._silent, self._unread)
        self.transport.abort()

    def _expect_head(self) -> None:
        self._forget(self._silent)
        self._silent[self] = self.loop.call_later(self._head_seconds, self._miss_head)

    def _miss_head(self) -> None:
        if self in self._unread:  # it is still taking an answer
            self._expect_head()
        else:
            self._refuse(_TIMEOUT)

    def _give_up(self) -> None:
        """Makes room for another connection."""
        if self in self._unread:
            self._abort()
        else:
            self._refuse(_BUSY)

    def _refuse(self, answer: bytes) -> None:
        self._forget(self._silent)
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
    protocol = partial(
        BoundedProtocol,
        most=room.connections,
        head_seconds=limits.head_seconds,
        unread_seconds=limits.seconds,
        waiting=Waiting(),
    )
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
