"""The outermost layer: an id for each request, a line in the log, counters, and no fault that reaches a client.

The log has the route's pattern, not what was asked for: no texts, no file names.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
import traceback

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from motionclip.server.metrics import Metrics
from motionclip.server.refusals import Refusal, refusal_of

LOG = logging.getLogger("motionclip.server")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: Logged where the client left before there was an answer.
_CLIENT_LEFT = 499


class Access:
    """Middleware around everything else."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given, start = Headers(scope=scope).get("x-request-id", ""), time.perf_counter()
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
                refusal = refusal_of(error) or _fault(error, request_id)
                if status == _CLIENT_LEFT:
                    await refusal.response(scope, receive, send_with_id)
            except asyncio.CancelledError:
                self._note(scope, request_id, status, time.perf_counter() - start)
                raise
        self._note(scope, request_id, status, time.perf_counter() - start)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        LOG.info(
            json.dumps({"id": request_id, "method": method, "route": route, "status": status, "ms": seconds * 1e3})
        )


def _fault(error: Exception, request_id: str) -> Refusal:
    """An answer that says nothing of the inside; the log has where it happened, without the words of the error."""
    places = [f"{place.filename}:{place.lineno}" for place in traceback.extract_tb(error.__traceback__)]
    LOG.error(json.dumps({"id": request_id, "fault": type(error).__name__, "at": places}))
    return Refusal(500, "Fault", f"the server made a mistake; its log has more under the request id {request_id}")
