"""100STYLE (Mason, Starke and Komura, 2022): ``STYLE_CONTENT.bvh``, with what its two tables say of each.

``Frame_Cuts.csv`` has a row per style, ``STYLE_NAME``, then for each content its first frame and its last
(``BR_START``, ``BR_STOP``, ...; ``N/A`` where the style lacks it): outside them actors come and go, in a T-pose.
``Dataset_List.csv`` has ``Style Name`` and ``Description``. See https://www.ianxmason.com/100style/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from motionclip.data.file_names import words_of
from motionclip.data.tables import read_table
from motionclip.errors import DataError

CUTS, STYLES = "Frame_Cuts.csv", "Dataset_List.csv"

#: The last part of a file's name, and what is done.
CONTENTS = {
    "FW": "walk forward",
    "BW": "walk backward",
    "SW": "walk sideways",
    "FR": "run forward",
    "BR": "run backward",
    "SR": "run sideways",
    "ID": "stand",
    "TR1": "change between standing, walking and running",
    "TR2": "change between standing, walking and running",
    "TR3": "change between standing, walking and running",
}


@dataclass(frozen=True)
class StyleTake:
    """What is known of one file.

    Attributes:
        content: what is done, one of ``CONTENTS``.
        style: its name in lower case words.
        texts: sentences about all of it.
        first: first frame that is kept.
        stop: one after the last, or None for all.
    """

    content: str
    style: str
    texts: tuple[str, ...]
    first: int
    stop: int | None


def is_100style(folder: Path) -> bool:
    """Whether a folder is 100STYLE: by its table of cuts."""
    return (folder / CUTS).is_file()


def style_takes(folder: Path) -> Mapping[str, StyleTake]:
    """Returns what the tables of a folder say of each file, by the stem of its name.

    Raises:
        DataError: if the table of cuts lacks a column, or a number of it is none, with the line.
    """
    descriptions = _descriptions(folder / STYLES)
    found = {}
    for line, row in read_table(folder / CUTS, needed=("style_name",)):
        style = row["style_name"]
        for code, content in CONTENTS.items():
            try:
                span = _frame(row.get(f"{code.lower()}_start")), _frame(row.get(f"{code.lower()}_stop"))
            except ValueError as error:
                raise DataError(f"{folder / CUTS}, line {line}: {error} of {style}; expected numbers or N/A") from None
            first, last = span
            texts = tuple(dict.fromkeys(_texts(content, words_of(style), descriptions.get(style, ""))))
            stop = None if last is None else last + 1
            found[f"{style}_{code}"] = StyleTake(content, words_of(style), texts, first or 0, stop)
    return found


def _texts(content: str, style: str, description: str) -> tuple[str, ...]:
    described = f"{content}, {description[:1].lower()}{description[1:].rstrip('.')}" if description else ""
    return tuple(text for text in (f"{content}, {style} style", described) if text)


def _descriptions(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    rows = read_table(path, needed=("style name", "description"))
    return {row["style name"]: " ".join(row["description"].split()) for _, row in rows}


def _frame(cell: str | None) -> int | None:
    """A cell as a frame; None where it is empty or N/A."""
    if not cell or cell.upper() in ("N/A", "NA", "NAN"):
        return None
    if not cell.removesuffix(".0").isdecimal():
        raise ValueError(f"{cell!r} is no frame")
    return int(cell.removesuffix(".0"))
