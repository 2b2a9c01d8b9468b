"""Motions as answers: the format that the Accept header prefers, and the motion in it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from functools import cache

import numpy as np
import orjson
from starlette.responses import Response

from motionclip.io import FORMATS
from motionclip.motion import Motion
from motionclip.motion.rotations import matrix_to_quat
from motionclip.progress import ProgressCallback
from motionclip.render import contact_sheet
from motionclip.server.errors import HttpError
from motionclip.serving import RENDERED_SUFFIXES, file_bytes

JSON, ZIP, PNG = "application/json", "application/zip", "image/png"
#: Media types of a motion as a file, and the suffix by which it is written; ``text/plain`` is BVH, too.
FILE_TYPES = {known.media_type: known.suffix for known in FORMATS if known.writer} | {"text/plain": ".bvh"}
#: Decimals of positions, tenths of millimetres, and of quaternions.
_POSITION_DECIMALS, _QUATERNION_DECIMALS = 4, 5


def is_rendered(media_type: str) -> bool:
    """Whether a media type is that of pictures or films."""
    return FILE_TYPES.get(media_type) in RENDERED_SUFFIXES


@cache
def file_types() -> dict[str, str]:
    """Returns those of ``FILE_TYPES`` whose packages are installed; looking for them takes longer than an answer."""
    missing = [known.suffix for known in FORMATS if not known.is_available]
    return {media_type: suffix for media_type, suffix in FILE_TYPES.items() if suffix not in missing}


def choose(accept: str, offers: Sequence[str]) -> str:
    """Returns the offer that an Accept header prefers, the first of equals (RFC 9110, section 12.5.1).

    Args:
        accept: the header; anything is accepted if it is empty.
        offers: media types, lower case, the server's favourite first.

    Raises:
        HttpError: 406, if none is accepted.
    """
    ranges = [parsed for part in accept.split(",") if (parsed := _media_range(part))] or [("*/*", 1.0)]
    qualities = [_quality(offer, ranges) for offer in offers]
    best = max(qualities)
    if best <= 0:
        raise HttpError(
            406, "NotAcceptable", f"none of the formats of the Accept header; possible: {', '.join(offers)}"
        )
    return offers[qualities.index(best)]


def _media_range(part: str) -> tuple[str, float] | None:
    """Returns the media range and the quality, 0 to 1, of one part of the header; None if it is no media range."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    if name.count("/") != 1:
        return None
    pairs = [parameter.partition("=") for parameter in parameters]
    values = [value.strip() for key, _, value in pairs if key.strip() == "q"]
    try:
        quality = float(values[0]) if values else 1.0
    except ValueError:
        quality = 0.0
    return name, quality if 0 <= quality <= 1 else 0.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Returns the quality of an offer: that of the most specific range that it falls into, 0 if there is none."""
    for specific in (offer, offer.partition("/")[0] + "/*", "*/*"):
        qualities = [quality for name, quality in ranges if name == specific]
        if qualities:
            return max(qualities)
    return 0.0


def motion_response(motion: Motion, media_type: str, progress: ProgressCallback | None = None) -> Response:
    """Returns a motion as an answer of a media type of ``FILE_TYPES``, or JSON; ``progress`` may end a film.

    Raises:
        MotionError, SkeletonError, OSError: as :func:`motionclip.serving.file_bytes`.
    """
    if media_type == JSON:
        return _json_response(_motion_document(motion))
    return Response(file_bytes(motion, FILE_TYPES[media_type], progress=progress), media_type=media_type)


def motions_response(motions: Sequence[Motion], titles: Sequence[str], media_type: str, archive: str) -> Response:
    """Returns several motions as JSON, as a PNG of all with titles, or as a ZIP archive of files.

    Args:
        motions: N of them.
        titles: N of them.
        media_type: ``JSON``, ``PNG`` or ``ZIP``.
        archive: suffix of the files in the archive.

    Raises:
        As :func:`motion_response`.
    """
    if media_type == JSON:
        return _json_response({"motions": [_motion_document(motion) for motion in motions]})
    buffer = io.BytesIO()
    if media_type == PNG:
        contact_sheet(list(motions), list(titles)).save(buffer, format="PNG")
    else:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            for number, motion in enumerate(motions, 1):
                file.writestr(f"{number:02d}{archive}", file_bytes(motion, archive))
    return Response(buffer.getvalue(), media_type=media_type)


def _json_response(document: dict[str, object]) -> Response:
    return Response(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), media_type=JSON)


def _motion_document(motion: Motion) -> dict[str, object]:
    """Returns what ``schemas.MotionResponse`` describes."""
    skeleton = motion.skeleton
    return {
        "fps": motion.fps,
        "joints": skeleton.names,
        "parents": skeleton.parents,
        "offsets": np.ascontiguousarray(skeleton.offsets.float().numpy(force=True)),
        "positions": motion.positions.float().numpy(force=True).round(_POSITION_DECIMALS),
        "rotations": matrix_to_quat(motion.rotations).float().numpy(force=True).round(_QUATERNION_DECIMALS),
    }
