"""Requests with motion files: a form with a part ``request``, in JSON, and parts with the files that it names."""

from __future__ import annotations

from collections.abc import Mapping
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
from motionclip.serving import UPLOAD_SUFFIXES, read_upload

Body = TypeVar("Body", bound=RequestBody)

_REQUEST = "request"


@dataclass(frozen=True)
class Upload:
    """A file that a client sent: its content, and the one of ``UPLOAD_SUFFIXES`` that its name ends in."""

    suffix: str
    content: bytes


@dataclass(frozen=True)
class Form(Generic[Body]):
    """The body of a request, and the files that came with it, by the names of their parts."""

    body: Body
    files: Mapping[str, Upload]

    def source(self, source: str | FilePart) -> Source:
        """Returns a text as it is, or the motion of the file that is named; reading it takes time.

        Raises:
            As :meth:`motion`.
        """
        return source if isinstance(source, str) else self.motion(source)

    def motion(self, part: FilePart) -> Motion:
        """Returns the motion of a file.

        Raises:
            HttpError: 422, if there is no such file.
            FormatError, MotionError, SizeError, OSError: as :func:`motionclip.serving.read_upload`.
        """
        if part.file not in self.files:
            sent = ", ".join(self.files) or "none"
            raise HttpError(422, "NoSuchFile", f"no part {part.file!r} with a file; those sent: {sent}")
        upload = self.files[part.file]
        return read_upload(upload.content, upload.suffix, part.file)


async def read_form(request: Request, schema: type[Body]) -> Form[Body]:
    """Returns the body of a request and its files, from a form, or from JSON alone.

    Raises:
        HttpError: if the request is of another type or does not fit its schema, or has a file of a format that cannot
            be read.
        HTTPException: 400, if the form is damaged or has too many parts.
    """
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
        return Form(schema.model_validate_json(content), files)
    except ValidationError as error:
        raise validation_error(error) from None


async def _read_file(name: str, part: UploadFile) -> Upload:
    suffix = PurePath(part.filename or "").suffix.lower()
    if suffix not in UPLOAD_SUFFIXES:
        hint = " (`motionclip convert` turns an .amc with its .asf into one of them)" if suffix == ".amc" else ""
        problem = f"part {name!r} has a file that ends in {suffix!r}; expected {' or '.join(UPLOAD_SUFFIXES)}{hint}"
        raise HttpError(415, "UnsupportedMediaType", problem)
    return Upload(suffix, await part.read())
