"""What a storyboard is written as: WHAT:SECONDS, one by one, in a text file or in JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.applications.storyboard import Shot

_LISTS = (".txt", ".json")


def read_shots(arguments: Sequence[str]) -> list[Shot]:
    """The shots of arguments: each words or a motion file, with `:SECONDS` behind it or not, or a file of such lines.

    A .txt file has one in each line; blank lines and those that begin with # are left out. A .json file is a list of
    strings of that kind, or of objects with "what" and, if wanted, "seconds". A motion file that a list names is
    relative to the list.

    Raises:
        FormatError: if a file is missing, damaged, or not such a list.
        MotionError: if a length is not positive, or longer than the motion.
    """
    return [shot for argument in arguments for shot in _shots(argument)]


def _shots(argument: str) -> list[Shot]:
    path = Path(argument)
    if path.suffix.lower() not in _LISTS:
        return [_shot(*_split(argument), Path())]
    entries = _lines(path) if path.suffix.lower() == ".txt" else _objects(path)
    return [_shot(what, seconds, path.parent) for what, seconds in entries]


def _shot(what: str, seconds: float | None, folder: Path) -> Shot:
    from motionclip.applications.storyboard import Shot
    from motionclip.cli.sources import read_sources
    from motionclip.formats.registry import READERS

    is_file = Path(what).suffix.lower() in READERS
    (source,) = read_sources([str(folder / what) if is_file else what])
    return Shot(source, seconds)


def _split(text: str) -> tuple[str, float | None]:
    """What stands before the last colon, and the number behind it; all of it, and None, if there is no number."""
    what, colon, number = text.rpartition(":")
    try:
        seconds = float(number)
    except ValueError:
        return text.strip(), None
    return (what.strip(), seconds) if colon and math.isfinite(seconds) else (text.strip(), None)


def _lines(path: Path) -> list[tuple[str, float | None]]:
    lines = [line.strip() for line in _read(path).splitlines()]
    return [_split(line) for line in lines if line and not line.startswith("#")]


def _objects(path: Path) -> list[tuple[str, float | None]]:
    from motionclip.errors import FormatError

    try:
        listed = json.loads(_read(path))
    except json.JSONDecodeError as error:
        raise FormatError(path, f"this is not JSON: {error.msg}", "a list of shots", error.lineno) from error
    if not isinstance(listed, list):
        raise FormatError(path, "this is not a list", 'a list such as ["a person walks:4"]')
    return [_object(path, number, entry) for number, entry in enumerate(listed, 1)]


def _object(path: Path, number: int, entry: object) -> tuple[str, float | None]:
    from motionclip.errors import FormatError

    if isinstance(entry, str):
        return _split(entry)
    what, seconds = (entry.get("what"), entry.get("seconds")) if isinstance(entry, dict) else (None, None)
    known = isinstance(entry, dict) and set(entry) <= {"what", "seconds"}
    if not known or not isinstance(what, str) or not isinstance(seconds, int | float | None) or seconds is True:
        raise FormatError(
            path,
            f"shot {number} is {json.dumps(entry)}",
            '"a person walks:4" or {"what": "a person walks", "seconds": 4}',
        )
    return what, seconds


def _read(path: Path) -> str:
    from motionclip.errors import FormatError
    from motionclip.formats.files import read_bytes

    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, "this is not UTF-8 text", "a list of shots in UTF-8") from error
