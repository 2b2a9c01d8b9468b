"""Constraints across windows: a path, pins and poses in a motion longer than the model makes at once."""

from dataclasses import replace

import pytest
import torch

import motionclip
from motionclip.applications.direct import Pin, PoseAt, RootPath
from motionclip.applications.direct.correct import correct
from motionclip.applications.direct.posed import Place
from motionclip.applications.storyboard import Shot, film
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion

S_CURVE = [(0.0, 0.0), (0.8, 2.0), (0.0, 4.0), (-0.8, 6.0), (0.0, 8.0)]


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


def smooth(motion: Motion) -> bool:
    """Whether no joint jumps between two frames."""
    return bool(torch.diff(motion.positions, dim=0).norm(dim=-1).max() * motion.fps < 12)


def test_a_path_over_windows_and_a_pin_in_the_last(model: MotionCLIP) -> None:
    path, pin = RootPath(S_CURVE), Pin("right_hand", (-0.4, 1.2, 7.2), 9.0, direction=(0, 0, 1))
    found = motionclip.direct(model, "a person walks", [path, pin], seconds=10, steps=6)
    assert found.motion.num_frames == 300 and smooth(found.motion)
    assert found.errors[0] < 0.06 and found.errors[1] < 0.02
    assert found.motion.root[-1, [0, 2]].tolist() == pytest.approx(S_CURVE[-1], abs=0.15)
    free = motionclip.long_motion(model, "a person walks", seconds=10)
    assert path.error(free) > 0.3 and pin.error(free) > 0.3


def test_a_path_is_shared_by_shots_as_far_as_they_go(model: MotionCLIP) -> None:
    path = RootPath([(0.0, 0.0), (0.3, 1.5), (0.0, 3.0)])
    found = motionclip.direct(model, "a person walks, then waves", [path], seconds=6, steps=6).motion
    gone = torch.diff(found.root[:, [0, 2]], dim=0).norm(dim=-1)
    assert gone[:84].sum() > 4 * gone[96:].sum()  # a wave stays where the walk ended


def test_shots_begin_where_the_film_is(model: MotionCLIP) -> None:
    left = RootPath([(0.0, 0.0), (0.4, 0.6), (1.2, 0.8)])  # a turn to the left, twice: back along -z
    made = film(model, [Shot("a person walks", 2, (left,)), Shot("a person walks", 2, (left,))], steps=6)
    second = made.constraints[1]
    assert isinstance(second, RootPath) and max(made.errors) < 0.08 and smooth(made.motion)
    torch.testing.assert_close(torch.tensor(second.points[0]), made.motion.root[60, [0, 2]], atol=0.1, rtol=0)
    assert made.motion.root[-1, 0] > 1.0 and second.points[-1][0] > second.points[0][0]


def test_a_given_motion_longer_than_a_window_is_corrected(model: MotionCLIP) -> None:
    walk = motionclip.long_motion(model, "a person walks", seconds=8)
    x, y, z = walk.positions[200, CANONICAL.index("left_hand")].tolist()
    found = motionclip.direct(model, walk, [Pin("left_hand", (x + 0.1, y + 0.1, z), 200 / 30)])
    assert found.errors[0] < 0.01 and found.motion.num_frames == walk.num_frames
    torch.testing.assert_close(found.motion.positions[:150], walk.positions[:150])


def test_its_windows_are_made_anew_where_it_is_to_follow_a_path(model: MotionCLIP) -> None:
    walk = motionclip.long_motion(model, "a person walks", seconds=15)
    place, hand = Place.of(walk, 315), walk.positions[440, CANONICAL.index("left_hand")].tolist()
    seen = torch.tensor([(0.0, 0.0, 0.0), (0.5, 0.0, 1.0), (0.5, 0.0, 2.0)])
    points = [(x, z) for x, _, z in place.to_world(seen).tolist()]
    path, pin = RootPath(points, start=10.5, end=14.9), Pin("left_hand", (hand[0], hand[1] + 0.1, hand[2]), 440 / 30)
    found = motionclip.direct(model, walk, [path, pin], steps=6)
    assert found.motion.num_frames == walk.num_frames and smooth(found.motion)
    assert found.errors[0] < 0.06 and found.errors[1] < 0.02
    changed = (found.motion.rotations - correct(walk, [path, pin]).rotations)[:, CANONICAL.index("spine2")].abs()
    assert changed[:200].max() < 1e-4 and changed[330:400].max() > 0.01


def test_a_pose_ends_a_long_motion(model: MotionCLIP) -> None:
    wave = motionclip.text_to_motion(model, "a person waves", seconds=2)
    pose = PoseAt(7.5, wave.frames(30, 31))
    found = motionclip.direct(model, "a person walks", [pose], seconds=8, steps=6)
    assert found.errors[0] < 0.02 and smooth(found.motion)


def test_times_outside_are_refused(model: MotionCLIP) -> None:
    pin = Pin("head", (0.0, 1.4, 0.0), 9.0)
    with pytest.raises(MotionError, match="a time inside"):
        motionclip.direct(model, "a person walks", [pin], seconds=8)
    with pytest.raises(MotionError, match="a time inside"):
        film(model, [Shot("a person walks", 2, (replace(pin, start=2.5),))])
    paths = [RootPath([(0, 0), (0, 1)], times=[0, 3]), RootPath([(0, 0), (0, 1)], times=[2, 5])]
    with pytest.raises(MotionError, match="one after the other"):
        motionclip.direct(model, "a person walks", paths, seconds=8)
