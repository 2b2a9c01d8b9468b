"""Numbers of text files against Python's own reading of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from motionclip.errors import FormatError
from motionclip.formats.number_lines import Line, read_blocks

DECIMALS = st.from_regex(r"[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-9]{1,2})?", fullmatch=True)


def parse(text: str, *lines: Line, most: int = 100) -> np.ndarray:
    return read_blocks("numbers.txt", text.encode(), 0, lines, most)


@given(st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_floats_as_python_writes_them(values: list[float]) -> None:
    read = parse(" ".join(map(repr, values)), Line(b"", len(values)))
    assert np.allclose(read, [values], rtol=1e-14, atol=1e-280)  # a smaller number may read as 0


@given(DECIMALS)
@example("12345678901234567890123e-15")
@example("0.00000000000000000000000012345e+25")
@example("1e-99")
@settings(max_examples=150, deadline=None)
def test_any_decimal_reads_as_in_python_or_is_refused_for_its_size(word: str) -> None:
    if abs(float(word)) > 1e15:
        with pytest.raises(FormatError):
            parse(word, Line(b"", 1))
    else:
        assert parse(word, Line(b"", 1))[0, 0] == pytest.approx(float(word), rel=1e-14, abs=1e-280)


@given(st.text("0123456789.-+eE", min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_words_that_are_no_numbers_in_python_are_none_here(word: str) -> None:
    try:
        float(word)
    except ValueError:
        with pytest.raises(FormatError):
            parse(word, Line(b"", 1))
    else:
        if abs(float(word)) <= 1e15:
            assert parse(word, Line(b"", 1)).shape == (1, 1)


def test_blocks_of_labelled_lines() -> None:
    lines = (Line(b"", 1), Line(b"hip", 2), Line(b"knee", 0))
    text = "1\nhip 2 3\nknee\n\n 4 \r\n\thip\t5 6\r\nknee"
    assert parse(text, *lines).tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(FormatError, match="line 2: 'hips'; expected 'hip'"):
        parse(text.replace("hip 2", "hips 2"), *lines)
    with pytest.raises(FormatError, match="line 5: another line, '4', after the last of 1 frames"):
        parse(text, *lines, most=1)
    with pytest.raises(FormatError, match="ends inside frame 2"):
        parse(text[: -len("knee")], *lines)
