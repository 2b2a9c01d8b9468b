"""HumanML3D's features: from them alone, read as the field's own code reads them, the motion comes back."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from motionclip.cli.main import main
from motionclip.errors import FormatError
from motionclip.formats.humanml3d import humanml3d_features
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion, resample, turn
from motionclip.motion import rotations as rot

LEFT_CHAIN = [0, 1, 4, 7, 10]
TRUNK_CHAIN = [0, 3, 6, 9, 12, 15]
LEFT_ARM_CHAIN = [9, 13, 16, 18, 20]


def dancing(frames: int = 61, fps: float = 20.0) -> Motion:
    """A body that swings all joints, walks and turns by more than half a circle."""
    generator = torch.Generator().manual_seed(3)
    time = torch.arange(frames)[:, None, None] / fps
    phase, amplitude = torch.rand(2, 24, 3, generator=generator)
    swings = rot.rotvec_to_matrix((amplitude - 0.5) * torch.sin(4 * time + 6 * phase))
    angle = 1.5 * time[:, 0, 0]
    swings[:, 0] = rot.about_y(angle) @ swings[:, 0]
    root = torch.stack([0.4 * angle, 0.9 + 0.05 * torch.sin(5 * angle), 0.8 * angle.sin()], dim=-1)
    return Motion(swings, root, fps, CANONICAL)


def recovered_root(features: Tensor) -> tuple[Tensor, Tensor]:
    """Turns (T, 3, 3) that undo the facing, and places (T, 3): sums of columns 0 to 3, as recover_root_rot_pos."""
    half = torch.cat([features.new_zeros(1), features[:-1, 0].cumsum(0)])
    seen = rot.about_y(2 * half)
    steps = torch.zeros(len(features), 3).to(features)
    steps[1:, [0, 2]] = features[:-1, 1:3]
    places = (seen.mT @ steps[..., None])[..., 0].cumsum(0)
    places[:, 1] = features[:, 3]
    return seen, places


def recovered_points(features: Tensor) -> Tensor:
    """Joints (T, 22, 3) from columns 0 to 66, as recover_from_ric."""
    seen, places = recovered_root(features)
    others = features[:, 4:67].view(len(features), 21, 3) @ seen
    others = others + places[:, None] * torch.tensor([1.0, 0.0, 1.0]).to(features)
    return torch.cat([places[:, None], others], dim=1)


def shape_of(points: Tensor) -> Tensor:
    """Distances of all pairs of joints over time: what no turn or shift of the whole changes."""
    return torch.cdist(points.flatten(0, 1), points.flatten(0, 1))


def test_joints_are_recovered_from_the_features_alone() -> None:
    motion = dancing()
    features = humanml3d_features(motion).double()
    assert features.shape == (60, 263)
    true = motion.positions[:60, :22].double()
    torch.testing.assert_close(shape_of(recovered_points(features)), shape_of(true), atol=2e-3, rtol=0)
    assert recovered_points(features)[..., 1].min().item() == pytest.approx(0.0, abs=1e-5)


def facing(points: Tensor) -> Tensor:
    """Yaw of joints (22, 3) by hips and shoulders."""
    left = points[1] - points[2] + points[16] - points[17]
    return torch.atan2(-left[2], left[0])


@pytest.mark.parametrize("chain", [LEFT_CHAIN, TRUNK_CHAIN, LEFT_ARM_CHAIN])
def test_bones_are_recovered_from_the_rotations(chain: list[int]) -> None:
    features = humanml3d_features(dancing()).double()
    points, (seen, _) = recovered_points(features), recovered_root(features)
    matrices = rot.sixd_to_matrix(features[:, 67:193].unflatten(1, (21, 6)))
    rest = {1: (1, 0, 0), 13: (1, 0, 0), 10: (0, 0, 1), 15: (0, 0, 1), **dict.fromkeys((3, 6, 9, 12), (0, 1, 0))}
    turned = seen
    # What is recovered starts facing as the smoothed direction does, by which the published convention turns joints
    # and rotations to opposite sides.
    apart = rot.about_y(-2 * facing(points[0]))
    for parent, joint in pairwise(chain):
        turned = turned @ matrices[:, joint - 1]
        direction = torch.nn.functional.normalize(points[:, joint] - points[:, parent], dim=-1)
        made = turned @ torch.tensor(rest.get(joint, (0, -1, 0)), dtype=torch.float64)
        torch.testing.assert_close(made, direction @ apart.mT, atol=5e-4, rtol=0)


def test_steps_of_the_joints_are_seen_from_the_facing_direction() -> None:
    features = humanml3d_features(dancing()).double()
    seen, _ = recovered_root(features)
    steps = torch.diff(recovered_points(features), dim=0) @ seen[:-1].mT
    torch.testing.assert_close(features[:-1, 193:259].view(-1, 22, 3), steps, atol=1e-4, rtol=0)


def test_a_straight_walk_that_faces_anywhere_goes_along_z() -> None:
    frames = 40
    still = torch.eye(3).expand(frames, 24, 3, 3).clone()
    root = torch.stack([torch.zeros(frames), torch.full((frames,), 0.9), 0.03 * torch.arange(frames)], dim=-1)
    walk = turn(Motion(still, root, 20.0, CANONICAL), torch.tensor(2.0))
    features = humanml3d_features(walk)
    torch.testing.assert_close(features[:, 1:3], torch.tensor([0.0, 0.03]).expand(39, 2), atol=1e-5, rtol=0)
    assert features[:, 259:].min() == 1  # 3 cm a frame: below the threshold
    running = replace(walk, root=walk.root * torch.tensor([2.0, 1.0, 2.0]))
    assert humanml3d_features(running)[:, 259:].max() == 0


def test_a_turn_to_the_left_is_negative_and_halved() -> None:
    frames = 200  # longer than the smoothing reaches
    angle = 0.02 * torch.arange(frames)
    turned = torch.eye(3).expand(frames, 24, 3, 3).clone()
    turned[:, 0] = rot.about_y(angle)
    features = humanml3d_features(Motion(turned, torch.tensor([0.0, 0.9, 0.0]).expand(frames, 3), 20.0, CANONICAL))
    torch.testing.assert_close(features[90:110, 0], torch.full((20,), -0.01), atol=1e-5, rtol=0)
    assert math.isclose(features[0, 3].item(), features[-1, 3].item(), abs_tol=1e-6)


def test_files_are_written_at_20_frames_per_second(tmp_path: Path) -> None:
    motion = resample(dancing(), 30.0)
    write_motion(motion, tmp_path / "in.npz")
    assert main(["convert", str(tmp_path / "in.npz"), str(tmp_path / "out.npy")]) == 0
    written = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert written.shape == (60, 263) and written.dtype == np.float32
    with pytest.raises(FormatError, match="at least two frames"):
        write_motion(motion.frames(0, 1), tmp_path / "short.npy")
    assert not (tmp_path / "short.npy").exists()


@pytest.mark.parametrize("kind", ["features", "joints"])
def test_features_and_positions_are_read(tmp_path: Path, kind: str) -> None:
    """Only what bends between the joints of the spine is judged anew."""
    motion = dancing()
    path = tmp_path / "000001.npy"
    if kind == "features":
        write_motion(motion, path)
    else:
        np.save(path, motion.positions[:, :22].numpy())
    found = read_motion(path)
    assert found.fps == 20.0
    limbs = [0, 1, 2, 4, 5, 7, 8, 12, 15, 16, 17, 18, 19, 20, 21]
    frames = found.num_frames
    assert frames == motion.num_frames - (kind == "features")
    wanted = shape_of(motion.positions[:frames, limbs])
    assert (shape_of(found.positions[:, limbs]) - wanted).abs().max() < 0.06


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 264)), np.zeros((0, 263)), np.full((4, 263), np.nan), np.array(["walk"])],
)
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(FormatError, match=r"\(T, 263\) of features|finite numbers"):
        read_motion(tmp_path / "a.npy")
