"""Measured segments: tiles of clips with words for what they do."""

from pathlib import Path

import pytest
import torch

from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.data.words import Words, shipped_phrases, shipped_reversals


@pytest.fixture(scope="module")
def windows(synthetic_store: Path) -> WindowSet:
    return WindowSet([Store.open(synthetic_store)], "train", {}, 20, words=Words(measured=0.4))


def test_tiles_lie_in_their_clips_and_say_what_they_do(windows: WindowSet) -> None:
    measured = [segment for segment in windows.segments if segment.measured]
    clips = [segment for segment in windows.segments if segment.whole]
    assert measured
    for tile in measured:
        inside = [c for c in clips if c.start <= tile.start and tile.start + tile.num_frames <= c.start + c.num_frames]
        assert len(inside) == 1
    walks = [tile for tile in measured for clip in clips if clip.category == "walk" and clip.start == tile.start]
    assert any("walk" in text for tile in walks for text in tile.texts)


def test_they_are_drawn_as_often_as_asked(windows: WindowSet) -> None:
    names = {segment.label for segment in windows.segments if segment.measured}
    draw = windows.draw(torch.Generator().manual_seed(0), 4000, 60, mirror=False, with_words=True)
    share = sum(windows.texts[number] in names for number in draw.label.tolist()) / 4000
    assert share == pytest.approx(0.4, abs=0.04)


def test_the_words_are_the_same_in_each_run(windows: WindowSet, synthetic_store: Path) -> None:
    again = WindowSet([Store.open(synthetic_store)], "train", {}, 20, words=Words(measured=0.4))
    assert [segment.texts for segment in again.segments] == [segment.texts for segment in windows.segments]


def test_reversals_lead_to_actions_that_have_phrases() -> None:
    phrases = shipped_phrases()
    for action, backwards in shipped_reversals().items():
        assert action in phrases
        assert backwards in phrases


def test_a_reversed_segment_is_drawn_from_its_end(small_store: Path) -> None:
    import dataclasses

    store = Store.open(small_store)
    entry = store.entries[store.split("train")[0]]
    caption = dataclasses.replace(entry.captions[0], start=0, end=30, categories=("sit down",))
    one = dataclasses.replace(store, entries=(dataclasses.replace(entry, captions=(caption,)),))
    windows = WindowSet([one], "train", {}, 20, words=Words(reversals={"sit down": "stand up"}))
    draw = windows.draw(torch.Generator().manual_seed(0), 200, 30, mirror=False, with_words=True)
    backwards = [rows for rows, text in zip(draw.rows, draw.text, strict=True) if windows.texts[text] == "stand up"]
    assert backwards
    assert all((torch.diff(rows) == -1).all() for rows in backwards)
