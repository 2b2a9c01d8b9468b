"""Standard output and errors of a process: there, able to take every character, and not steered by what files say."""

from __future__ import annotations

import io
import os
import re
import sys

#: Control characters, but for line feeds and tabs: with them, a name in a file could paint over a terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def open_streams() -> None:
    """Has something to write to where the process was started without, and escapes what an encoding does not have."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by who started it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  # to the end
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Drops what is still to be written to standard output if it cannot be, or Python says so once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:  # no room, or nobody who reads
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str) -> str:
    """Returns a text with its control characters escaped."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
