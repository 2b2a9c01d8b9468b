"""Requests with motion files: a form with a part ``request``, in JSON, and parts with the files that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from motionclip.applications.text_to_motion import Source
from motionclip.motion import Motion
from motionclip.server import limits
from motionclip.server.errors import HttpError, invalid
from motionclip.server.schemas import FilePart, Words
from motionclip.serving import UPLOAD_SUFFIXES, read_upload

Asked = TypeVar("Asked", bound=BaseModel)

_REQUEST = "request"


@dataclass(frozen=True)
class Upload:
    """A file that a client sent: its content, and the one of ``UPLOAD_SUFFIXES`` that its name ends in."""

    suffix: str
    content: bytes


@dataclass(frozen=True)
class Form(Generic[Asked]):
    """What is asked for, and the files that came with it, by the names of their parts."""

    asked: Asked
    files: Mapping[str, Upload]

    def source(self, said: Words | FilePart) -> Source:
        """Words as they are, or the motion of the file that is named; reading it takes time.

        Raises:
            FormatError, MotionError: if the file is damaged, or its motion too large.
            HttpError: 422, if there is no such file.
        """
        return said if isinstance(said, str) else self.motion(said)

    def motion(self, part: FilePart) -> Motion:
        """The motion of a file.

        Raises:
            As :meth:`source`.
        """
        if part.file not in self.files:
            sent = ", ".join(self.files) or "none"
            raise HttpError(422, "NoSuchFile", f"no part {part.file!r} with a file; those sent: {sent}")
        upload = self.files[part.file]
        return read_upload(upload.content, upload.suffix, part.file)


async def read_form(request: Request, kind: type[Asked]) -> Form[Asked]:
    """The request and its files, from a form, or from JSON alone.

    Raises:
        HttpError: if it is of another type or does not fit its schema, has too many parts, or a file of a format that
            cannot be read.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/json":
        return Form(_checked(kind, await request.body()), {})
    if media != "multipart/form-data":
        raise HttpError(415, "UnsupportedMediaType", "expected application/json or multipart/form-data")
    # a field more than files: the request
    async with request.form(max_files=limits.MAX_FILES + 1, max_fields=1, max_part_size=1 << 20) as form:
        asked = await _asked(form)
        files = {name: await _upload(name, part) for name, part in form.items() if isinstance(part, UploadFile)}
    files.pop(_REQUEST, None)
    return Form(_checked(kind, asked), files)


def _checked(kind: type[Asked], said: bytes | str) -> Asked:
    try:
        return kind.model_validate_json(said)
    except ValidationError as error:
        raise invalid(error) from None


async def _asked(form: FormData) -> bytes | str:
    part = form.get(_REQUEST, "{}")
    return await part.read() if isinstance(part, UploadFile) else part


async def _upload(name: str, part: UploadFile) -> Upload:
    if name == _REQUEST:
        return Upload("", b"")
    suffix = PurePath(part.filename or "").suffix.lower()
    if suffix not in UPLOAD_SUFFIXES:
        hint = " (`motionclip convert` turns an .amc with its .asf into one of them)" if suffix == ".amc" else ""
        problem = f"part {name!r} has a file that ends in {suffix!r}; expected {' or '.join(UPLOAD_SUFFIXES)}{hint}"
        raise HttpError(415, "UnsupportedMediaType", problem)
    return Upload(suffix, await part.read())
