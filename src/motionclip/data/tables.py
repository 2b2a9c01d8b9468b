"""Tables that spreadsheets save: CSV with a header, in UTF-8 or UTF-16, with commas, semicolons or tabs."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from motionclip.data.text_files import read_text
from motionclip.errors import DataError

_SEPARATORS = ",;\t"


def read_table(path: Path, *, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields each row of a table with its line: its cells, stripped, by the names of their columns.

    Names are lower case, however the first line writes them. Cells beyond the last column have the name "", cells that
    a row lacks are empty, and empty rows are left out.

    Args:
        path: the file.
        needed: columns that it must have, lower case.

    Raises:
        DataError: if it is no such table, with the line.
    """
    text = read_text(path)
    skipped = int(text.startswith("sep="))  # a line with which Excel is told the separator
    lines = text.split("\n", 1)[-1] if skipped else text
    separator = _separator(lines, needed)
    reader = csv.reader(StringIO(lines, newline=""), delimiter=separator, strict=True)
    try:
        columns = [cell.strip().lower() for cell in next(reader, [])]
        if missing := [name for name in needed if name not in columns]:
            raise DataError(
                f"{path}, line {1 + skipped}: columns {', '.join(columns)}; expected {' and '.join(missing)}, too, "
                "in a first line of names, separated by commas, semicolons or tabs"
            )
        for cells in reader:
            if any(cell.strip() for cell in cells):
                filled = [cell.strip() for cell in cells[: len(columns)]]
                filled += [""] * (len(columns) - len(filled))
                beyond = " ".join(cells[len(columns) :]).strip()
                row = dict(zip(columns, filled, strict=True)) | ({"": beyond} if beyond else {})
                yield reader.line_num + skipped, row
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num + skipped}: {_explained(error)}") from error


def _separator(text: str, needed: Sequence[str]) -> str:
    """The separator by which the first line has the most of the columns that are needed."""
    first = next(iter(text.splitlines()), "")

    def found(separator: str) -> int:
        names = [cell.strip().strip('"').lower() for cell in first.split(separator)]
        return sum(name in names for name in needed)

    return max(_SEPARATORS, key=found)


def _explained(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a cell of more than {csv.field_size_limit():,} characters; expected shorter texts, or its quote closed"
    if "end of data" in str(error):
        return "a quoted text that is not closed; expected a second quote behind it"
    return f"{error}; expected texts with a separator or a quote in quotes, and quotes in them doubled"
