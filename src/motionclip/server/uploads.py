"""Requests with motion files: a form with a part ``request``, in JSON, and parts with the files that it names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from motionclip.applications.text_to_motion import Source
from motionclip.errors import FormatError, MotionError
from motionclip.io import read_motion, readable
from motionclip.motion import Motion
from motionclip.server import limits
from motionclip.server.errors import HttpError, invalid
from motionclip.server.responses import no_room
from motionclip.server.schemas import FilePart, Words

Asked = TypeVar("Asked", bound=BaseModel)

#: What may be uploaded: an .amc says nothing without a second file.
SUFFIXES = tuple(sorted(suffix for suffix in readable() if suffix != ".amc"))
_REQUEST = "request"


@dataclass(frozen=True)
class Upload:
    """A file that a client sent: its bytes, and the one of ``SUFFIXES`` that its name ends in."""

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
        return read_upload(self.files[part.file], part.file)


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
    if suffix not in SUFFIXES:
        hint = " (`motionclip convert` turns an .amc with its .asf into one of them)" if suffix == ".amc" else ""
        problem = f"part {name!r} has a file that ends in {suffix!r}; expected {' or '.join(SUFFIXES)}{hint}"
        raise HttpError(415, "UnsupportedMediaType", problem)
    return Upload(suffix, await part.read())


def read_upload(upload: Upload, name: str) -> Motion:
    """The motion of an uploaded file; ``name`` is for messages.

    Raises:
        FormatError: if the file is damaged.
        MotionError: if it has more joints, frames or seconds than may be.
        HttpError: if it unpacks to too much, or there is no room on the disk.
    """
    _check_content(upload)
    try:
        with TemporaryDirectory(prefix="motionclip-") as folder:
            path = Path(folder) / f"upload{upload.suffix}"
            path.write_bytes(upload.content)
            motion = read_motion(path)
    except FormatError as error:  # its path is nobody's business
        raise FormatError(name, error.problem.replace(str(path), name), error.expected, error.line) from error
    except OSError as error:
        raise no_room(error) from error
    _check_motion(motion)
    return motion


def _check_content(upload: Upload) -> None:
    """Refuses what would take much memory or time to read."""
    if upload.suffix == ".bvh" and upload.content.upper().count(b"JOINT") > 2 * limits.MAX_JOINTS:
        raise MotionError(f"more than {limits.MAX_JOINTS} joints; expected fewer")
    if upload.suffix == ".npz" and zipfile.is_zipfile(io.BytesIO(upload.content)):
        try:
            with zipfile.ZipFile(io.BytesIO(upload.content)) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return  # the reader says what is wrong
        if size > limits.MAX_UNPACKED:
            raise HttpError(413, "TooLarge", f"an archive that unpacks to more than {limits.MAX_UNPACKED >> 20} MB")


def _check_motion(motion: Motion) -> None:
    """What would take much time to work on.

    Raises:
        MotionError: if it is too much.
    """
    check_size(motion.num_frames, motion.skeleton.num_joints)
    if not limits.MIN_FPS <= motion.fps <= limits.MAX_FPS or motion.duration > limits.MAX_SECONDS:
        raise MotionError(
            f"a motion of {motion.duration:g} s at {motion.fps:g} frames per second; expected at most "
            f"{limits.MAX_SECONDS:g} s, at {limits.MIN_FPS:g} to {limits.MAX_FPS:g} frames per second"
        )


def check_size(frames: float, joints: int) -> None:
    """Says whether a motion may be so large.

    Raises:
        MotionError: if not.
    """
    if frames > limits.MAX_FRAMES or joints > limits.MAX_JOINTS or frames * joints > limits.MAX_POSES:
        raise MotionError(
            f"a motion of {frames:.0f} frames and {joints} joints; expected at most {limits.MAX_FRAMES} and "
            f"{limits.MAX_JOINTS}, and {limits.MAX_POSES} of both multiplied: crop it, or lower its rate"
        )
