"""Requests with motion files: a form with a part ``request``, in JSON, and parts with the files that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Generic, TypeVar

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from motionclip import Motion
from motionclip.applications.text_to_motion import Source
from motionclip.server import limits
from motionclip.server.errors import HttpError, validation_error
from motionclip.server.schemas import FilePart, RequestBody
from motionclip.server.service import Service
from motionclip.serving import UPLOAD_SUFFIXES, Upload

Body = TypeVar("Body", bound=RequestBody)

_REQUEST = "request"


@dataclass(frozen=True)
class Form(Generic[Body]):
    """The body of a request, and the motions of the files that it names, by the names of their parts."""

    body: Body
    motions: Mapping[str, Motion]

    def source(self, source: str | FilePart) -> Source:
        """Returns a text as it is, or the motion of the file that is named."""
        return source if isinstance(source, str) else self.motion(source)

    def motion(self, part: FilePart) -> Motion:
        """Returns the motion of a file."""
        return self.motions[part.file]


async def read_form(request: Request, schema: type[Body], service: Service) -> Form[Body]:
    """Returns the body of a request and the motions that it names, from a form, or from JSON alone.

    Raises:
        HttpError: if the request is of another type or does not fit its schema, names a file that it does not have, or
            has one of a format that cannot be read.
        HTTPException: 400, if the form is damaged or has too many parts.
        FormatError, MotionError, SizeError, OSError: as :meth:`Service.read`.
    """
    body, files = await _read_parts(request, schema)
    motions = {}
    for name in dict.fromkeys(_named_files(body)):
        if name not in files:
            sent = ", ".join(files) or "none"
            raise HttpError(422, "NoSuchFile", f"no part {name!r} with a file; those sent: {sent}")
        motions[name] = await service.read(files[name], name)
    return Form(body, motions)


def _named_files(value: object) -> Iterator[str]:
    """Yields the names of the files that a body names."""
    if isinstance(value, FilePart):
        yield value.file
    elif isinstance(value, RequestBody):
        yield from _named_files([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, list):
        for each in value:
            yield from _named_files(each)


async def _read_parts(request: Request, schema: type[Body]) -> tuple[Body, dict[str, Upload]]:
    """The body of a request, and its files by the names of their parts."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content: bytes | str
    if media_type == "application/json":
        content, files = await request.body(), {}
    elif media_type == "multipart/form-data":
        # one file more: the part `request` may be sent as a file, too
        async with request.form(max_files=limits.MAX_FILES + 1, max_fields=1, max_part_size=1 << 20) as form:
            part = form.get(_REQUEST, "{}")
            content = await part.read() if isinstance(part, UploadFile) else part
            files = {
                name: await _read_file(name, part)
                for name, part in form.items()
                if isinstance(part, UploadFile) and name != _REQUEST
            }
    else:
        raise HttpError(415, "UnsupportedMediaType", "expected application/json or multipart/form-data")
    try:
        return schema.model_validate_json(content), files
    except ValidationError as error:
        raise validation_error(error) from None


async def _read_file(name: str, part: UploadFile) -> Upload:
    suffix = PurePath(part.filename or "").suffix.lower()
    if suffix not in UPLOAD_SUFFIXES:
        hint = " (`motionclip convert` turns an .amc with its .asf into one of them)" if suffix == ".amc" else ""
        problem = f"part {name!r} has a file that ends in {suffix!r}; expected {' or '.join(UPLOAD_SUFFIXES)}{hint}"
        raise HttpError(415, "UnsupportedMediaType", problem)
    return Upload(suffix, await part.read())
