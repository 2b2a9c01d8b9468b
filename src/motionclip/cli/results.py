"""Answers as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.formats import Rig
    from motionclip.motion import Motion

#: Width and height, in pixels, of a motion on a sheet of answers.
STRIP = (540, 162)


def save_motion(motion: Motion, path: Path, rig: Rig | None = None) -> None:
    """Write a motion as :func:`motionclip.formats.write_motion`; a film, which takes long, with a progress bar."""
    from motionclip.cli.console import counted
    from motionclip.formats import write_motion

    with counted(f"drawing {path.name}", shown=False) as progress:
        write_motion(motion, path, rig, progress)


def write_text(text: str, path: Path) -> None:
    """Write text as UTF-8."""
    from motionclip.formats.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(value: object, path: Path) -> None:
    """Write a plain value as JSON."""
    write_text(json.dumps(value, indent=2) + "\n", path)


def write_sheet(
    motions: Sequence[Motion],
    titles: Sequence[str],
    path: Path,
    *,
    columns: int = 2,
    cell: tuple[int, int] = STRIP,
    poses: int = 8,
) -> None:
    """Write a PNG of motions, a strip each, as :func:`motionclip.render.contact_sheet` draws them."""
    from motionclip.formats.files import replacing
    from motionclip.render import contact_sheet

    sheet = contact_sheet(motions, titles, columns=columns, cell=cell, poses=poses)
    with replacing(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)


def check_picture(path: Path | None) -> None:
    """Says early whether a picture may get that name.

    Raises:
        FormatError: if not.
    """
    from motionclip.errors import FormatError

    if path is not None and (path.suffix.lower() != ".png" or path.is_dir()):
        raise FormatError(path, "this is not the name of a picture", "a name that ends in .png")
