"""Motions of any length as windows: which windows there are, and that each is what the model makes of it alone."""

from pathlib import Path

import pytest
import torch

from motionclip.applications.windows import embed_windows
from motionclip.data.store import Store
from motionclip.errors import ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, resample


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


@pytest.fixture(scope="module")
def motions(small_store: Path) -> list[Motion]:
    store = Store.open(small_store)
    return [store.motion(number) for number in range(6)]


def test_a_window_is_encoded_as_it_would_be_alone(model: MotionCLIP, motions: list[Motion]) -> None:
    lengths = [motion.frames(0, 20 + 7 * number) for number, motion in enumerate(motions)]
    windowed = embed_windows(model, lengths, 1.0, 0.5)
    for motion, own in zip(lengths, windowed, strict=True):
        for (start, end), latent in zip((own.spans * 30).round().long().tolist(), own.embeddings, strict=True):
            alone = model.encode([motion.frames(start, end)])[0]
            torch.testing.assert_close(latent, alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("frames", "spans"),
    [
        (1, [[0, 1]]),
        (29, [[0, 29]]),
        (30, [[0, 30]]),
        (31, [[0, 30], [1, 31]]),
        (60, [[0, 30], [15, 45], [30, 60]]),
        (70, [[0, 30], [15, 45], [30, 60], [40, 70]]),
    ],
)
def test_windows_cover_the_whole_motion(
    model: MotionCLIP, motions: list[Motion], frames: int, spans: list[list[int]]
) -> None:
    (own,) = embed_windows(model, [motions[0].frames(0, frames)], 1.0, 0.5)
    assert (own.spans * 30).round().tolist() == spans
    assert own.mean.norm().item() == pytest.approx(1)


def test_other_rates_give_the_same_seconds(model: MotionCLIP, motions: list[Motion]) -> None:
    plain, fast = embed_windows(model, [motions[0], resample(motions[0], 120)], 1.0, 0.5)
    torch.testing.assert_close(plain.spans, fast.spans)
    assert (plain.embeddings * fast.embeddings).sum(dim=1).min() > 0.999


def test_no_motions_are_no_windows(model: MotionCLIP) -> None:
    assert embed_windows(model, [], 1.0, 0.5) == []


@pytest.mark.parametrize(("window", "hop"), [(7.0, 1.0), (0.0, 0.5), (2.0, 0.0), (2.0, 2.5), (2.0, 0.001)])
def test_windows_that_the_model_cannot_take_are_refused(
    model: MotionCLIP, motions: list[Motion], window: float, hop: float
) -> None:
    with pytest.raises(ModelError, match=r"expected|makes"):
        embed_windows(model, motions, window, hop)
