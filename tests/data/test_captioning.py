"""Joined labels: what a window touches, in alphabetical order, at the frames where it changes."""

from bisect import bisect_right
from pathlib import Path

import pytest
import torch

from motionclip.data.segments import SpanTexts, span_texts
from motionclip.data.store import Store
from motionclip.data.windows import JoinedLabels, WindowSet

CLIP: tuple[int, SpanTexts] = (100, {(0, 100): ("stand",), (10, 30): ("wave", "greet"), (30, 40): ("bow",)})


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (0, {"wave", "greet"}),
        (20, {"bow and wave", "bow and greet"}),
        (29, {"bow and wave", "bow and greet"}),
        (30, {"bow"}),
        (39, {"bow"}),
        (40, {"stand"}),
        (80, {"stand"}),
    ],
)
def test_windows_say_all_that_they_touch(start: int, expected: set[str]) -> None:
    policy = JoinedLabels([CLIP], 20)
    (texts,) = policy.texts_of(0, start, 20)
    assert set(texts) == expected
    assert expected <= set(policy.all_texts())


def looked_up(clip: tuple[int, SpanTexts], start: int, frames: int) -> set[str]:
    """The sentences of a window, by a look at each of its frames."""
    count, spans = clip
    seen = set(range(start, start + frames))
    touched = [span for span in spans if set(range(*span)) & seen]
    labels = [spans[span] for span in touched if span != (0, count)] or [spans[span] for span in touched]
    choices = range(max((len(texts) for texts in labels), default=0))
    return {" and ".join(sorted({texts[k % len(texts)] for texts in labels})) for k in choices}


def test_each_window_agrees_with_a_look_at_its_frames() -> None:
    policy = JoinedLabels([CLIP], 7)
    for start in range(94):
        (texts,) = policy.texts_of(0, start, 7)
        assert set(texts) == looked_up(CLIP, start, 7)


def test_a_clip_without_words_and_one_shorter_than_a_window() -> None:
    policy = JoinedLabels([(50, {}), (10, {(0, 4): ("kick",), (4, 10): ("kick",)})], 20)
    assert policy.texts_of(0, 30, 20) == ()
    assert policy.texts_of(1, 0, 10) == (("kick",),)


def test_windows_are_drawn_with_joined_words(small_store: Path) -> None:
    store = Store.open(small_store)
    windows = WindowSet([store], "train", {}, min_frames=20, joined=30)
    clips = [(entry.num_frames, span_texts(entry)) for entry in store.entries if entry.split == "train"]
    starts = [segment.start for segment in windows.segments]
    draw = windows.draw(torch.Generator().manual_seed(0), 40, 30, mirror=False)
    for rows, real, text in zip(draw.rows, draw.mask, draw.text, strict=True):
        index = bisect_right(starts, int(rows[0])) - 1
        start = int(rows[0]) - starts[index]
        assert windows.texts[text] in looked_up(clips[index], start, int(real.sum()))
