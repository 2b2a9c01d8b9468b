"""Two halves of two bodies: which joints come from where, the lean, the length, and feet that stay as they were."""

import math
from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.applications.edit import combine_halves, compose
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion, heading, resample, turn
from motionclip.motion import rotations as rot

LEGS = ("pelvis", "left_hip", "left_knee", "left_ankle", "left_foot", "right_hip", "right_knee", "right_ankle")


@pytest.fixture(scope="module")
def halves(tiny_run: Path) -> tuple[Motion, Motion]:
    model = motionclip.load(tiny_run)
    wave, walk = motionclip.text_to_motion(model, ["a person waves", "a person walks"], seconds=2)
    return wave, walk


def leaning(angle: float) -> Motion:
    """A body that stands for ten frames, bent forward at the hips by an angle, radians."""
    rotations = torch.eye(3).repeat(10, 24, 1, 1)
    rotations[:, 0] = rot.rotvec_to_matrix(torch.tensor([angle, 0.0, 0.0]))
    return Motion(rotations, torch.tensor([0.0, 0.93, 0.0]).repeat(10, 1), 30.0, CANONICAL)


def test_legs_and_path_are_those_of_the_one(halves: tuple[Motion, Motion]) -> None:
    made = combine_halves(*halves)
    legs = CANONICAL.indices(LEGS)
    torch.testing.assert_close(made.positions[:, legs], halves[1].positions[:, legs], atol=1e-5, rtol=0)


def test_arms_are_those_of_the_other(halves: tuple[Motion, Motion]) -> None:
    made, wave = combine_halves(*halves), halves[0]
    for name in ("spine2", "head", "left_collar", "left_shoulder", "right_elbow", "right_wrist"):
        joint = CANONICAL.index(name)
        assert torch.equal(made.rotations[:, joint], wave.rotations[:, joint])


def test_the_chest_leans_as_in_the_one_and_faces_as_in_the_other() -> None:
    chest = CANONICAL.index("spine3")
    made = combine_halves(leaning(0.5), turn(leaning(-0.2), torch.tensor(1.2)))
    torch.testing.assert_close(heading(made), torch.full((10,), 1.2))
    expected = turn(leaning(0.5), torch.tensor(1.2)).world[0][:, chest]
    torch.testing.assert_close(made.world[0][:, chest], expected, atol=1e-5, rtol=0)


def test_the_waist_bends_only_so_far() -> None:
    waist, lying = CANONICAL.index("spine1"), leaning(math.pi / 2)
    made = combine_halves(leaning(0.0), lying)
    bent = rot.geodesic_angle(made.rotations[:, waist], torch.eye(3).expand(10, 3, 3))
    torch.testing.assert_close(bent, torch.full((10,), math.radians(60)), atol=1e-4, rtol=0)


def test_it_is_as_long_as_the_shorter_one_at_the_models_rate(tiny_run: Path, halves: tuple[Motion, Motion]) -> None:
    model: MotionCLIP = motionclip.load(tiny_run)
    long = Motion(torch.cat([halves[1].rotations] * 5), torch.cat([halves[1].root] * 5), 30.0, CANONICAL)
    assert compose(model, halves[0], long).num_frames == 60
    assert compose(model, long, long).num_frames == 300
    assert compose(model, "a person waves", resample(halves[1].frames(0, 30), 60)).fps == 30.0
    assert compose(model, "a person waves", "a person walks", seconds=1).num_frames == 30
