"""Any folder of motion files, with an optional ``captions.csv``.

``captions.csv`` has a header and the columns ``file`` (relative to the folder), ``text``, and optionally
``start`` and ``end`` (seconds in the file; empty means its beginning and its end) and ``split``
(``train``, ``val`` or ``test``; empty means ``train``). A file may have several rows. Files without
a row are described by the words of their names.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from motionclip.data.clip import SPLITS, Caption, Clip, Source, TimedText, captions_within
from motionclip.errors import DataError
from motionclip.io import is_motion_file, read_motion, readable

CAPTIONS = "captions.csv"
_COLUMNS = ("file", "text", "start", "end", "split")

#: Bad rows that an error names, at most.
_SHOWN = 10


@dataclass(frozen=True)
class CaptionRow:
    """One row of ``captions.csv``."""

    file: str
    text: TimedText
    split: str


@dataclass(frozen=True)
class MotionFile:
    """One motion file with the sentences about it."""

    path: Path
    key: str
    dataset: str
    split: str
    texts: tuple[TimedText, ...]

    def read(self) -> Clip:
        """Returns the file's motion with its captions.

        Raises:
            MotionClipError: if the file is damaged, or a caption lies outside it.
        """
        motion = read_motion(self.path)
        captions: list[Caption] = []
        for timed in self.texts:
            within = captions_within([timed], motion.duration)
            if not within:
                raise DataError(
                    f"{self.path}: caption {timed.text!r} spans {timed.start:g} s to {timed.end:g} s; "
                    f"expected a span inside the {motion.duration:.2f} s of the motion"
                )
            captions += within
        return Clip(self.key, self.dataset, self.split, motion, tuple(captions))


def folder_source(folder: Path) -> Source:
    """Returns all motion files below ``folder``, by name; the data set is called like the folder.

    Raises:
        DataError: if there is none, or ``captions.csv`` has bad rows.
    """
    found = motion_files(folder)
    paths = {path.relative_to(folder).as_posix(): path for path in found}
    if not paths:
        raise DataError(f"no motion file below {folder}; expected files ending in {', '.join(readable())}")
    table = folder / CAPTIONS
    rows = read_captions(table, paths) if table.is_file() else ()
    rows_of: dict[str, list[CaptionRow]] = {}
    for row in rows:
        rows_of.setdefault(row.file, []).append(row)
    dataset, items = folder.resolve().name, []
    for key, path in paths.items():
        if own := rows_of.get(key):
            items.append(MotionFile(path, key, dataset, own[0].split, tuple(row.text for row in own)))
        else:
            text = TimedText(words_of(key) or "a person moves", 0.0, float("inf"))
            items.append(MotionFile(path, key, dataset, "train", (text,)))
    return Source(f"folder:{folder}", tuple(items))


def motion_files(folder: Path) -> list[Path]:
    """Returns the files below a folder that can be read, in order; the table of captions is none."""
    return sorted(
        path for path in folder.rglob("*") if is_motion_file(path.name) and path.name != CAPTIONS and path.is_file()
    )


def read_captions(path: Path, files: Mapping[str, Path]) -> tuple[CaptionRow, ...]:
    """Returns the rows of a ``captions.csv``.

    Args:
        path: the table, UTF-8, separated by commas.
        files: the motion files, by the names that rows may use.

    Raises:
        DataError: if columns are missing or unknown, or rows are bad: with the line of each.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        columns = table.fieldnames or []
        unknown = [column for column in columns if column not in _COLUMNS]
        if "file" not in columns or "text" not in columns or unknown:
            raise DataError(f"{path}, line 1: columns {', '.join(columns)}; expected file,text[,start,end][,split]")
        rows, problems = [], []
        for cells in table:
            try:
                rows.append(_row(cells, files))
            except ValueError as error:
                problems.append(f"line {table.line_num}: {error}")
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.file, set()).add(row.split)
    for name, found in splits.items():
        if len(found) > 1:
            problems.append(f"{name} is in splits {' and '.join(sorted(found))}; expected one")
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise DataError(f"{path} has bad rows:\n" + "\n".join(problems[:_SHOWN] + more))
    return tuple(rows)


def words_of(name: str) -> str:
    """Returns a file's name as words, without numbers: ``walk forward`` for ``arms/Walk_forward02.bvh``."""
    stem = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", Path(name).stem)
    return " ".join(re.findall(r"[^\W\d_]+", stem.lower()))


def _row(cells: Mapping[str, str | None], files: Mapping[str, Path]) -> CaptionRow:
    if None in cells:
        raise ValueError("more cells than columns; texts that contain a comma go in quotes")
    file, text = (cells["file"] or "").strip(), (cells["text"] or "").strip()
    if file not in files:
        raise ValueError(f"no motion file is called {file!r}")
    if not text:
        raise ValueError("the text is empty")
    start, end = _seconds(cells.get("start"), 0.0), _seconds(cells.get("end"), float("inf"))
    if not 0 <= start < end:
        raise ValueError(f"a span of {start:g} s to {end:g} s; expected 0 <= start < end")
    split = (cells.get("split") or "").strip() or "train"
    if split not in SPLITS:
        raise ValueError(f"split {split!r}; expected one of {', '.join(SPLITS)}")
    return CaptionRow(file, TimedText(text, start, end), split)


def _seconds(cell: str | None, default: float) -> float:
    if cell is None or not cell.strip():
        return default
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"{cell!r} is not a number of seconds") from None
