"""Text files: those that come with the package, and those that users write or save from other programs, as words."""

from __future__ import annotations

import codecs
import lzma
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from motionclip.errors import DataError

_SAVE = "save it as UTF-8, a table of a spreadsheet as CSV UTF-8"
_LONGEST_LINE = 1_000_000
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def shipped(name: str) -> Path:
    """Returns the file of that name that comes with the package, beside this one."""
    return Path(str(files("motionclip.data").joinpath(name)))


def read_text(path: Path) -> str:
    """Returns the content of a file in UTF-8, or in UTF-16 with a byte order mark, as spreadsheets save "Unicode text".

    Raises:
        DataError: if it is neither, with the line; a one-byte encoding does not say which of many it is.
    """
    content = path.read_bytes()
    utf16 = content.startswith(_UTF16)
    try:
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        if utf16:
            raise DataError(f"{path}: this is damaged UTF-16 text ({error.reason}); {_SAVE}") from error
        line, byte = content.count(b"\n", 0, error.start) + 1, content[error.start]
        raise DataError(f"{path}, line {line}: this is not UTF-8 text (byte 0x{byte:02x}); {_SAVE}") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, line {line}: this is not UTF-8 text (byte 0x00); {_SAVE}")
    return text


def text_lines(path: Path) -> Iterator[str]:
    """Yields the lines of a file in UTF-8, packed by xz if its name ends so; only one is held at a time.

    Raises:
        DataError: if it is neither, or a line has more than a million characters.
        OSError: if it cannot be opened.
    """
    open_file = lzma.open if path.suffix == ".xz" else open
    try:
        with open_file(path, "rt", encoding="utf-8") as file:
            while line := file.readline(_LONGEST_LINE + 1):
                if len(line) > _LONGEST_LINE:
                    raise DataError(f"{path} has a line of more than {_LONGEST_LINE:,} characters; expected less")
                yield line
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is damaged ({error}); expected lines in UTF-8") from error
