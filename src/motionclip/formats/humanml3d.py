"""HumanML3D's files (.npy): 263 features a frame, which the field's evaluators of text to motion read, or positions.

Definition: Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", CVPR 2022, section 3, and, where it
is silent, motion_representation.ipynb of https://github.com/EricGuo5513/HumanML3D. 22 joints, 20 frames per second; of
T frames T - 1 rows. The facing direction is smoothed over frames; *seen* means turned by it to face +Z.

=======  =====================================================================================
columns  of frame t
=======  =====================================================================================
0        half of the turn about Y to the next frame, radians, negative to the left
1:3      step of the root to the next frame, x and z, metres, seen from the next frame
3        height of the root, metres
4:67     joints 1 to 21, seen, above the point below the root, metres
67:193   rotations of joints 1 to 21 as 6D (columns), each the smallest that brings the bone there
193:259  steps of all joints to the next frame, seen, metres
259:263  left ankle, left foot, right ankle, right foot: on the floor, by their steps alone
=======  =====================================================================================

Both are read (`formats.npy`): the features by columns 0 to 66, whose joint positions are followed by inverse
kinematics, and the data set's ``new_joints``, which are positions (T, 22, 3).

What differs from the published files in those that are written: they are on bones of the length of one subject of
AMASS, which is not ours to ship; here the bones are those of the canonical skeleton, about as long.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv1d, normalize, pad

from motionclip.errors import FormatError
from motionclip.formats.files import replacing
from motionclip.formats.joint_table import fitted
from motionclip.motion import CANONICAL, Motion, horizontal, resample
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES
from motionclip.motion.retarget import on_canonical

FPS = 20.0
NUM_JOINTS = 22
#: Half an hour at the data set's rate, for which reading takes less than 1 GB (benchmarks/largest_files.py).
MOST_FRAMES = 36_000

#: What is read, by the shape of a frame.
LAYOUTS = {
    (263,): "features",
    (NUM_JOINTS, 3): "joint positions",
    (CANONICAL.num_joints, 3): "joint positions",
}

#: Squared step in m^2 below which a foot joint is on the floor.
_STILL = 0.002
#: Spread in frames of the smoothing of the facing direction, and how far its kernel reaches.
_SPREAD, _REACH = 20, 80
#: Bones whose rest direction is not down: those of the trunk, of the hips and collars, and of toes and head.
_UP, _DOWN = (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)
_LEFT, _RIGHT, _FORWARD = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
_BONES = {
    **dict.fromkeys(("spine1", "spine2", "spine3", "neck"), _UP),
    **dict.fromkeys(("left_hip", "left_collar"), _LEFT),
    **dict.fromkeys(("right_hip", "right_collar"), _RIGHT),
    **dict.fromkeys(("left_foot", "right_foot", "head"), _FORWARD),
}


def humanml3d_features(motion: Motion) -> Tensor:
    """Features (T - 1, 263), float32, of a motion of T frames at 20 frames per second.

    Other rates are resampled, other skeletons retargeted.

    Raises:
        MotionError: if the motion is shorter than two such frames.
        SkeletonError: if no human body is found in its skeleton.
    """
    points = _placed(resample(on_canonical(motion), FPS).positions[:, :NUM_JOINTS].double())
    yaw = _smooth_yaw(points)
    seen = rot.about_y(-yaw)  # (T, 3, 3)
    steps = torch.diff(points, dim=0)
    turns = torch.diff(yaw)
    root_step = (seen[1:] @ steps[:, 0, :, None])[:, [0, 2], 0]
    local = _turned(seen, points - horizontal(points[:, :1]))[:-1]
    still = steps[:, CONTACT_INDICES].square().sum(dim=-1) < _STILL
    columns = (
        -torch.atan2(turns.sin(), turns.cos())[:, None] / 2,
        root_step,
        points[:-1, 0, 1:2],
        local[:, 1:].flatten(1),
        rot.matrix_to_sixd(_bone_rotations(points, seen))[:-1].flatten(1),
        _turned(seen[:-1], steps).flatten(1),
        still.double(),
    )
    return torch.cat(columns, dim=1).float()


def humanml3d_motion(path: str | Path, values: Tensor, fps: float | None = None) -> Motion:
    """Returns the motion of the features or joint positions of a file, on the canonical skeleton.

    Args:
        path: the file, for messages.
        values: (T, 263); or (T, 22, 3), or (T, 24, 3) of all joints of SMPL.
        fps: frames per second, which the file does not say; 20 if not given, as the data set has.

    Raises:
        FormatError: if they show no body.
    """
    points = values if values.ndim == 3 else _recovered_points(values)
    return fitted(path, points, CANONICAL.names[: points.shape[1]], fps or FPS)


def _recovered_points(features: Tensor) -> Tensor:
    """Joints (T, 22, 3) of features (T, 263): turns and steps summed up, and the joints seen from there."""
    zero = features.new_zeros(1)
    seen = rot.about_y(2 * torch.cat([zero, features[:-1, 0].cumsum(0)]))
    steps = torch.stack([features[:-1, 1], torch.zeros_like(features[:-1, 1]), features[:-1, 2]], dim=-1)
    path = (seen[1:].mT @ steps[..., None])[..., 0].cumsum(0)
    ground = torch.cat([features.new_zeros(1, 3), path])
    others = features[:, 4:67].view(len(features), NUM_JOINTS - 1, 3) @ seen + ground[:, None]
    root = ground + features[:, 3, None] * features.new_tensor(rot.Y_AXIS)
    return torch.cat([root[:, None], others], dim=1)


def write_humanml3d(motion: Motion, path: str | Path) -> None:
    """Writes the features as one array (T - 1, 263) of float32.

    Raises:
        FormatError: if the motion is shorter than two frames at 20 frames per second.
        SkeletonError: if no human body is found in its skeleton.
    """
    features = humanml3d_features(motion)
    if not len(features):
        raise FormatError(
            path, f"a motion of {motion.duration:.2f} s has no row", "at least two frames at 20 per second"
        )
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, features.numpy(), allow_pickle=False)


def _turned(turns: Tensor, points: Tensor) -> Tensor:
    """Points (T, J, 3) turned frame by frame by (T, 3, 3)."""
    return points @ turns.mT


def _placed(points: Tensor) -> Tensor:
    """Points (T, 22, 3) with the lowest on the floor, starting above the origin and facing +Z."""
    hips, shoulders = _across(points[0])
    points = points - horizontal(points[0, :1])
    points = points @ rot.about_y(-rot.yaw_of_left(hips + shoulders)).mT
    return points - points[..., 1].min() * points.new_tensor(rot.Y_AXIS)


def _across(points: Tensor) -> tuple[Tensor, Tensor]:
    """From the right hip to the left one, and the same of the shoulders: (..., 3) of points (..., 22, 3)."""
    index = CANONICAL.index
    hips = points[..., index("left_hip"), :] - points[..., index("right_hip"), :]
    return hips, points[..., index("left_shoulder"), :] - points[..., index("right_shoulder"), :]


def _smooth_yaw(points: Tensor) -> Tensor:
    """Facing direction (T,) of points (T, 22, 3), smoothed: 0 is +Z, positive to the left.

    The published code takes the hips the wrong way round here, so that they count against the shoulders; evaluators
    were trained on that, so it is kept.
    """
    hips, shoulders = _across(points)
    left = normalize(shoulders - hips, dim=-1)
    facing = torch.linalg.cross(left, left.new_tensor(rot.Y_AXIS).expand_as(left))  # (T, 3)
    reach = torch.arange(-_REACH, _REACH + 1, dtype=facing.dtype)
    kernel = torch.exp(-(reach**2) / (2 * _SPREAD**2))
    held = pad(facing.T[:, None], (_REACH, _REACH), mode="replicate")  # (3, 1, T + 2 reach)
    smooth = conv1d(held, (kernel / kernel.sum())[None, None])[:, 0].T
    return torch.atan2(smooth[:, 0], smooth[:, 2])


def _bone_rotations(points: Tensor, seen: Tensor) -> Tensor:
    """Rotations (T, 21, 3, 3) of the bones that end in joints 1 to 21, each in the frame of the bone before it.

    Arms begin anew in the frame of the root, whatever the spine does.
    """
    turned: dict[int, Tensor] = {}
    local = []
    for joint in range(1, NUM_JOINTS):
        name, parent = CANONICAL.names[joint], CANONICAL.parents[joint]
        rest = points.new_tensor(_BONES.get(name, _DOWN))
        bone = normalize(points[:, joint] - points[:, parent], dim=-1)
        world = rot.shortest_arc(rest.expand_as(bone), bone)
        before = seen if parent == 0 or name.endswith("collar") else turned[parent]
        local.append(before.mT @ world)
        turned[joint] = world
    return torch.stack(local, dim=1)
