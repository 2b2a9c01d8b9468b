"""Captions and clips refuse what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionclip.data.clip import Caption, Clip, clamp_caption
from motionclip.data.synthetic import hold, to_motion
from motionclip.errors import DataError


def test_a_clip_holds_captions_inside_its_motion():
    motion = to_motion(hold(60))
    clip = Clip("a", "set", "train", motion, (Caption("stands", 0.5, 2.0),))
    assert clip.captions[0].text == "stands"


@pytest.mark.parametrize(("start", "end"), [(0.0, 2.5), (2.0, 2.1)])
def test_a_caption_outside_the_motion_is_refused(start, end):
    with pytest.raises(DataError, match=r"span inside the 2\.00 s"):
        Clip("a", "set", "train", to_motion(hold(60)), (Caption("stands", start, end),))


def test_an_unknown_split_is_refused():
    with pytest.raises(DataError, match="'dev'; expected one of train, val, test"):
        Clip("a", "set", "dev", to_motion(hold(2)), ())


@pytest.mark.parametrize(("text", "start", "end"), [("  ", 0, 1), ("x", -1, 1), ("x", 1, 1), ("x", 0, float("nan"))])
def test_a_caption_without_words_or_span_is_refused(text, start, end):
    with pytest.raises(DataError):
        Caption(text, start, end)


@given(st.floats(-5, 20), st.floats(-5, 20), st.floats(0.1, 10))
def test_a_clamped_caption_lies_inside_or_is_gone(start, end, duration):
    caption = clamp_caption(" a  person\n walks ", start, end, duration)
    if caption is None:
        assert end <= start or end <= 0 or start >= duration
    else:
        assert caption.text == "a person walks"
        assert 0 <= caption.start < caption.end <= duration
