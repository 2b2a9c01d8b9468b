"""Windows: inside their segments, with the captions that belong to them, and the same for the same step."""

from pathlib import Path

import pytest
import torch

from motionclip.data.store import Store
from motionclip.data.windows import WindowBatch, WindowSet
from motionclip.errors import DataError
from motionclip.sides import mirror_words


@pytest.fixture(scope="module")
def windows(small_store: Path) -> WindowSet:
    return WindowSet([Store.open(small_store)], "train", {}, min_frames=20)


def drawn(windows: WindowSet, seed: int, count: int, *, mirror: bool) -> WindowBatch:
    return windows.draw(torch.Generator().manual_seed(seed), count, 60, mirror)


def test_draws_depend_on_the_generator_alone(windows: WindowSet) -> None:
    first, again, other = (drawn(windows, seed, 8, mirror=True) for seed in (5, 5, 6))
    assert torch.equal(first.rows, again.rows) and torch.equal(first.text, again.text)
    assert not torch.equal(first.rows[:, 0], other.rows[:, 0])


def test_windows_lie_inside_their_segment_and_say_its_words(windows: WindowSet) -> None:
    draw = drawn(windows, 0, 64, mirror=True)
    for rows, real, mirrored, text in zip(draw.rows, draw.mask, draw.mirrored, draw.text, strict=True):
        inside = [s for s in windows.segments if s.start <= rows[0] and rows[real][-1] < s.start + s.num_frames]
        assert inside
        steps = torch.diff(rows[real])
        assert (steps == 1).all()
        words = {word for s in inside for word in s.texts}
        assert windows.texts[text] in ({mirror_words(word) for word in words} if mirrored else words)


def test_mirroring_can_be_left_out(windows: WindowSet) -> None:
    assert not drawn(windows, 0, 64, mirror=False).mirrored.any()
    assert drawn(windows, 0, 64, mirror=True).mirrored.any()


def test_tiles_do_not_overlap(windows: WindowSet) -> None:
    rows = windows.tiles(30)
    assert rows.shape[1] == 30
    assert len(rows.flatten().unique()) == rows.numel()
    assert len(windows.tiles(30, "elsewhere")) == 0


def test_words_of_the_mirror_image() -> None:
    text = "turns left, leftwards, then waves with the Right hand, counter clockwise; leftover stays"
    expected = "turns right, rightwards, then waves with the left hand, clockwise; leftover stays"
    assert mirror_words(text) == expected
    assert mirror_words(mirror_words("a left turn clockwise")) == "a left turn clockwise"


def test_a_data_set_can_be_left_out(small_store: Path) -> None:
    with pytest.raises(DataError):
        WindowSet([Store.open(small_store)], "train", {}, min_frames=10_000)
