"""Captions: letters of any language, or a warning that says which font lacks."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from motionclip.render import captions
from motionclip.render.captions import caption_row, font_for


def drawn(text: str) -> bytes:
    picture = Image.new("L", (64, 64))
    ImageDraw.Draw(picture).text((8, 8), text, fill=255, font=font_for([text], 32))
    return picture.tobytes()


@pytest.mark.parametrize("letters", ["éñ", "Жя", "ωλ"])
def test_letters_that_pillow_lacks_are_drawn_and_differ(letters: str) -> None:
    assert drawn(letters[0]) != drawn(letters[1])


def test_plain_titles_keep_the_font_of_our_pictures() -> None:
    assert font_for(["a person walks"], 20).getname() == ("Aileron", "Regular")


def test_a_title_that_no_font_has_becomes_its_number_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    captions._font_file.cache_clear()
    monkeypatch.setattr(captions, "_font_files", lambda: iter(()))
    with pytest.warns(UserWarning, match="no font here has all of '人歩': a number stands there; install one"):
        row = caption_row(["a walk", "人歩"], 200, 20)
    captions._font_file.cache_clear()
    np.testing.assert_array_equal(row, caption_row(["a walk", "2"], 200, 20))
