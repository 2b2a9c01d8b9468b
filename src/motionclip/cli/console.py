"""What every command prints with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from motionclip.progress import OnStep

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
def counted(what: str, *, shown: bool = True) -> Iterator[OnStep]:
    """A progress bar; gives what is to be called with the number of steps that are done, and of all.

    Args:
        what: stands before it.
        shown: from the beginning, and not from the first step on.
    """
    with progress_bar() as bar:
        task = bar.add_task(what, total=None, visible=shown)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
