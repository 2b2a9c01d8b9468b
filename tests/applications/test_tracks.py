"""Parts of a body that do something else for a while: only they, only then, and without a jump."""

import pytest
import torch

import motionclip
from motionclip.applications.tracks import Track, overlay
from motionclip.errors import ModelError, MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion


@pytest.fixture(scope="module")
def walk(tiny_model: MotionCLIP) -> Motion:
    return motionclip.text_to_motion(tiny_model, "a person walks", seconds=4)


def test_an_arm_waves_while_the_body_walks(tiny_model: MotionCLIP, walk: Motion) -> None:
    film = overlay(tiny_model, walk, [Track("right_arm", "a person waves", 1, 3)])
    arm = CANONICAL.indices([f"right_{joint}" for joint in ("collar", "shoulder", "elbow", "wrist", "hand")])
    others = [joint for joint in range(24) if joint not in arm]
    assert torch.equal(film.rotations[:, others], walk.rotations[:, others]) and torch.equal(film.root, walk.root)
    assert torch.equal(film.rotations[:30], walk.rotations[:30])
    assert torch.equal(film.rotations[90:], walk.rotations[90:])
    waves = motionclip.text_to_motion(tiny_model, "a person waves", seconds=2)
    torch.testing.assert_close(film.rotations[60, arm], waves.rotations[30, arm], atol=1e-4, rtol=0)
    pace = torch.diff(film.positions, dim=0).norm(dim=-1).amax(dim=1) * 30
    assert pace[28:92].max() < 8


def test_a_later_track_lies_over_an_earlier_one(tiny_model: MotionCLIP, walk: Motion) -> None:
    still = Motion(torch.eye(3).repeat(120, 24, 1, 1), walk.root, 30, CANONICAL)
    film = overlay(tiny_model, walk, [Track("upper", still, 0, 4), Track("head", walk, 1, 3)])
    spine, neck = CANONICAL.index("spine2"), CANONICAL.index("neck")
    torch.testing.assert_close(film.rotations[60, spine], torch.eye(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(film.rotations[60, neck], walk.rotations[30, neck], atol=1e-4, rtol=0)


def test_tracks_that_do_not_fit(tiny_model: MotionCLIP, walk: Motion) -> None:
    for part, start, end in (("tail", 0, 1), ("head", 1, 1), ("head", -1, 1), ("head", 0, 0.5)):
        with pytest.raises(MotionError, match="a track of"):
            Track(part, "a person waves", start, end)
    with pytest.raises(MotionError, match="ends at"):
        overlay(tiny_model, walk, [Track("head", "a person waves", 1, 5)])
    with pytest.raises(MotionError, match="for a track"):
        overlay(tiny_model, walk, [Track("head", walk.frames(0, 10), 1, 3)])
    with pytest.raises(ModelError):
        overlay(tiny_model, motionclip.long_motion(tiny_model, "walk", seconds=9), [Track("head", "wave", 0, 8)])
