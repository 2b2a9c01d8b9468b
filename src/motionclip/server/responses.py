"""Motions as bodies of answers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import numpy as np
import orjson
from starlette.responses import Response

from motionclip.io import FORMATS
from motionclip.motion import Motion
from motionclip.motion.rotations import matrix_to_quat
from motionclip.render import contact_sheet
from motionclip.server.errors import HttpError
from motionclip.serving import RENDERED_SUFFIXES, file_bytes

# Which of the formats that can be given a client wants, by its Accept header (RFC 9110, section 12.5.1).


JSON, ZIP, PNG = "application/json", "application/zip", "image/png"

#: Media types of a motion as a file, and the suffix by which it is written; ``text/plain`` is BVH, too.
FILE_TYPES = {known.media_type: known.suffix for known in FORMATS if known.writer} | {"text/plain": ".bvh"}


def is_film(kind: str) -> bool:
    """Whether a media type is that of pictures."""
    return FILE_TYPES.get(kind) in RENDERED_SUFFIXES


def file_types() -> dict[str, str]:
    """Those of ``FILE_TYPES`` that can be written here."""
    missing = [known.suffix for known in FORMATS if not known.is_available]
    return {kind: suffix for kind, suffix in FILE_TYPES.items() if suffix not in missing}


def choose(accept: str, offers: Sequence[str]) -> str:
    """The offer that is wanted most; of those wanted alike the first.

    Args:
        accept: the header; anything will do if it is empty.
        offers: media types, lower case, the server's favourite first.

    Raises:
        HttpError: 406, if none is wanted.
    """
    ranges = [parsed for part in accept.split(",") if (parsed := _range(part))] or [("*/*", 1.0)]
    wanted = [_quality(offer, ranges) for offer in offers]
    best = max(wanted)
    if best <= 0:
        raise HttpError(
            406, "NotAcceptable", f"none of the formats of the Accept header; possible: {', '.join(offers)}"
        )
    return offers[wanted.index(best)]


def _range(part: str) -> tuple[str, float] | None:
    """The media range and the quality of one part of the header; None if it is no media range."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    if name.count("/") != 1:
        return None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, _number(value.strip())
    return name, 1.0


def _number(text: str) -> float:
    """A quality in [0, 1]; 0 for what is none."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """How much an offer is wanted: what the most exact range that it falls into says."""
    for exact in (offer, offer.partition("/")[0] + "/*", "*/*"):
        said = [quality for name, quality in ranges if name == exact]
        if said:
            return max(said)
    return 0.0


#: Decimals of positions, tenths of millimetres, and of quaternions.
_PLACES, _TURNS = 4, 5


def motion_answer(motion: Motion, kind: str) -> Response:
    """A motion as an answer of a media type of ``FILE_TYPES``, or JSON.

    Raises:
        MotionError: if it is too long.
        SkeletonError: for formats with a body, if the skeleton cannot be retargeted to it.
        HttpError: if there is no room on the disk.
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
