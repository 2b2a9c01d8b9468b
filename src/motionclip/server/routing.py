"""Routes that make a motion of a form: the format of the answer, the worker thread, what OpenAPI says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from motionclip import Motion, MotionCLIP
from motionclip.progress import ProgressCallback
from motionclip.server.responses import JSON, choose, file_types, motion_response
from motionclip.server.schemas import RequestBody, form_body, motion_content
from motionclip.server.service import ServiceDependency
from motionclip.server.uploads import Form, read_form

Body = TypeVar("Body", bound=RequestBody)


@dataclass(frozen=True, eq=False)
class Answer:
    """A motion, and what is said of it in headers of the answer.

    Attributes:
        motion: in the format of the Accept header.
        about: values of headers, as JSON: ASCII, whatever the words.
    """

    motion: Motion
    about: Mapping[str, object] = field(default_factory=dict)


MakeMotion = Callable[[MotionCLIP, Form[Body], ProgressCallback], Motion | Answer]


def headers_of(about: Mapping[str, object]) -> dict[str, str]:
    """Returns headers with their values as JSON."""
    return {name: json.dumps(value) for name, value in about.items()}


def motion_type(request: Request) -> str:
    """Returns the media type of a motion that the Accept header prefers, JSON if there is none.

    Raises:
        HttpError: 406, if it accepts none of those that can be written.
    """
    return choose(request.headers.get("accept", ""), (JSON, *file_types()))


def motion_route(router: APIRouter, path: str, schema: type[Body]) -> Callable[[MakeMotion[Body]], MakeMotion[Body]]:
    """Registers a function that makes a motion of a form as the route ``POST path``.

    The function runs in a worker thread. Its name and its docstring stand in the OpenAPI document; its last argument
    is called between the steps of long work, and raises an error when the client has left.
    """

    def register(make: MakeMotion[Body]) -> MakeMotion[Body]:
        async def endpoint(request: Request, service: ServiceDependency) -> Response:
            media_type, form = motion_type(request), await read_form(request, schema, service)

            def work(progress: ProgressCallback) -> Response:
                made = make(service.model, form, progress)
                answer = Answer(made) if isinstance(made, Motion) else made
                response = motion_response(answer.motion, media_type, progress)
                response.headers.update(headers_of(answer.about))
                return response

            return await service.run_with_progress(work)

        router.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            name=make.__name__,
            description=make.__doc__,
            response_class=Response,
            responses=motion_content(),
            openapi_extra=form_body(schema),
        )
        return make

    return register
