"""Numbers of a BVH file that were written with decimal commas, as programs do where Windows is set to them."""

from __future__ import annotations

import re
from pathlib import Path

from motionclip.errors import FormatError
from motionclip.formats.number_lines import line_number

#: Where a BVH file has numbers: behind OFFSET, behind Frame Time, and in the lines after that.
_NUMBERS = re.compile(rb"\bOFFSET\b[^\n]*|\bFrame[ \t]+Time[ \t]*:.*\Z", re.IGNORECASE | re.DOTALL)
_COMMA = re.compile(rb"(?<=\d),(?=\d)")
_WORD = re.compile(rb"[^\s{}]*,[^\s{}]*")


def with_points(path: str | Path, content: bytes) -> bytes:
    """The content of a BVH file, decimal commas of its numbers as points.

    A comma is a decimal one if it is alone in its number, between digits, and no number of the file has a point.

    Raises:
        FormatError: naming the line, if commas may be something else.
    """
    if b"," not in content:
        return content
    places = list(_NUMBERS.finditer(content))
    words = [(place.start() + word.start(), word[0]) for place in places for word in _WORD.finditer(place[0])]
    pointed = any(b"." in place[0] for place in places)
    for at, word in words:
        if pointed or len(_COMMA.findall(word)) != 1 or word.count(b",") != 1:
            raise FormatError(
                path,
                f"a comma in {word[:40].decode('latin-1')!r}, which may part numbers or be a decimal one",
                "numbers with decimal points, parted by blanks",
                line_number(content, at),
            )
    return _NUMBERS.sub(lambda place: _COMMA.sub(b".", place[0]), content) if words else content
