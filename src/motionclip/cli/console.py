"""Printing, progress bars, and the files that commands write: motions, contact sheets, JSON and text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from motionclip.cli.streams import printable
from motionclip.progress import ProgressCallback

if TYPE_CHECKING:
    from motionclip.formats import Rig
    from motionclip.motion import Motion

#: Columns of a table that is piped: none is cut off to fit a screen.
_PIPED_WIDTH = 1000
_console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
#: Progress goes to stderr, so that what is piped holds results only.
_progress_console = Console(highlight=False, stderr=True)

#: Width and height, in pixels, of the film strip of a motion in a contact sheet.
STRIP = (540, 162)


def say(*lines: object) -> None:
    """Prints lines or rich tables to stdout."""
    for line in lines:
        shown = line if isinstance(line, Table) else printable(str(line))
        _console.print(shown, soft_wrap=True, markup=False)


def plain(text: str) -> Text:
    """Returns words of a file as a cell or title of a table: as they are, without markup and control characters."""
    return Text(printable(text))


def show_cursor() -> None:
    """Shows the cursor that a progress bar hides; for a process that ends in the middle of one."""
    _progress_console.show_cursor()


def progress_bar(*, shown: bool = True) -> Progress:
    """Returns a progress bar with count, time and time left; it draws nothing where stderr is not a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=_progress_console,
        disable=not (shown and _progress_console.is_terminal),
    )


@contextmanager
def track(what: str) -> Iterator[ProgressCallback]:
    """A progress bar that appears with the first step; yields the callback for the number of steps done, and of all."""
    with progress_bar() as bar:
        task = bar.add_task(what, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def save_motion(motion: Motion, path: Path, rig: Rig | None = None) -> None:
    """Writes a motion as :func:`motionclip.write_motion`; a film, which takes long, with a progress bar."""
    from motionclip.io import write_motion

    with track(f"rendering {path.name}") as progress:
        write_motion(motion, path, rig, progress)


def write_text(text: str, path: Path) -> None:
    """Writes text as UTF-8."""
    from motionclip.formats.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(value: object, path: Path) -> None:
    """Writes a plain value as JSON."""
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
    """Writes a PNG with a film strip of each motion, as :func:`motionclip.render.contact_sheet` draws them."""
    from motionclip.formats.files import replacing
    from motionclip.render import contact_sheet

    sheet = contact_sheet(motions, titles, columns=columns, cell=cell, poses=poses)
    with replacing(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)
