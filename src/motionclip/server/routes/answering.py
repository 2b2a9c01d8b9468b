"""What the routes that answer with one motion have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from motionclip.motion import Motion
from motionclip.progress import OnStep
from motionclip.server.answers import motion_answer
from motionclip.server.negotiation import JSON, choose, file_types
from motionclip.server.service import Service
from motionclip.server.uploads import Form, read_form

Asked = TypeVar("Asked", bound=BaseModel)


def wanted(request: Request) -> str:
    """The media type of a motion that a client wants; JSON if it does not say.

    Raises:
        Refusal: 406, if none is possible.
    """
    return choose(request.headers.get("accept", ""), (JSON, *file_types()))


async def answer_form(
    request: Request, service: Service, schema: type[Asked], make: Callable[[Form[Asked]], Motion]
) -> Response:
    """The motion that ``make`` makes, in a thread, of the form that was sent, in the format that is wanted.

    Raises:
        Refusal: if the form does not fit ``schema``, no such format is possible, or too much waits already.
    """
    kind, form = wanted(request), await read_form(request, schema)
    return await service.do(lambda: motion_answer(make(form), kind))


async def answer_form_in_steps(
    request: Request, service: Service, schema: type[Asked], make: Callable[[Form[Asked], OnStep], Motion]
) -> Response:
    """As `answer_form`, for what takes long and says how far it is.

    Raises:
        Refusal: as `answer_form`.
    """
    kind, form = wanted(request), await read_form(request, schema)
    return await service.do_in_steps(lambda on_step: motion_answer(make(form, on_step), kind))
