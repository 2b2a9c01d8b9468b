"""What a folder says of its motion files: ``captions.csv``, and the labels of a ``manifest.json``.

``captions.csv`` has a header and the columns ``file`` (relative to the folder; ``file.glb#Walk`` for an animation of
several), ``text``, and optionally ``start`` and ``end`` (seconds in the file; empty means its beginning and its end)
and ``split`` (``train``, ``val`` or ``test``). A file may have several rows.

``manifest.json`` is a list of objects with ``file`` and ``label``, as some mirrors of motion data have it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from motionclip.data.clip import SPLITS, TimedText
from motionclip.data.tables import read_table
from motionclip.data.text_files import read_text
from motionclip.errors import DataError
from motionclip.gate.documents import DocumentError, parse

CAPTIONS, MANIFEST = "captions.csv", "manifest.json"
_COLUMNS = ("file", "text", "start", "end", "split")

#: What stands before a label and says where it is from: "CMU index: ".
_ORIGIN = re.compile(r"^[\w ]*index: ")

#: Bad rows that an error names, at most.
_SHOWN = 10


@dataclass(frozen=True)
class CaptionRow:
    """One row of ``captions.csv``; the split is None where the row names none."""

    file: str
    text: TimedText
    split: str | None


def read_captions(path: Path, files: Collection[str]) -> dict[str, list[CaptionRow]]:
    """Returns the rows of a ``captions.csv``, by their files.

    Args:
        path: the table (:func:`motionclip.data.tables.read_table`).
        files: the names that rows may use.

    Raises:
        DataError: if columns are missing or unknown, or rows are bad: with the line of each.
    """
    rows: dict[str, list[CaptionRow]] = {}
    problems = []
    for line, cells in read_table(path, needed=("file", "text")):
        if not set(cells) <= {*_COLUMNS, ""}:
            raise DataError(f"{path}, line 1: columns {', '.join(cells)}; expected file,text[,start,end][,split]")
        try:
            row = _row(cells, files)
            rows.setdefault(row.file, []).append(row)
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    for name, own in rows.items():
        if len(found := {row.split or "train" for row in own}) > 1:
            problems.append(f"{name} is in splits {' and '.join(sorted(found))}; expected one")
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise DataError(f"{path} has bad rows:\n" + "\n".join(problems[:_SHOWN] + more))
    return rows


def read_labels(path: Path) -> dict[str, str]:
    """Returns the labels of a ``manifest.json`` by the files they are about; none if it is of another kind."""
    try:
        rows = parse(read_text(path), list[_Labelled])
    except (DataError, DocumentError):
        return {}
    return {row.file: _ORIGIN.sub("", row.label.strip()) for row in rows}


class _Labelled(Struct):
    """A row of ``manifest.json``."""

    file: str
    label: str


def _row(cells: Mapping[str, str], files: Collection[str]) -> CaptionRow:
    if "" in cells:
        raise ValueError("more cells than columns; texts that contain a separator go in quotes")
    file, text = cells["file"].replace("\\", "/"), cells["text"]
    if file not in files:
        animations = [name for name in files if name.startswith(f"{file}#")]
        hint = f"; its animations are {', '.join(animations[:3])} ..." if animations else ""
        raise ValueError(f"no motion file is called {file!r}{hint}")
    if not text:
        raise ValueError("the text is empty")
    start, end = _seconds(cells.get("start"), 0.0), _seconds(cells.get("end"), float("inf"))
    if not 0 <= start < end:
        raise ValueError(f"a span of {start:g} s to {end:g} s; expected 0 <= start < end")
    split = cells.get("split", "").lower() or None
    if split not in (*SPLITS, None):
        raise ValueError(f"split {split!r}; expected one of {', '.join(SPLITS)}")
    return CaptionRow(file, TimedText(text, start, end), split)


def _seconds(cell: str | None, default: float) -> float:
    """A cell as seconds; a comma is a decimal point where the separator of the table is another."""
    if not cell:
        return default
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        raise ValueError(f"{cell!r} is not a number of seconds") from None
