"""Axes, units and hands of files that state none, on a walk written in the conventions of other programs."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from motionclip.errors import MotionError, SkeletonError
from motionclip.formats.bvh import read_bvh, write_bvh
from motionclip.io import read_motion, read_with_conventions, write_motion
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion.body_axes import AXES
from motionclip.motion.conventions import Known, turn_upright
from motionclip.motion.retarget import find_humanoid, retarget
from motionclip.motion.retarget.humanoid import REQUIRED
from motionclip.motion.rotations import rotvec_to_matrix
from motionclip.motion.units import UNITS

MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))


@pytest.fixture(scope="module")
def walk() -> Motion:
    """40 frames of legs that swing, knees that bend, arms that hang, and a body that goes along +Z at 1 m/s."""
    frames = 40
    phase = torch.linspace(0, 4 * torch.pi, frames)
    turns = torch.zeros(frames, CANONICAL.num_joints, 3)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns[:, CANONICAL.index(f"{side}_hip"), 0] = -0.4 * sign * phase.sin()
        turns[:, CANONICAL.index(f"{side}_knee"), 0] = 0.3 + 0.3 * sign * phase.cos()
        turns[:, CANONICAL.index(f"{side}_shoulder"), 2] = -1.3 * sign
    root = torch.zeros(frames, 3)
    root[:, 1], root[:, 2] = 0.9, torch.arange(frames) / 30
    return Motion(rotvec_to_matrix(turns), root, 30.0, CANONICAL)


def carried(motion: Motion, basis: Tensor) -> Motion:
    """The motion in the axes that a matrix (3, 3) carries ours to, rest pose and all."""
    skeleton = motion.skeleton
    tips = tuple((joint, tuple((basis @ torch.tensor(tip)).tolist())) for joint, tip in skeleton.end_sites)
    turned = replace(skeleton, offsets=skeleton.offsets @ basis.T, end_sites=tips)
    return Motion(basis @ motion.rotations @ basis.T, motion.root @ basis.T, motion.fps, turned)


def lying(motion: Motion) -> Motion:
    """The motion on its back on the floor, head first along -Z."""
    back = rotvec_to_matrix(torch.tensor([-torch.pi / 2, 0.0, 0.0]))
    rotations = motion.rotations.clone()
    rotations[:, 0] = back @ rotations[:, 0]
    return replace(motion, rotations=rotations, root=torch.tensor([0.0, 0.12, 0.0]).expand(len(motion.root), 3))


def same(one: Motion, other: Motion) -> bool:
    order = [one.skeleton.index(name) for name in other.skeleton.names]
    return torch.allclose(one.positions[:, order], other.positions, atol=1e-4)


@pytest.mark.parametrize("up", AXES)
def test_any_axis_may_point_up(walk: Motion, tmp_path: Path, up: str) -> None:
    write_bvh(carried(walk, turn_upright(up).T), tmp_path / "walk.bvh")
    motion, conventions = read_with_conventions(tmp_path / "walk.bvh")
    assert conventions.up == up and not conventions.mirrored
    assert same(motion, walk)
    assert any("--up" in line for line in conventions.unusual) == (up != "+y")


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_found_from_the_height_of_the_body(walk: Motion, tmp_path: Path, unit: str) -> None:
    names = tuple("LHipJoint" if name == "left_hip" and unit == "cmu" else name for name in CANONICAL.names)
    named = replace(walk, skeleton=replace(CANONICAL, names=names))
    write_bvh(named, tmp_path / "walk.bvh", unit=UNITS[unit])
    motion, conventions = read_with_conventions(tmp_path / "walk.bvh", Known(joints={"left_hip": names[1]}))
    assert conventions.unit == UNITS[unit] and same(motion, named)
    assert any("--unit" in line for line in conventions.unusual) == (unit not in ("m", "cm", "mm"))


@pytest.mark.parametrize("up", ["+y", "+z"])
def test_a_left_handed_file_is_mirrored(walk: Motion, tmp_path: Path, up: str) -> None:
    write_bvh(carried(walk, turn_upright(up).T @ MIRROR), tmp_path / "walk.bvh")
    motion, conventions = read_with_conventions(tmp_path / "walk.bvh")
    assert conventions.mirrored and same(motion, walk)
    with pytest.warns(UserWarning) as caught:
        read_motion(tmp_path / "walk.bvh")
    assert [str(each.message).split(": ")[1][:13] for each in caught][-1:] == ["a left-handed"]


def test_a_motion_that_stands_otherwise_than_its_rest_pose(walk: Motion, tmp_path: Path) -> None:
    to_z = turn_upright("+z").T
    rotations = walk.rotations.clone()
    rotations[:, 0] = to_z @ rotations[:, 0]
    write_bvh(replace(walk, rotations=rotations, root=walk.root @ to_z.T), tmp_path / "walk.bvh")
    motion, conventions = read_with_conventions(tmp_path / "walk.bvh")
    assert (conventions.up, conventions.rest_up) == ("+z", "+y")
    assert same(motion, walk)
    assert torch.allclose(motion.skeleton.offsets[1:].sum(dim=0), CANONICAL.offsets.sum(dim=0), atol=1e-4)


def test_who_lies_is_not_stood_up(walk: Motion, tmp_path: Path) -> None:
    write_bvh(lying(walk), tmp_path / "lying.bvh")
    motion, conventions = read_with_conventions(tmp_path / "lying.bvh")
    assert conventions.up == "+y" and not conventions.unusual
    assert same(motion, lying(walk))


def test_what_is_given_is_believed(walk: Motion, tmp_path: Path) -> None:
    write_bvh(walk, tmp_path / "walk.bvh")
    known = Known(fps=60, up="Z", unit="inch", facing="-x")
    motion, conventions = read_with_conventions(tmp_path / "walk.bvh", known)
    assert motion.fps == 60 and not conventions.unusual
    assert all("given" in conventions.reasons[each] for each in ("rate", "up", "unit"))
    # what was forward, +Z, is up now; what was -X is forward
    assert motion.root[-1, 1].item() == pytest.approx(39 / 30 * 2.54, abs=1e-3)
    assert motion.root[0, 0].item() == pytest.approx(-0.9 * 2.54, abs=1e-3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"up": "w"}, "expected x, y, z"),
        ({"unit": "ell"}, "expected m, cm, mm"),
        ({"unit": 0.0}, "positive number of metres"),
        ({"unit": float("nan")}, "positive number of metres"),
        ({"up": "z", "facing": "-z"}, "along one another"),
        ({"fps": -1.0}, "frame rate"),
    ],
)
def test_what_is_given_wrongly_is_refused(walk: Motion, tmp_path: Path, given: dict[str, object], message: str) -> None:
    write_bvh(walk, tmp_path / "walk.bvh")
    with pytest.raises(MotionError, match=message):
        read_motion(tmp_path / "walk.bvh", **given)  # type: ignore[arg-type]


def test_joints_are_given_by_role(walk: Motion, tmp_path: Path) -> None:
    silent = tuple(f"bone{number}" for number in range(CANONICAL.num_joints))
    write_bvh(replace(walk, skeleton=replace(CANONICAL, names=silent)), tmp_path / "walk.bvh")
    joints = {role: silent[CANONICAL.index(role)] for role in REQUIRED}
    motion = read_bvh(tmp_path / "walk.bvh", joints=joints)
    assert find_humanoid(motion.skeleton).confidence == 1
    hips = retarget(motion).positions[:, CANONICAL.indices(["left_hip", "right_hip"])]
    assert (hips[:, 0, 0] > hips[:, 1, 0]).all()
    with pytest.raises(SkeletonError, match="no joint is called 'elbow'"):
        read_bvh(tmp_path / "walk.bvh", joints={"left_elbow": "elbow"})


def test_what_is_no_body_keeps_its_axes(tmp_path: Path) -> None:
    chain = Skeleton(("a", "b", "c"), (-1, 0, 1), torch.tensor([[0.0, 0, 0], [0, 0, 0.5], [0, 0, 0.5]]))
    motion = Motion(torch.eye(3).expand(3, 3, 3, 3), torch.ones(3, 3), 30.0, chain)
    write_bvh(motion, tmp_path / "chain.bvh")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(read_motion(tmp_path / "chain.bvh"), motion)


SIZES = [(100.0, r"a body of 1\d\d m"), (0.01, r"a body of 0\.01\d+ m"), (1.2, None)]


@pytest.mark.parametrize(("size", "told"), SIZES)
def test_giants_in_a_format_with_a_unit_are_told(tmp_path: Path, size: float, told: str | None) -> None:
    """A GLB is in metres, but characters are exported in centimetres, too."""
    still = torch.eye(3).expand(2, 24, 3, 3)
    skeleton = replace(CANONICAL, offsets=size * CANONICAL.offsets)
    write_motion(Motion(still, torch.zeros(2, 3), 30.0, skeleton), tmp_path / "giant.npz")
    conventions = read_with_conventions(tmp_path / "giant.npz")[1]
    assert conventions.unit == 1.0
    assert (told is None) == (not conventions.unusual)
    assert told is None or re.search(f"{told} by the unit of its format; --unit", conventions.unusual[0])
    assert not read_with_conventions(tmp_path / "giant.npz", Known(unit=1 / size))[1].unusual
