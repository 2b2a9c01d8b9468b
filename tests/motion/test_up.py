"""What joint positions tell where rest poses and names do not: up, by the floor at 0 that a body is on, and sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from motionclip.formats.bvh import write_bvh
from motionclip.io import read_with_conventions
from motionclip.motion import CANONICAL, Motion, local_rotations
from motionclip.motion.body_axes import AXES
from motionclip.motion.conventions import turn_upright
from motionclip.motion.retarget import find_humanoid
from motionclip.motion.retarget.humanoid import REQUIRED
from motionclip.motion.rotations import rotvec_to_matrix

#: Rotation vectors of the joints that are turned, the left ones; the right are their mirror images.
POSTURES: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    "stands": {"shoulder": (0, 0, 0.7), "knee": (0.15, 0, 0)},
    "sits": {"hip": (-1.45, 0, 0), "knee": (1.5, 0, 0), "shoulder": (0, 0, -1.3), "elbow": (0, -0.6, 0)},
    "lies": {"pelvis": (-torch.pi / 2, 0, 0), "shoulder": (0, 0, -1.25), "hip": (-0.15, 0, 0), "knee": (0.2, 0, 0)},
    "crawls": {"pelvis": (1.45, 0, 0), "hip": (-1.5, 0, 0), "knee": (1.6, 0, 0), "shoulder": (0, 1.4, 0)},
    "handstand": {"pelvis": (torch.pi, 0, 0), "shoulder": (0, 0, 1.35), "knee": (0.3, 0, 0)},
}


def posed(posture: str, frames: int = 30) -> Motion:
    """A body that sways a little in a posture, its lowest joint 3.5 cm over the floor; one that crawls travels."""
    turns = torch.zeros(frames, CANONICAL.num_joints, 3)
    for joint, (x, y, z) in POSTURES[posture].items():
        for name, sign in ((joint, 1.0), (f"left_{joint}", 1.0), (f"right_{joint}", -1.0)):
            if name in CANONICAL.names:
                turns[:, CANONICAL.index(name)] = torch.tensor([x, sign * y, sign * z])
    sway = 0.15 * torch.linspace(0, 6, frames).sin()
    turns[:, CANONICAL.index("left_elbow"), 1] -= sway.abs()
    turns[:, CANONICAL.index("spine1"), 0] += sway / 2
    root = torch.zeros(frames, 3)
    root[:, 2] = 0.3 * torch.linspace(0, 1, frames) * (posture == "crawls")
    motion = Motion(rotvec_to_matrix(turns), root, 30.0, CANONICAL)
    root[:, 1] = 0.035 - motion.positions[..., 1].min(dim=1).values
    return replace(motion, root=root)


def on_rest(motion: Motion, turns: torch.Tensor) -> Motion:
    """The same movement on a skeleton whose rest pose has every joint (J, 3, 3) turned."""
    carriers = turns[[max(parent, 0) for parent in CANONICAL.parents]]
    skeleton = replace(CANONICAL, offsets=(carriers.mT @ CANONICAL.offsets[..., None])[..., 0])
    return Motion(local_rotations(motion.world[0] @ turns, skeleton), motion.root, motion.fps, skeleton)


def placed(motion: Motion, turn: torch.Tensor) -> Motion:
    """The motion in other axes, its rest pose as it was."""
    rotations = motion.rotations.clone()
    rotations[:, 0] = turn @ rotations[:, 0]
    return replace(motion, rotations=rotations, root=motion.root @ turn.T)


def is_up(found: Motion, wanted: Motion) -> bool:
    """Whether a motion that was read has the heights of another one, in whatever order of joints."""
    order = [found.skeleton.index(name) for name in wanted.skeleton.names]
    return torch.allclose(found.positions[:, order, 1], wanted.positions[..., 1], atol=1e-3)


NO_REST = rotvec_to_matrix(1.2 * torch.randn(24, 3, generator=torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("up", AXES)
@pytest.mark.parametrize("posture", POSTURES)
def test_a_floor_tells_where_the_rest_pose_does_not(tmp_path: Path, posture: str, up: str) -> None:
    motion = posed(posture)
    write_bvh(placed(on_rest(motion, NO_REST), turn_upright(up).T), tmp_path / "posed.bvh")
    found, conventions = read_with_conventions(tmp_path / "posed.bvh")
    assert conventions.up == up, conventions.reasons["up"]
    assert is_up(found, motion)


@pytest.mark.parametrize("posture", POSTURES)
def test_a_rest_pose_that_would_put_the_body_under_the_floor_is_overruled(tmp_path: Path, posture: str) -> None:
    """Its rest pose stands along Z, and a turn of the root puts it upright: seldom said, and often so."""
    motion = posed(posture)
    write_bvh(on_rest(motion, turn_upright("+z").expand(24, 3, 3)), tmp_path / "posed.bvh")
    found, conventions = read_with_conventions(tmp_path / "posed.bvh")
    assert (conventions.up, conventions.rest_up) == ("+y", "+z"), conventions.reasons["up"]
    assert is_up(found, motion)


@pytest.mark.parametrize("height", [0.5, -0.9])
def test_a_rest_pose_is_believed_where_no_floor_is_at_zero(tmp_path: Path, height: float) -> None:
    """On a bed, and with paths that are told from where the body begins."""
    motion = posed("lies")
    motion = replace(motion, root=motion.root + torch.tensor([0.0, height, 0.0]))
    write_bvh(motion, tmp_path / "posed.bvh")
    assert read_with_conventions(tmp_path / "posed.bvh")[1].up == "+y"


@pytest.mark.parametrize("seed", range(4))
def test_sides_without_names_are_those_of_the_poses(tmp_path: Path, seed: int) -> None:
    """Where names say nothing and the rest pose is none, whose legs may be crossed."""
    motion = posed("stands")
    turns = rotvec_to_matrix(1.2 * torch.randn(24, 3, generator=torch.Generator().manual_seed(seed)))
    silent = on_rest(motion, turns)
    names = tuple(f"joint_{number}" for number in range(24))
    write_bvh(replace(silent, skeleton=replace(silent.skeleton, names=names)), tmp_path / "silent.bvh")
    found, conventions = read_with_conventions(tmp_path / "silent.bvh")
    assert conventions.up == "+y" and not conventions.mirrored
    parts = find_humanoid(found.skeleton).names
    assert {role: parts[role] for role in REQUIRED if role != "head"} == {
        role: names[CANONICAL.index(role)] for role in REQUIRED if role != "head"
    }
