"""Lines of decimal numbers, compiled: the part of BVH and AMC files that is long.

One pass over the raw bytes turns them into float64 and checks every line: its label, how many
values it has, and that each is a finite number. Compiled code is cached on disk and releases the GIL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from motionclip.errors import FormatError

_DONE, _ENDED, _TOO_FEW, _TOO_MANY, _NOT_A_NUMBER, _WRONG_LABEL, _MORE_LINES = range(7)
_SPACE, _NEWLINE = 32, 10
_LIMIT = 1e15  # beyond it a value is damage, and squares would leave float32
_POWERS = 10.0 ** np.arange(23)  # powers of ten that float64 holds exactly


@dataclass(frozen=True)
class Line:
    """What one line of a block holds: a label first (empty for none), then ``width`` numbers."""

    label: bytes
    width: int


def read_blocks(path: str | Path, content: bytes, start: int, lines: Sequence[Line], most: int) -> NDArray[np.float64]:
    """Numbers (N, W) of N blocks of lines that follow each other up to the end of a file.

    Every block has the same ``lines``; W is the sum of their widths. Empty lines are skipped.

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
    data = np.frombuffer(content, np.uint8)
    widths = np.array([line.width for line in lines])
    labels = np.frombuffer(b"".join(line.label for line in lines) + b"\0", np.uint8)
    ends = np.cumsum([0] + [len(line.label) for line in lines])
    room = (len(content) - start) // max(2 * int(widths.sum()), 1) + 1  # a number takes two bytes or more
    values = np.empty((min(most, room), int(widths.sum())))
    status, blocks, line, at = _parse(data, start, labels, ends, widths, values)
    if status != _DONE:
        problem, expected = _explain(status, lines[line], most, blocks, content[at : at + 40])
        raise FormatError(path, problem, expected, line_number(content, at))
    return values[:blocks]


def line_number(content: bytes, at: int) -> int:
    """1-based number of the line that holds byte ``at``."""
    return content.count(b"\n", 0, at) + 1


def _explain(status: int, line: Line, most: int, blocks: int, found: bytes) -> tuple[str, str]:
    """What was wrong, and what was expected."""
    word = (found.split() or [b""])[0].decode("latin-1")
    named = f" after {line.label.decode('latin-1')!r}" if line.label else ""
    return {
        _ENDED: (f"the file ends inside frame {blocks + 1}", "whole frames"),
        _TOO_FEW: ("too few values on the line", f"{line.width} numbers{named}"),
        _TOO_MANY: (f"too many values on the line, from {word!r}", f"{line.width} numbers{named}"),
        _NOT_A_NUMBER: (f"{word!r} is not a finite number", f"{line.width} numbers{named}"),
        _WRONG_LABEL: (f"{word!r}", f"{line.label.decode('latin-1')!r}, as in the first frame"),
        _MORE_LINES: (f"another line, {word!r}, after the last of {blocks} frames", f"{most} frames, as announced"),
    }[status]


@njit(cache=True, nogil=True)
def _parse(data, start, labels, ends, widths, values):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fills ``values``; returns a status, the number of whole blocks, and the line and byte of a fault."""
    at, size = start, data.size
    for block in range(values.shape[0]):
        column = 0
        for line in range(widths.size):
            at = _skip(data, at, True)
            if at == size:
                return (_DONE if line == 0 else _ENDED), block, line, max(at - 1, 0)
            after = at
            for letter in range(ends[line], ends[line + 1]):
                if after == size or data[after] != labels[letter]:
                    return _WRONG_LABEL, block, line, at
                after += 1
            if after > at and after < size and data[after] > _SPACE:
                return _WRONG_LABEL, block, line, at
            at = after
            for _ in range(widths[line]):
                at = _skip(data, at, False)
                if at == size or data[at] == _NEWLINE:
                    return _TOO_FEW, block, line, min(at, size - 1)
                value, after, good = _number(data, at)
                if not good or abs(value) > _LIMIT:
                    return _NOT_A_NUMBER, block, line, at
                values[block, column] = value
                column += 1
                at = after
            at = _skip(data, at, False)
            if at < size and data[at] != _NEWLINE:
                return _TOO_MANY, block, line, at
    at = _skip(data, at, True)
    return (_DONE if at == size else _MORE_LINES), values.shape[0], 0, at


@njit(cache=True, nogil=True)
def _skip(data, at, lines):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The next byte that is no blank; ends of lines are blanks if ``lines``."""
    while at < data.size:
        byte = data[at]
        if byte > _SPACE or (byte == _NEWLINE and not lines):
            break  # all other control characters are blanks
        at += 1
    return at


@njit(cache=True, nogil=True)
def _number(data, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The number that begins at a byte, the byte after it, and whether it is one and stands alone."""
    size = data.size
    negative = data[at] == 45
    if negative or data[at] == 43:
        at += 1
    mantissa, power, digits, point = np.uint64(0), 0, 0, False
    while at < size:
        digit = data[at] - 48  # wraps round for what is below "0"
        if digit >= 0 and digit <= 9:
            digits += 1
            if mantissa < np.uint64(1000000000000000000):
                mantissa = mantissa * np.uint64(10) + np.uint64(digit)
                power -= point
            else:
                power += not point
        elif data[at] == 46 and not point:
            point = True
        else:
            break
        at += 1
    if at < size and digits > 0 and (data[at] == 101 or data[at] == 69):
        at, exponent, digits = _exponent(data, at + 1)
        power += exponent
    good = digits > 0 and (at == size or data[at] <= _SPACE)
    value = float(mantissa)
    if power < -22 or power > 22:
        value *= 10.0**power
    elif power < 0:
        value /= _POWERS[-power]
    else:
        value *= _POWERS[power]
    return (-value if negative else value), at, good


@njit(cache=True, nogil=True)
def _exponent(data, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The byte after an exponent, its value, and how many digits it has."""
    negative = at < data.size and data[at] == 45
    if at < data.size and (negative or data[at] == 43):
        at += 1
    exponent, digits = 0, 0
    while at < data.size and data[at] >= 48 and data[at] <= 57:
        exponent = min(exponent * 10 + data[at] - 48, 9999)
        digits += 1
        at += 1
    return at, (-exponent if negative else exponent), digits
