"""Captions and clips refuse what does not fit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motionclip.data.clip import Caption, Clip, TimedText, captions_within
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


@settings(max_examples=50, deadline=None)
@given(st.floats(-5, 20), st.floats(-5, 20), st.floats(0.1, 10))
def test_a_caption_is_cut_to_the_motion_or_left_out(start, end, duration):
    captions = captions_within([TimedText(" a  person\n walks ", start, end)], duration)
    if not captions:
        assert end <= start or end <= 0 or start >= duration
    else:
        assert captions[0].text == "a person walks"
        assert 0 <= captions[0].start < captions[0].end <= duration


def test_captions_of_a_part_begin_with_it_and_blank_ones_are_left_out():
    texts = [TimedText("walks", 1.0, 3.0, ("walk",)), TimedText(" ", 1.0, 3.0), TimedText("ends", 5.5, float("inf"))]
    assert captions_within(texts, 4.0, offset=2.0) == (
        Caption("walks", 0.0, 1.0, ("walk",)),
        Caption("ends", 3.5, 4.0),
    )
