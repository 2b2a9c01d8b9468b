"""Which of the formats that can be given a client wants, by its Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from motionclip.server.refusals import Refusal

JSON, ZIP, PNG = "application/json", "application/zip", "image/png"

#: Media types of a motion as a file, and the suffix by which it is written.
FILE_TYPES = {
    "model/gltf-binary": ".glb",
    "application/x-bvh": ".bvh",
    "text/plain": ".bvh",
    "application/x-npz": ".npz",
    "text/csv": ".csv",
    "model/vnd.usdz+zip": ".usdz",
    PNG: ".png",
    "image/gif": ".gif",
    "video/mp4": ".mp4",
}
#: What some of them need.
_PACKAGES = {".mp4": "av", ".usdz": "pxr"}
#: Suffixes of pictures, which take much longer than the rest.
FILMS = (".gif", ".mp4", ".png")


def is_film(kind: str) -> bool:
    """Whether a media type is that of pictures."""
    return FILE_TYPES.get(kind) in FILMS


def file_types() -> dict[str, str]:
    """Those of ``FILE_TYPES`` that can be written here."""
    missing = [suffix for suffix, package in _PACKAGES.items() if find_spec(package) is None]
    return {kind: suffix for kind, suffix in FILE_TYPES.items() if suffix not in missing}


def choose(accept: str, offers: Sequence[str]) -> str:
    """The offer that is wanted most; of those wanted alike the first.

    Args:
        accept: the header; anything will do if it is empty.
        offers: media types, lower case, the server's favourite first.

    Raises:
        Refusal: 406, if none is wanted.
    """
    ranges = [parsed for part in accept.split(",") if (parsed := _range(part))] or [("*/*", 1.0)]
    wanted = [_quality(offer, ranges) for offer in offers]
    best = max(wanted)
    if best <= 0:
        raise Refusal(406, "NotAcceptable", f"none of the formats of the Accept header; possible: {', '.join(offers)}")
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
