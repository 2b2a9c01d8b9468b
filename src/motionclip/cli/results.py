"""Answers as files."""

from __future__ import annotations

import json
from pathlib import Path

#: Width and height, in pixels, of a motion on a sheet of answers.
STRIP = (540, 162)


def write_json(value: object, path: Path) -> None:
    """Write a plain value as JSON."""
    from motionclip.formats.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def check_picture(path: Path | None) -> None:
    """Says early whether a picture may get that name.

    Raises:
        FormatError: if not.
    """
    from motionclip.errors import FormatError

    if path is not None and (path.suffix.lower() != ".png" or path.is_dir()):
        raise FormatError(path, "this is not the name of a picture", "a name that ends in .png")
