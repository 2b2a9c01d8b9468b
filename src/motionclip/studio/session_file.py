"""A session as one file: a zip archive of a motion for each take, and their titles and parts as JSON."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from motionclip.errors import FormatError
from motionclip.io import motion_bytes
from motionclip.motion import Motion
from motionclip.serving import MAX_UNPACKED, read_upload
from motionclip.studio.takes import MAX_TAKES, Part, Take

SUFFIX = ".takes"
_LIST, _MOTION = "takes.json", "{:03d}.npz"
_EXPECTED = f"a {SUFFIX} file that the studio saved"


@dataclass(frozen=True, eq=False)
class SavedTake:
    """A take without what a page draws of it.

    Attributes:
        title: a few words.
        motion: on any human-like skeleton.
        parts: of a story, its shots.
    """

    title: str
    motion: Motion
    parts: tuple[Part, ...]


def pack(takes: Sequence[Take]) -> bytes:
    """Returns the content of a session's file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        listed = [{"title": take.title, "parts": [asdict(part) for part in take.parts]} for take in takes]
        archive.writestr(_LIST, json.dumps(listed))
        for number, take in enumerate(takes):
            archive.writestr(_MOTION.format(number), motion_bytes(take.motion, ".npz"))
    return content.getvalue()


def unpack(content: bytes, name: str) -> list[SavedTake]:
    """Returns the takes of a session's file.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        FormatError: if it is damaged, or no session.
        MotionError, SizeError: if a motion is larger than what may be uploaded.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise FormatError(name, f"it unpacks to more than {MAX_UNPACKED >> 20} MB", "a smaller session")
            listed = json.loads(archive.read(_LIST))
            if not isinstance(listed, list) or len(listed) > MAX_TAKES:
                raise FormatError(name, "it does not list takes", _EXPECTED)
            files = [archive.read(_MOTION.format(number)) for number in range(len(listed))]
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError, RecursionError) as error:
        raise FormatError(name, f"it cannot be read ({error})", _EXPECTED) from error
    return [
        SavedTake(_title(entry, name), read_upload(file, ".npz", name), _parts(entry, name))
        for entry, file in zip(listed, files, strict=True)
    ]


def _title(entry: Any, name: str) -> str:
    title = entry.get("title") if isinstance(entry, dict) else None
    if not isinstance(title, str):
        raise FormatError(name, "a take has no title", _EXPECTED)
    return title


def _parts(entry: dict[str, Any], name: str) -> tuple[Part, ...]:
    try:
        parts = tuple(Part(str(part["title"]), float(part["start"]), float(part["end"])) for part in entry["parts"])
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(name, "a take's parts are damaged", _EXPECTED) from error
    if not all(math.isfinite(time) for part in parts for time in (part.start, part.end)):
        raise FormatError(name, "a take's parts have no finite times", _EXPECTED)
    return parts
