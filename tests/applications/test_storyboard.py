"""A storyboard: lengths, seeds, motions from elsewhere, and lists that cannot be made."""

import pytest
import torch

import motionclip
from motionclip.applications.storyboard import Shot, storyboard
from motionclip.errors import ModelError, MotionClipError, MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, resample


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


@pytest.fixture(scope="module")
def wave(model: MotionCLIP) -> Motion:
    return motionclip.text_to_motion(model, "a person waves", seconds=3)


@pytest.mark.parametrize(
    "lengths",
    [[1.0], [2.0, 3.0], [0.1, 0.1, 4.0], [20.0], [13.0, None, 6.0], [0.5] * 5],
    ids=lambda lengths: f"{lengths}",
)
def test_words_last_as_long_as_they_say(model: MotionCLIP, lengths: list[float | None]) -> None:
    film = storyboard(model, [Shot("a person walks", seconds) for seconds in lengths])
    assert film.num_frames == round(30 * sum(4.0 if seconds is None else seconds for seconds in lengths))


def test_a_transition_is_no_faster_than_what_is_between(model: MotionCLIP) -> None:
    film = storyboard(model, [Shot("a person walks", 3), Shot("a person waves", 3), Shot("a person walks", 3)])
    pace = torch.diff(film.positions, dim=0).norm(dim=-1).amax(dim=1)
    at_transition = torch.cat([pace[78:102], pace[168:192]]).max()
    assert at_transition < 1.5 * torch.cat([pace[:78], pace[102:168], pace[192:]]).max()


def test_it_starts_above_the_origin_and_a_seed_decides_it(model: MotionCLIP) -> None:
    shots = [Shot("a person walks", 1), Shot("a person walks", 1)]
    one, again, other = (storyboard(model, shots, seed=seed) for seed in (1, 1, 5))
    assert torch.equal(one.positions, again.positions)
    assert not torch.allclose(one.positions, other.positions, atol=1e-2)
    torch.testing.assert_close(one.root[0, [0, 2]], torch.zeros(2), atol=1e-5, rtol=0)


def test_what_is_said_twice_is_not_done_alike(model: MotionCLIP) -> None:
    film = storyboard(model, [Shot("a person waves", 3)] * 3)
    middle, last = film.rotations[102:168, 1:], film.rotations[192:258, 1:]  # between the seams, 90 frames apart
    assert (middle - last).abs().max() > 0.01
    assert (film.rotations[102, 1:] - film.rotations[103, 1:]).abs().max() < 0.01 + (middle - last).abs().max()


def test_motions_from_elsewhere(model: MotionCLIP, wave: Motion) -> None:
    walk = Shot("a person walks", 2)
    assert storyboard(model, [walk, Shot(wave, 1.0), walk]).num_frames == 150  # goes on after its second
    assert storyboard(model, [walk, Shot(wave)]).num_frames == 60 + 90 - 12  # half an overlap of 24 is lost
    assert storyboard(model, [Shot(resample(wave, 60))]).num_frames in (89, 90)


def test_a_motion_longer_than_the_model_takes(model: MotionCLIP, wave: Motion) -> None:
    long = Motion(torch.cat([wave.rotations] * 4), torch.cat([wave.root] * 4), wave.fps, wave.skeleton)
    assert storyboard(model, [Shot(long), Shot("a person walks", 1)]).num_frames == 360 + 30 - 12


def test_progress_counts_the_pieces(model: MotionCLIP) -> None:
    seen: list[tuple[int, int]] = []
    storyboard(
        model, [Shot("a person walks", 7), Shot("a person waves", 1)], on_piece=lambda *counts: seen.append(counts)
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_shots_of_no_length(seconds: float) -> None:
    with pytest.raises(MotionError, match="positive"):
        Shot("a person walks", seconds)


def test_what_cannot_be_made(model: MotionCLIP, wave: Motion) -> None:
    with pytest.raises(MotionError, match="without a shot"):
        storyboard(model, [])
    with pytest.raises(MotionError, match="at most that"):
        Shot(wave, 5)
    with pytest.raises(MotionError, match="longer ones"):
        storyboard(model, [Shot("a person walks", 1), Shot(wave.frames(0, 3))])
    with pytest.raises(ModelError, match="seconds"):
        storyboard(model, [Shot("a person walks", 0.01)])
    for overlap in (0.0, -1.0, 6.0, float("nan")):
        with pytest.raises(MotionClipError, match="overlap"):
            storyboard(model, [Shot("a person walks", 1)] * 2, overlap=overlap)
