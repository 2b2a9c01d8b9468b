"""Which words any text encoder accepts."""

from __future__ import annotations

import pytest

from motionclip.encoders import checked_texts
from motionclip.errors import TextError


def test_blanks_around_texts_go() -> None:
    assert checked_texts(("  walk ", "a\tperson\n")) == ["walk", "a\tperson"]


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ("a person walks", "one string"),
        (["walk", ""], "text 2 is empty"),
        (["walk", " \n\t"], "text 2 is empty"),
        ([None], "text 1 is None of type NoneType"),
        (["walk", 3], "text 2 is 3 of type int"),
        ([b"walk"], "of type bytes"),
        (["walk \ud800"], "not valid Unicode"),
    ],
)
def test_what_is_not_words_is_refused(texts: object, problem: str) -> None:
    with pytest.raises(TextError, match=problem):
        checked_texts(texts)
