"""Motions as bodies of answers."""

from __future__ import annotations

import errno
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson
from starlette.responses import Response

from motionclip.errors import MotionError
from motionclip.formats import Rig, write_motion
from motionclip.motion import Motion
from motionclip.motion.rotations import matrix_to_quat
from motionclip.render import contact_sheet
from motionclip.server.limits import MAX_FILM_FRAMES, MAX_FRAMES
from motionclip.server.negotiation import FILE_TYPES, FILMS, JSON, PNG, ZIP
from motionclip.server.refusals import Refusal

#: Decimals of positions, tenths of millimetres, and of quaternions.
_PLACES, _TURNS = 4, 5


def motion_answer(motion: Motion, kind: str) -> Response:
    """A motion as an answer of a media type of ``FILE_TYPES``, or JSON.

    Raises:
        MotionError: if it is too long.
        SkeletonError: for formats with a body, if the skeleton cannot be retargeted to it.
        Refusal: if there is no room on the disk.
    """
    content = orjson.dumps(_document(motion), option=_OPTIONS) if kind == JSON else file_bytes(motion, FILE_TYPES[kind])
    return Response(content, media_type=kind)


def motions_answer(motions: Sequence[Motion], titles: Sequence[str], kind: str, archive: str) -> Response:
    """Several motions as JSON, as a picture of all with titles, or as a ZIP archive of files.

    Raises:
        As :func:`motion_answer`.
    """
    if kind == JSON:
        return Response(orjson.dumps({"motions": [_document(m) for m in motions]}, option=_OPTIONS), media_type=JSON)
    if kind == PNG:
        buffer = io.BytesIO()
        contact_sheet(list(motions), list(titles)).save(buffer, format="PNG")
        return Response(buffer.getvalue(), media_type=PNG)
    return Response(_archive(motions, archive), media_type=ZIP)


def file_bytes(motion: Motion, suffix: str, rig: Rig | None = None) -> bytes:
    """The motion as the content of a file with that suffix, on a rig if one is given.

    Raises:
        As :func:`motion_answer`.
        FormatError: if the format cannot hold the rig.
    """
    most = MAX_FILM_FRAMES if suffix in FILMS else MAX_FRAMES
    if motion.num_frames > most:
        raise MotionError(
            f"{motion.num_frames} frames; a {suffix} here has at most {most}: crop the motion, or lower its rate"
        )
    try:
        with TemporaryDirectory(prefix="motionclip-") as folder:
            path = Path(folder) / f"motion{suffix}"
            write_motion(motion, path, rig)
            return path.read_bytes()
    except OSError as error:
        raise no_room(error) from error


def no_room(error: OSError) -> Exception:
    """The answer where a temporary file cannot be written: 507 if the disk is full, else a fault."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refusal(507, "NoRoom", "the server's disk is full; try again later")
    return error


_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def _document(motion: Motion) -> dict[str, object]:
    """What ``schemas.MotionDocument`` describes."""
    skeleton = motion.skeleton
    return {
        "fps": motion.fps,
        "joints": skeleton.names,
        "parents": skeleton.parents,
        "offsets": np.ascontiguousarray(skeleton.offsets.float().numpy(force=True)),
        "positions": motion.positions.float().numpy(force=True).round(_PLACES),
        "rotations": matrix_to_quat(motion.rotations).float().numpy(force=True).round(_TURNS),
    }


def _archive(motions: Sequence[Motion], suffix: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for number, motion in enumerate(motions, 1):
            file.writestr(f"{number:02d}{suffix}", file_bytes(motion, suffix))
    return buffer.getvalue()
