"""A session as one file: a zip archive of a motion for each take, and their titles and parts as JSON."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

from msgspec import Meta

from motionclip.errors import FormatError
from motionclip.gate.documents import Name, parse
from motionclip.io import motion_bytes
from motionclip.motion import Motion
from motionclip.studio.takes import MAX_TAKES, Part, Take

SUFFIX = ".takes"
_LIST, _MOTION = "takes.json", "{:03d}.npz"
#: Bytes that a session may unpack to: each of its motions is read within limits of its own.
_MOST_BYTES = 1 << 27


@dataclass(frozen=True)
class _Entry:
    """A take in the list."""

    title: Name
    parts: tuple[Part, ...]


_Entries = Annotated[list[_Entry], Meta(max_length=MAX_TAKES)]


def pack(takes: Sequence[Take]) -> bytes:
    """Returns the content of a session's file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(_LIST, json.dumps([asdict(_Entry(take.title, take.parts)) for take in takes]))
        for number, take in enumerate(takes):
            archive.writestr(_MOTION.format(number), motion_bytes(take.motion, ".npz"))
    return content.getvalue()


def unpack(content: bytes, name: str, read: Callable[[bytes], Motion]) -> list[tuple[str, Motion, tuple[Part, ...]]]:
    """Returns title, motion and parts of each take in a session's file.

    Args:
        content: of the file.
        name: of the file, for messages.
        read: reads the content of an .npz file.

    Raises:
        FormatError: if it is damaged, or no session.
        As ``read``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = _member(archive, _LIST, _MOST_BYTES)
            entries: list[_Entry] = parse(listed, _Entries)
            files, left = [], _MOST_BYTES - len(listed)
            for number in range(len(entries)):
                files.append(_member(archive, _MOTION.format(number), left))
                left -= len(files[-1])
    except Exception as error:  # a damaged archive can raise nearly anything
        raise FormatError(name, f"it cannot be read ({error})", f"a {SUFFIX} file that the studio saved") from error
    return [(entry.title, read(file), entry.parts) for entry, file in zip(entries, files, strict=True)]


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """What a file of an archive holds, of which no more is unpacked than its header says, and than so many bytes."""
    known = archive.getinfo(name)
    if known.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed in an unusual way")  # other methods take memory that their headers state
    if known.file_size > most:
        raise ValueError(f"it unpacks to more than {_MOST_BYTES >> 20} MB")
    with archive.open(known) as file:
        return file.read(known.file_size)
