"""The list of edits that the paper's code reads: motion_source,base,v_start,v_end."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from motionclip.errors import FormatError

if TYPE_CHECKING:
    from motionclip.applications.latents import Source

COLUMNS = ("motion_source", "base", "v_start", "v_end")


@dataclass(frozen=True)
class EditRow:
    """One edit: ``base`` less ``minus``, with ``plus``.

    Attributes:
        title: the row in words.
        base: words or a motion; so are the others.
        minus: what is taken away.
        plus: what is put in its place.
    """

    title: str
    base: Source
    minus: Source
    plus: Source


def read_edits(path: Path) -> list[EditRow]:
    """The edits of a CSV file with the columns of :data:`COLUMNS`, UTF-8.

    Where ``motion_source`` is ``text`` the other cells are words. Where it is ``data``, each is the name of a motion
    file, relative to the list, or the label of one: words, for which motions are drawn, as no data set is at hand.

    Raises:
        FormatError: on another header, an empty cell, another ``motion_source``, no rows, or no file that can be read.
    """
    from motionclip.formats.files import read_bytes

    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(path, "this is not UTF-8 text", "a CSV file in UTF-8") from error
    reader = csv.reader(lines)
    if tuple(cell.strip() for cell in next(reader, [])) != COLUMNS:
        raise FormatError(path, f"the header is {lines[0] if lines else ''!r}", ",".join(COLUMNS), 1)
    rows = [_row(path, [cell.strip() for cell in cells], reader.line_num) for cells in reader if any(cells)]
    if not rows:
        raise FormatError(path, "no row below the header", "one or more edits")
    return rows


def _row(path: Path, cells: list[str], line: int) -> EditRow:
    if len(cells) != len(COLUMNS) or not all(cells):
        raise FormatError(path, f"the row has {sum(map(bool, cells))} filled cells", f"{len(COLUMNS)}", line)
    kind, base, start, end = cells
    if kind not in ("data", "text"):
        raise FormatError(path, f"motion_source {kind!r}", "data or text", line)
    sources = [_source(path.parent, cell) if kind == "data" else cell for cell in (base, start, end)]
    return EditRow(f"{base} - {start} + {end}", *sources)


def _source(folder: Path, cell: str) -> Source:
    """The motion of the file that a cell names, or the cell's words."""
    from motionclip.cli.sources import read_sources
    from motionclip.formats.registry import READERS

    (source,) = read_sources([str(folder / cell) if Path(cell).suffix.lower() in READERS else cell])
    return source
