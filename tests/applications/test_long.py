"""Sentences as sequences, and motions longer than the model makes at once."""

import pytest
import torch

from motionclip.applications.long import long_motion, shots_of
from motionclip.errors import MotionError, TextError
from motionclip.model.pipeline import MotionCLIP


@pytest.mark.parametrize(
    ("text", "shots"),
    [
        ("a person walks", ["a person walks"]),
        ("walk slowly, like an old man", ["walk slowly, like an old man"]),
        ("a person walks, then waves", ["a person walks", "a person waves"]),
        ("he runs; she stops. Then he waves.", ["he runs", "she stops", "he waves"]),
        ("walk, jump and then turn around", ["walk", "jump", "turn around"]),
        ("a strengthened person waves", ["a strengthened person waves"]),
    ],
)
def test_what_follows_what(text: str, shots: list[str]) -> None:
    assert shots_of(text) == shots


def test_a_long_walk_has_no_jump_where_windows_meet(tiny_model: MotionCLIP) -> None:
    walk = long_motion(tiny_model, "a person walks", seconds=20)
    assert walk.num_frames == 600
    pace = torch.diff(walk.positions, dim=0).norm(dim=-1).amax(dim=1)
    near = torch.zeros(len(pace), dtype=torch.bool)
    for border in range(120, 600, 120):  # five windows, each of 120 frames that are shown
        near[border - 12 : border + 12] = True
    assert pace[near].max() < 1.2 * pace[~near].max()


def test_parts_share_the_time(tiny_model: MotionCLIP) -> None:
    parts = long_motion(tiny_model, "a person walks, then waves", seconds=5)
    assert parts.num_frames == 150
    travel = torch.diff(parts.root[:, [0, 2]], dim=0).norm(dim=-1)
    assert travel[:60].sum() > 3 * travel[90:].sum()
    assert long_motion(tiny_model, "a person walks, then waves").num_frames == 240


def test_what_is_no_length_or_no_words(tiny_model: MotionCLIP) -> None:
    for seconds in (0.0, -1.0, 4000.0, float("nan")):
        with pytest.raises(MotionError, match="seconds"):
            long_motion(tiny_model, "a person walks", seconds=seconds)
    with pytest.raises(TextError):
        long_motion(tiny_model, " ")
