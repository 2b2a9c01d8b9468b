"""The layers around the routes, from the outermost: access log, guard, request limits."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import secrets
import time
import traceback

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from motionclip.errors import MotionClipError
from motionclip.server.errors import RETRY_AFTER, HttpError, busy_error, http_error_of
from motionclip.server.limits import Limits
from motionclip.server.metrics import Metrics
from motionclip.serving import host_name, is_local_origin, is_loopback

LOG = logging.getLogger("motionclip.server")
#: Request ids of clients that are taken over.
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: Logged where the client left before there was an answer.
_CLIENT_LEFT = 499
#: Open to everybody: whether the server runs is what load balancers ask.
_OPEN = ("/health", "/ready")
#: Shown without a token, which a browser cannot send when it opens a page: what stands in them is in the source, too.
_PAGES = re.compile(r"/|/docs(/.*)?|/openapi\.json")
_LEAST_TOKEN = 16
#: Answered however many requests are being answered: a server that is busy is not dead.
_ALWAYS = "/health"


class AccessLog:
    """Middleware that gives each request an id, a line in the log and its place in the counters.

    Exceptions become answers here, and no fault reaches a client. The log has the pattern of the route, not what was
    asked for: no texts, no file names.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, given = time.perf_counter(), Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        status = _CLIENT_LEFT

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with self._metrics.inside.track_inprogress():
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                answer = http_error_of(error) or _log_fault(error, request_id)
                if status == _CLIENT_LEFT:  # else an answer has begun already
                    await answer.response(scope, receive, send_with_id)
            except asyncio.CancelledError:
                self._log(scope, request_id, status, time.perf_counter() - start)
                raise
        self._log(scope, request_id, status, time.perf_counter() - start)

    def _log(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        LOG.info(
            json.dumps({"id": request_id, "method": method, "route": route, "status": status, "ms": seconds * 1e3})
        )


def _log_fault(error: Exception, request_id: str) -> HttpError:
    """Logs where a fault happened, without the message of its error, and returns an answer that tells only its id."""
    places = [f"{place.filename}:{place.lineno}" for place in traceback.extract_tb(error.__traceback__)]
    LOG.error(json.dumps({"id": request_id, "fault": type(error).__name__, "at": places}))
    return HttpError(500, "Fault", f"the server made a mistake; its log has more under the request id {request_id}")


def check_binding(host: str, token: str | None) -> None:
    """Checks whether a server may listen at a host.

    Raises:
        MotionClipError: if others could reach it and it has no token, or a token is short or not plain ASCII.
    """
    if token is None and not is_loopback(host):
        raise MotionClipError(
            f"host {host} can be reached from other machines; expected a token (--token or MOTIONCLIP_TOKEN), or the "
            "host 127.0.0.1"
        )
    if token is not None and not (len(token) >= _LEAST_TOKEN and token.isascii() and token.isprintable()):
        raise MotionClipError(f"a token that is not at least {_LEAST_TOKEN} printable ASCII characters; make it longer")


class Guard:
    """Middleware that answers only clients with the token, or without one, requests to this machine.

    With a token, requests say ``Authorization: Bearer TOKEN``. Without one, they have to be addressed to this machine:
    else a web page could reach the server through a name that it turns into a loopback address (DNS rebinding). Nor may
    a page of another site have sent them: browsers post forms anywhere, and say in ``Origin`` from where.
    """

    def __init__(self, app: ASGIApp, token: str | None):
        self._app, self._expected = app, None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            self._check(Headers(scope=scope), scope["path"])
        await self._app(scope, receive, send)

    def _check(self, headers: Headers, path: str) -> None:
        if self._expected is None:
            if not is_loopback(host_name(headers.get("host", ""))):
                raise HttpError(403, "Forbidden", "a request to another host; expected localhost or 127.0.0.1")
            if not all(is_local_origin(origin) for origin in headers.getlist("origin")):
                raise HttpError(403, "Forbidden", "a request from a page of another site; expected one of this machine")
        elif not _PAGES.fullmatch(path) and not hmac.compare_digest(
            headers.get("authorization", "").encode("latin-1"), self._expected
        ):
            message = "no token, or a wrong one; expected the header 'Authorization: Bearer TOKEN'"
            raise HttpError(401, "Unauthorized", message, {"WWW-Authenticate": "Bearer"})


class RequestLimits:
    """Middleware that bounds the bytes, the time and the number of requests.

    The app inside gets the body as one piece. It is cancelled when the client leaves.
    """

    def __init__(self, app: ASGIApp, limits: Limits):
        self._app, self._limits = app, limits
        self._requests, self._bytes = 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == _ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._requests >= self._limits.requests:
            raise busy_error(f"{self._limits.requests} requests are being answered already")
        self._requests += 1
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.seconds):
                if await self._read(body, Headers(scope=scope), receive):
                    await self._run(bytes(body), scope, receive, send)
        except TimeoutError:
            message = f"no answer within {self._limits.seconds:g} s; ask for less, or try again later"
            raise HttpError(503, "TooSlow", message, {"Retry-After": str(RETRY_AFTER)}) from None
        finally:
            self._requests -= 1
            self._bytes -= len(body)

    async def _read(self, body: bytearray, headers: Headers, receive: Receive) -> bool:
        """Appends what the client sends to ``body``; returns whether it came to the end before the client left.

        Raises:
            HttpError: 413 or 503, if it is too much.
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
                raise busy_error("other uploads fill the memory")
            body += piece
            self._bytes += len(piece)
            more = message.get("more_body", False)
        return True

    def _check(self, size: int) -> None:
        if size > self._limits.body_bytes:
            # the rest is not read: the connection cannot be used again
            message = f"a body of more than {self._limits.body_mb:g} MB; expected a smaller one"
            raise HttpError(413, "TooLarge", message, {"Connection": "close"})

    async def _run(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the inner app until it is done or the client leaves."""
        gone, taken = asyncio.Event(), False

        async def replay() -> Message:
            nonlocal taken
            if not taken:
                taken = True
                return {"type": "http.request", "body": body, "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

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
