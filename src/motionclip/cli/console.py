"""What every command prints with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from motionclip.progress import ProgressCallback

if TYPE_CHECKING:
    from motionclip.formats import Rig
    from motionclip.motion import Motion


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.applications.text_to_motion import Source


_console = Console(highlight=False)


def say(*lines: object) -> None:
    """Print lines or rich tables."""
    for line in lines:
        _console.print(line, soft_wrap=True, markup=False)


def show_cursor() -> None:
    """Show the cursor that a progress bar hides; for a process that ends in the middle of one."""
    _console.show_cursor()


def progress_bar(*, shown: bool = True) -> Progress:
    """A progress bar with count, time and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=_console,
        disable=not shown,
    )


@contextmanager
def counted(what: str, *, shown: bool = True) -> Iterator[ProgressCallback]:
    """A progress bar; gives what is to be called with the number of steps that are done, and of all.

    Args:
        what: stands before it.
        shown: from the beginning, and not from the first step on.
    """
    with progress_bar() as bar:
        task = bar.add_task(what, total=None, visible=shown)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


# Answers as files.


#: Width and height, in pixels, of a motion on a sheet of answers.
STRIP = (540, 162)


def save_motion(motion: Motion, path: Path, rig: Rig | None = None) -> None:
    """Write a motion as :func:`motionclip.formats.write_motion`; a film, which takes long, with a progress bar."""
    from motionclip.io import write_motion

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


# Arguments that are words or motion files.


def read_sources(arguments: Sequence[str]) -> list[Source]:
    """Each argument as the motion of the file that it names, or else as words.

    Raises:
        FormatError: if it ends like a motion file, and there is none or it cannot be read.
    """
    from motionclip.io import is_motion_file, read_motion

    return [read_motion(text) if is_motion_file(text) else text for text in arguments]
