"""Every answer that is not a success: ``{"error": {"type": ..., "message": ...}}``."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from motionclip.errors import MotionClipError, SizeError

#: Seconds after which a client that got a 503 may try again.
RETRY_AFTER = 1
#: Problems of a request that are listed.
_MOST_PROBLEMS = 5
_TYPES = {400: "BadRequest", 404: "NotFound", 405: "MethodNotAllowed", 415: "UnsupportedMediaType"}


class HttpError(Exception):
    """A request that is answered with an error.

    Args:
        status: of the answer.
        kind: short name of what is wrong, for programs.
        message: what was wrong and what was expected, for people.
        headers: of the answer.
    """

    def __init__(self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status, self.kind, self.message, self.headers = status, kind, message, dict(headers or {})

    @property
    def response(self) -> Response:
        # escaped to ASCII: a message may quote text that is not valid Unicode
        body = json.dumps({"error": {"type": self.kind, "message": self.message}})
        return Response(body, self.status, self.headers, media_type="application/json")


def busy_error(reason: str) -> HttpError:
    """Returns the error of a server that has too much to do: 503 with Retry-After."""
    message = f"{reason}; try again in {RETRY_AFTER} s"
    return HttpError(503, "Busy", message, {"Retry-After": str(RETRY_AFTER)})


def validation_error(error: RequestValidationError | ValidationError) -> HttpError:
    """Returns the error of a body that does not fit its schema: where and what was expected.

    What was sent is not quoted: it may be large.
    """
    found = error.errors()
    problems = [
        f"{'.'.join(str(part)[:60] for part in one['loc']) or 'body'}: {one['msg'][:300]}"
        for one in found[:_MOST_PROBLEMS]
    ]
    more = [f"and {len(found) - _MOST_PROBLEMS} more"] if len(found) > _MOST_PROBLEMS else []
    return HttpError(422, "ValidationError", "; ".join([*problems, *more]))


def http_error_of(error: Exception) -> HttpError | None:
    """Returns the error to answer with where the request or too much work caused an exception; None for a fault."""
    if isinstance(error, HttpError):
        return error
    if isinstance(error, RequestValidationError):
        return validation_error(error)
    if isinstance(error, MemoryError):
        return busy_error("not enough memory")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HttpError(507, "NoRoom", "the server's disk is full; try again later")
    if isinstance(error, SizeError):
        return HttpError(413, "TooLarge", str(error))
    if isinstance(error, MotionClipError):
        return HttpError(422, type(error).__name__, str(error))
    if isinstance(error, HTTPException):
        return HttpError(error.status_code, _TYPES.get(error.status_code, "Refused"), str(error.detail), error.headers)
    return None


async def handle_exception(request: Request, error: Exception) -> Response:
    """The exception handler of the app."""
    known = http_error_of(error)
    if known is None:
        raise error
    return known.response
