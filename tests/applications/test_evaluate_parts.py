"""Parts of the evaluation that the procedural data does not reach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from motionclip.applications.evaluate.clips import Clips, batches_of, encode_clips, evenly, percent
from motionclip.applications.evaluate.retrieval import measure_babel
from motionclip.data.babel import CHUNK
from motionclip.data.store import FrameCaption, Store
from motionclip.data.windows import WindowSet
from motionclip.model.pipeline import MotionCLIP


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


def with_actions(store: Store) -> Store:
    """The store with BABEL's categories: every clip walks, every second one waves and does what is no class too."""
    entries = []
    for number, entry in enumerate(store.entries):
        categories = ("walk", "wave", "no such class") if number % 2 else ("walk",)
        captions = (FrameCaption("moves about", 0, entry.num_frames, categories),)
        entries.append(replace(entry, captions=captions, dataset="amass", category=None, style=None))
    return replace(store, entries=tuple(entries))


@pytest.mark.parametrize("seconds", [6.0, 2.0])
def test_babel_counts_chunks_of_five_seconds(model: MotionCLIP, synthetic_store: Path, seconds: float) -> None:
    store = with_actions(Store.open(synthetic_store))
    shorter = MotionCLIP(model.network, model.text_encoder)
    shorter.config = replace(model.config, max_frames=round(seconds * 30))
    sixty, more = measure_babel(shorter, [store], "test", "amass")
    chunks = sum(-(-store.entries[index].num_frames // CHUNK) for index in store.split("test"))
    assert (sixty.labels, sixty.classes, sixty.clips) == ("BABEL-60", 60, chunks)
    assert (more.labels, more.classes, more.clips) == ("BABEL-120", 120, chunks)
    assert 100 / 60 < sixty.top1.chance < 200 / 60  # one or two of sixty are right
    assert sixty.class_mean.chance == pytest.approx(100 / 60)


def test_stores_without_actions_have_no_babel_figures(model: MotionCLIP, synthetic_store: Path) -> None:
    store = Store.open(synthetic_store)
    assert measure_babel(model, [store], "test", "synthetic") == ()
    assert measure_babel(model, [with_actions(store)], "test", "elsewhere") == ()


def test_clips_are_the_middle_of_what_is_too_long(model: MotionCLIP, synthetic_store: Path) -> None:
    windows = WindowSet([Store.open(synthetic_store)], "test", {}, 21)
    clips = Clips(windows, "synthetic", max_frames=40)
    assert len(clips) == sum(bool(segment.texts) for segment in windows.segments)
    motions = clips.motions(range(len(clips)), 30.0)
    assert [motion.num_frames for motion in motions] == [clips.num_frames(clip) for clip in range(len(clips))]
    assert all(clips.sentences[number] == text for number, text in zip(clips.number, clips.texts, strict=True))
    torch.testing.assert_close(encode_clips(model, clips), model.encode(motions), atol=1e-4, rtol=1e-3)
    assert sum(len(batch.mask) for batch in batches_of(motions, 30.0)) == len(clips)


def test_evenly_spread_places_and_shares() -> None:
    assert evenly(10, 4) == [0, 3, 6, 9] and evenly(3, 10) == [0, 1, 2] and evenly(1, 5) == [0]
    assert percent(["a", "b", "b", "c"], ["a", "b", "c", "c"]) == 75
