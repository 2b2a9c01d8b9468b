"""Takes a request in whole, within limits, and lets go of it when its time is over or its client is gone."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from motionclip.server.limits import Limits
from motionclip.server.refusals import RETRY_AFTER, Refusal, busy

#: Answered however many requests are inside: a server that is busy is not dead.
_ALWAYS = "/health"
_DISCONNECT: Message = {"type": "http.disconnect"}


class Reception:
    """Middleware that bounds bytes, time and number of requests.

    What is inside gets the body as one piece. It is cancelled when the client leaves.
    """

    def __init__(self, app: ASGIApp, limits: Limits):
        self._app, self._limits = app, limits
        self._requests, self._bytes = 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == _ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._requests >= self._limits.requests:
            raise busy(f"{self._limits.requests} requests are being answered already")
        self._requests += 1
        try:
            await self._answer_in_time(scope, receive, send)
        finally:
            self._requests -= 1

    async def _answer_in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._answer(scope, receive, send)
        except TimeoutError:
            message = f"no answer within {self._limits.seconds:g} s; ask for less, or try again later"
            raise Refusal(503, "TooSlow", message, {"Retry-After": str(RETRY_AFTER)}) from None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        try:
            if await self._read(body, Headers(scope=scope), receive):
                await self._run(bytes(body), scope, receive, send)
        finally:
            self._bytes -= len(body)

    async def _read(self, body: bytearray, headers: Headers, receive: Receive) -> bool:
        """Append what the client sends to ``body``; false if it leaves before the end.

        Raises:
            Refusal: if it is too much.
        """
        length = headers.get("content-length", "0")
        self._check(int(length) if length.isdecimal() and len(length) < 20 else self._limits.body_bytes + 1)
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            piece = message.get("body", b"")
            self._check(len(body) + len(piece))
            if self._bytes + len(piece) > self._limits.held_bytes:
                raise busy("other uploads fill the memory")
            body += piece
            self._bytes += len(piece)
            more = message.get("more_body", False)
        return True

    def _check(self, size: int) -> None:
        if size > self._limits.body_bytes:
            # the rest is not read: the connection cannot be used again
            message = f"a body of more than {self._limits.body_mb:g} MB; expected a smaller one"
            raise Refusal(413, "TooLarge", message, {"Connection": "close"})

    async def _run(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """The inner app, until it is done or the client leaves."""
        gone, taken = asyncio.Event(), False

        async def replay() -> Message:
            nonlocal taken
            if not taken:
                taken = True
                return {"type": "http.request", "body": body, "more_body": False}
            await gone.wait()
            return _DISCONNECT

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()

        answer = asyncio.ensure_future(self._app(scope, replay, send))
        watcher = asyncio.create_task(watch())
        try:
            await asyncio.wait({answer, watcher}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                answer.result()
        finally:
            for task in (answer, watcher):
                task.cancel()
            await asyncio.gather(answer, watcher, return_exceptions=True)
