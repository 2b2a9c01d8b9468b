"""A picture of a motion and of what was made of it, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.motion import Motion

#: Seconds of a row.
_ROW = 4.0
#: Rows of a picture, at most: a minute and a half.
_MOST_ROWS = 24


def draw_comparison(given: Motion, made: Motion, picture: Path) -> None:
    """A sheet of film strips: given on the left and made on the right, a row for every four seconds."""
    from motionclip.cli.results import write_sheet
    from motionclip.motion import crop

    last = min(given.duration, made.duration)
    rows = [(n * _ROW, min((n + 1) * _ROW, last)) for n in range(_MOST_ROWS) if n * _ROW < last - 1 / made.fps]
    strips = [crop(motion, start, end) for start, end in rows for motion in (given, made)]
    titles = [f"{which}, {start:g} to {end:.4g} s" for start, end in rows for which in ("given", "made")]
    write_sheet(strips, titles, picture, cell=(440, 144))
