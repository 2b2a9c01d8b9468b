"""Lines of decimal numbers: the long part of BVH and AMC files.

All words are converted at once. Only if something is wrong are the lines read one by one, to name the first fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress, cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionclip.errors import FormatError

_LIMIT = 1e15  # beyond it a value is damage, and squares would leave float32
_BLANKS = bytes(32 if byte < 32 and byte != ord("\n") else byte for byte in range(256))  # control characters are blanks


@dataclass(frozen=True)
class Line:
    """What one line of a block holds: a label first (empty for none), then ``width`` numbers."""

    label: bytes
    width: int


def read_blocks(path: str | Path, content: bytes, start: int, lines: Sequence[Line], most: int) -> NDArray[np.float64]:
    """Returns the numbers (N, W) of N blocks of lines that follow each other up to the end of a file.

    Every block has the same ``lines``: one without a label, or several. W is the sum of their widths. Blank lines are
    skipped.

    Args:
        path: the file, for messages.
        content: its bytes.
        start: the byte at which the first block begins.
        lines: the lines of one block.
        most: the largest number of blocks that may follow.

    Raises:
        FormatError: on a line with another label, another number of values or a value that is no
            finite number, on a block that is cut off, and on more than ``most`` blocks.
    """
    text = content[start:].translate(_BLANKS)
    width = sum(line.width for line in lines)
    try:
        if not text.strip():
            return np.empty((0, width))
        if len(lines) == 1:
            values = np.loadtxt(text.decode("latin-1").splitlines(), ndmin=2, comments=None)
        else:
            values = np.array(_labelled_numbers(text, lines), dtype=np.float64).reshape(-1, width)
        if len(values) <= most and values.shape[1] == width and (np.abs(values) <= _LIMIT).all():  # false for NaN
            return values
    except ValueError:
        pass  # a word that is no number, or lines of different length
    raise _first_fault(path, text.split(b"\n"), line_number(content, start), lines, most)


def _labelled_numbers(text: bytes, lines: Sequence[Line]) -> list[bytes]:
    """Returns the words of all blocks without the labels.

    The labels, where they are expected, show that every line before them has the right number of words.

    Raises:
        ValueError: if there are no whole blocks, or other labels.
    """
    words = text.split()
    is_number = [kind for line in lines for kind in [False] * bool(line.label) + [True] * line.width]
    blocks, rest = divmod(len(words), len(is_number))
    columns = (column for column, kind in enumerate(is_number) if not kind)
    labels = [line.label for line in lines if line.label]
    if rest or any(
        words[at :: len(is_number)].count(label) != blocks for at, label in zip(columns, labels, strict=True)
    ):
        raise ValueError
    return list(compress(words, cycle(is_number)))


def line_number(content: bytes, at: int) -> int:
    """Returns the 1-based number of the line that holds byte ``at``."""
    return content.count(b"\n", 0, at) + 1


def _first_fault(path: str | Path, rows: list[bytes], first: int, lines: Sequence[Line], most: int) -> FormatError:
    """Returns the error that names the first wrong row; ``first`` is the number of the first row in the file."""
    filled = [(number, words) for number, row in enumerate(rows, first) if (words := row.split())]
    for index, (number, words) in enumerate(filled):
        block, line = index // len(lines), lines[index % len(lines)]
        found = words[0].decode("latin-1")
        if block == most:
            problem = f"another line, {found!r}, after the last of {most} frames"
            return FormatError(path, problem, f"{most} frames, as announced", number)
        label = line.label.decode("latin-1")
        if label and found != label:
            return FormatError(path, f"{found!r}", f"{label!r}, as in the first frame", number)
        expected = f"{line.width} numbers" + (f" after {label!r}" if label else "")
        values = words[1:] if label else words
        for word in values[: line.width]:
            try:
                finite = abs(float(word)) <= _LIMIT
            except ValueError:
                finite = False
            if not finite:
                return FormatError(path, f"{word.decode('latin-1')!r} is not a finite number", expected, number)
        if len(values) < line.width:
            return FormatError(path, "too few values on the line", expected, number)
        if len(values) > line.width:
            extra = values[line.width].decode("latin-1")
            return FormatError(path, f"too many values on the line, from {extra!r}", expected, number)
    number, blocks = filled[-1][0], len(filled) // len(lines)
    return FormatError(path, f"the file ends inside frame {blocks + 1}", "whole frames", number)
