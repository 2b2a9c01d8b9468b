"""Procedural movement on the canonical skeleton: joint angles over time, and a root driven by the standing foot.

Angles are degrees about the joint's axes in the rest pose; a joint's rotation is Rx Rz Ry. So for the
legs and the spine x bends in the walking plane (a thigh swings forward for negative x, the spine bows
for positive x), for a shoulder z lowers the arm out of the T-pose, and y turns an arm forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from motionclip.motion import CANONICAL, Motion, forward_kinematics
from motionclip.motion import rotations as rot
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

FPS = 30.0
GRAVITY = 9.81

#: Angles (x, y, z) in degrees of some joints; the others are at rest.
Pose = Mapping[str, tuple[float, float, float]]

#: Standing with the arms hanging down.
STAND: Pose = {
    "left_shoulder": (0, 0, -74),
    "right_shoulder": (0, 0, 74),
    "left_elbow": (0, -12, 0),
    "right_elbow": (0, 12, 0),
}


@dataclass(frozen=True, eq=False)
class Track:
    """Angles over time.

    Attributes:
        angles: (T, 24, 3) degrees about x, y, z.
        yaw: (T,) degrees that the body faces away from +Z, towards +X.
        air: (T,) metres between the lowest sole and the floor.
        stance: (T,) the foot that stands, 0 left or 1 right; where None, the lower one.
        glide: the horizontal speed is this many times the standing foot's, smoothed; 0 plants the foot.
    """

    angles: np.ndarray
    yaw: np.ndarray
    air: np.ndarray
    stance: np.ndarray | None = None
    glide: float = 0.0


def hold(frames: int) -> Track:
    """Standing still for ``frames`` frames."""
    return keyframes([(0.0, STAND), (1.0, STAND)], frames)


def keyframes(keys: Sequence[tuple[float, Pose]], frames: int) -> Track:
    """Poses at times from 0 to 1, eased in and out; joints that a pose leaves out stand as in ``STAND``."""
    angles = np.zeros((frames, CANONICAL.num_joints, 3))
    times = np.linspace(0, 1, frames)
    stops = np.array([time for time, _ in keys])
    poses = np.stack([_dense(pose) for _, pose in keys])
    after = np.clip(np.searchsorted(stops, times, side="right"), 1, len(stops) - 1)
    weight = np.clip((times - stops[after - 1]) / (stops[after] - stops[after - 1]), 0, 1)
    weight = (weight**2 * (3 - 2 * weight))[:, None, None]
    angles = (1 - weight) * poses[after - 1] + weight * poses[after]
    return Track(angles, np.zeros(frames), np.zeros(frames))


def gait(
    frames: int, cadence: float, stride: float, *, knee: float = 55.0, arms: float = 25.0, lean: float = 3.0
) -> Track:
    """Steps on the spot of the joints; ``to_motion`` makes them travel.

    Args:
        frames: T.
        cadence: strides (two steps) per second; negative walks backwards.
        stride: degrees that a thigh swings to each side.
        knee: degrees that the knee of the swinging leg bends.
        arms: degrees that the arms swing.
        lean: degrees that the trunk leans forward.
    """
    track = hold(frames)
    phase = 2 * np.pi * cadence * np.arange(frames) / FPS
    for side, shift in (("left", 0.0), ("right", np.pi)):
        swing, forward = np.sin(phase + shift), np.cos(phase + shift)
        hip = -stride * swing - 0.15 * stride
        bend = 8 + knee * np.clip(forward, 0, None) ** 1.5
        standing = 1 / (1 + np.exp(6 * forward))
        _set(track, f"{side}_hip", 0, hip)
        _set(track, f"{side}_knee", 0, bend)
        _set(track, f"{side}_ankle", 0, -(hip + bend) * (0.8 + 0.2 * standing))
        _set(track, f"{side}_shoulder", 0, arms * swing)
    _set(track, "spine1", 0, lean)
    _set(track, "spine3", 1, -4 * np.sin(phase))
    return replace(track, stance=(np.cos(phase) > 0).astype(int))


def jump(frames: int, height: float) -> Track:
    """Crouch, leap ``height`` metres, land softly."""
    crouch = {**STAND, **squat_pose(0.45), "left_shoulder": (40, 0, -70), "right_shoulder": (40, 0, 70)}
    leap = {**STAND, "left_shoulder": (-120, 0, -70), "right_shoulder": (-120, 0, 70), **_toes(35)}
    flight = 2 * np.sqrt(2 * height / GRAVITY) * FPS / frames  # share of the time
    up, down = 0.4, 0.4 + flight
    keys = [(0.0, STAND), (0.25, crouch), (up, leap), (down, leap), (min(down + 0.15, 0.9), crouch), (1.0, STAND)]
    track = keyframes(keys, frames)
    share = (np.linspace(0, 1, frames) - up) / flight
    track.air[:] = np.where((share > 0) & (share < 1), 4 * height * share * (1 - share), 0)
    return track


def squat_pose(depth: float) -> dict[str, tuple[float, float, float]]:
    """A squat with flat feet; ``depth`` 1 has the thighs about level."""
    hip, knee, pelvis = -95 * depth, 115 * depth, 22 * depth
    pose = {"pelvis": (pelvis, 0.0, 0.0), "spine1": (8 * depth, 0.0, 0.0)}
    for side in ("left", "right"):
        pose[f"{side}_hip"] = (hip - pelvis, 0.0, 0.0)
        pose[f"{side}_knee"] = (knee, 0.0, 0.0)
        pose[f"{side}_ankle"] = (-(hip + knee), 0.0, 0.0)
    return pose


def wave(track: Track, joint: str, axis: int, degrees: float, hertz: float) -> Track:
    """Add a swing of ``degrees`` to one angle, faded in and out."""
    frames = len(track.yaw)
    fade = np.sin(np.pi * np.linspace(0, 1, frames)) ** 0.5
    _set(track, joint, axis, degrees * fade * np.sin(2 * np.pi * hertz * np.arange(frames) / FPS), add=True)
    return track


def to_motion(track: Track) -> Motion:
    """The motion whose lower foot stands still on the floor y = 0, or is ``air`` above it."""
    radians = torch.from_numpy(np.deg2rad(track.angles)).float()
    turned = [rot.rotvec_to_matrix(radians[..., axis, None] * torch.eye(3)[axis]) for axis in (0, 2, 1)]
    rotations = turned[0] @ turned[1] @ turned[2]
    yaw = rot.about_y(torch.from_numpy(np.deg2rad(track.yaw)).float())
    rotations[:, 0] = yaw @ rotations[:, 0]
    positions = forward_kinematics(rotations, torch.zeros(len(yaw), 3), CANONICAL)[1]
    lower = _soles(positions).argmin(-1)
    root = _drive(positions, lower if track.stance is None else torch.from_numpy(track.stance), track.glide)
    root[:, 1] = torch.from_numpy(track.air).float() - _soles(positions).amin(-1)
    return Motion(rotations, root, FPS, CANONICAL)


def _drive(positions: Tensor, stance: Tensor, glide: float) -> Tensor:
    """Root path (T, 3) that keeps the standing foot (T,) where it is; heights are left at zero."""
    feet = positions[:, CANONICAL.indices(["left_foot", "right_foot"])]
    steps = -(feet[1:] - feet[:-1])[torch.arange(len(stance) - 1), stance[1:]]
    steps[:, 1] = 0
    if glide:
        width = 2 * (int(FPS) // 3) + 1
        padded = torch.nn.functional.pad(steps.T[None], (width // 2, width // 2), mode="replicate")
        steps = glide * torch.nn.functional.avg_pool1d(padded, width, stride=1)[0].T
    return torch.cat([torch.zeros(1, 3), steps.cumsum(0)])


def _soles(positions: Tensor) -> Tensor:
    """(T, 2) height of the left and the right sole."""
    ankle = positions[:, CANONICAL.indices(["left_ankle", "right_ankle"]), 1] - ANKLE_HEIGHT
    toe = positions[:, CANONICAL.indices(["left_foot", "right_foot"]), 1] - FOOT_HEIGHT
    return torch.minimum(ankle, toe)


def _toes(degrees: float) -> dict[str, tuple[float, float, float]]:
    return {f"{side}_ankle": (degrees, 0.0, 0.0) for side in ("left", "right")}


def _dense(pose: Pose) -> np.ndarray:
    angles = np.zeros((CANONICAL.num_joints, 3))
    for name, values in {**STAND, **pose}.items():
        angles[CANONICAL.index(name)] = values
    return angles


def _set(track: Track, joint: str, axis: int, values: np.ndarray | float, add: bool = False) -> None:
    column = track.angles[:, CANONICAL.index(joint), axis]
    column[:] = column + values if add else values
