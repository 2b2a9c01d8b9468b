"""Segments: spans whose action is named, neighbours joined, and how actions are balanced."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from motionclip.data.segments import Segment, segments_of
from motionclip.data.store import Entry, FrameCaption, Store
from motionclip.data.windows import WindowSet
from motionclip.data.words import Words

CAPTIONS = (
    FrameCaption("a man sits down", 0, 90, ("sit down",)),
    FrameCaption("a man stands up again", 90, 180, ("stand up",)),
    FrameCaption("a woman stands up", 185, 270, ("stand up",)),
    FrameCaption("a person waits", 330, 400, ("stand still",)),
    FrameCaption("someone sits down, stands up and waits", 0, 400),
)
ENTRY = Entry("1", "own", "train", 0, 400, captions=CAPTIONS)


def spans(segments: list[Segment]) -> dict[tuple[int, int], Segment]:
    return {(segment.start, segment.start + segment.num_frames): segment for segment in segments}


def test_the_name_of_an_action_is_one_of_its_sentences_and_its_label() -> None:
    found = spans(segments_of(ENTRY, 0, 20, {}))[0, 90]
    assert found.texts == ("a man sits down", "sit down")
    assert (found.action, found.label, found.whole, found.named) == ("sit down", "sit down", False, True)


def test_neighbours_are_first_the_one_then_the_other() -> None:
    found = spans(segments_of(ENTRY, 0, 20, {}))
    assert found[0, 180].texts == ("a man sits down, then stands up again", "sit down, then stand up")
    assert found[0, 180].joined
    assert found[90, 270].label == "stand up"  # one action over both
    assert "a man stands up again" in found[90, 270].texts
    assert (185, 400) not in found  # too far apart


def test_a_clip_is_whole_once_and_keeps_its_own_sentences() -> None:
    whole = [segment for segment in segments_of(ENTRY, 0, 20, {}) if segment.whole]
    assert [segment.texts for segment in whole] == [("someone sits down, stands up and waits",)]
    silent = replace(ENTRY, captions=(FrameCaption("a jump", 0, 400, ("jump",)),))
    assert [segment.texts for segment in segments_of(silent, 0, 20, {}) if segment.whole] == [()]


def test_phrases_are_said_beside_the_sentences_of_their_action() -> None:
    found = spans(segments_of(ENTRY, 0, 20, {"sit down": ("couch",)}))
    assert found[0, 90].wordings == (("a man sits down", "sit down"), ("couch",))
    assert found[90, 180].phrases == ()


@pytest.mark.parametrize(("balance", "share"), [(0.0, 10 / 11), (0.5, 10**0.5 / (10**0.5 + 1)), (1.0, 0.5)])
def test_rare_actions_are_drawn_more_often(small_store: Path, balance: float, share: float) -> None:
    store = Store.open(small_store)
    entries = [replace(store.entries[0], category=None, style=None, split="train", captions=()) for _ in range(11)]
    named = [replace(entry, category="walk" if n < 10 else "bow") for n, entry in enumerate(entries)]
    own = replace(store, entries=tuple(named))
    windows = WindowSet([own], "train", {}, min_frames=20, words=Words(balance=balance))
    drawn = windows.draw(torch.Generator().manual_seed(0), 4000, 20, mirror=False)
    length = named[0].num_frames
    actions = Counter("bow" if row >= 10 * length else "walk" for row in drawn.rows[:, 0].tolist())
    assert actions["walk"] / 4000 == pytest.approx(share, abs=0.03)
