"""Bytes in and out: a missing file is a FormatError, and a written file appears whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from motionclip.errors import FormatError


def read_bytes(path: str | Path) -> bytes:
    """The content of a file.

    Raises:
        FormatError: if it cannot be opened, or is empty.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(path, error.strerror or str(error), "a file that can be read") from error
    if not content:
        raise FormatError(path, "the file is empty", "a motion file")
    return content


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path``, with its suffix, that takes its place if the block succeeds.

    Folders that are missing are made.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # no process number: machines that share a folder may have the same
    temporary = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    temporary.touch()
    mode = temporary.stat().st_mode
    try:
        yield temporary
        temporary.chmod(mode)  # safetensors makes its files readable for their owner alone
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
