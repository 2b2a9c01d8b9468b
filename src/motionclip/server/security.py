"""Who may ask: programs on this machine, or whoever knows the token."""

from __future__ import annotations

import hmac
import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from motionclip.errors import MotionClipError
from motionclip.server.refusals import Refusal

#: Open to everybody: whether the server runs is what load balancers ask.
_OPEN = ("/health", "/ready")
_LEAST_TOKEN = 16


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own, which no other machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_binding(host: str, token: str | None) -> None:
    """Says whether a server may listen there.

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
    """Middleware that lets in only who may ask.

    With a token, requests say ``Authorization: Bearer TOKEN``. Without one, they have to be addressed to this machine:
    else a web page could reach the server through a name that it turns into a loopback address (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, token: str | None):
        self._app, self._expected = app, None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            self._check(Headers(scope=scope))
        await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        if self._expected is None:
            if not is_loopback(host_name(headers.get("host", ""))):
                raise Refusal(403, "Forbidden", "a request to another host; expected localhost or 127.0.0.1")
        elif not hmac.compare_digest(headers.get("authorization", "").encode("latin-1"), self._expected):
            message = "no token, or a wrong one; expected the header 'Authorization: Bearer TOKEN'"
            raise Refusal(401, "Unauthorized", message, {"WWW-Authenticate": "Bearer"})


def host_name(host: str) -> str:
    """The name of a Host header, without the port."""
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
