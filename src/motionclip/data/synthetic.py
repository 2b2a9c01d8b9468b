"""A procedural source: simple movements with captions, for tests and first steps without a download.

Movements are joint angles over time on the canonical skeleton; the root follows from the standing foot. Angles are
degrees about a joint's axes in the rest pose, applied as Rx Rz Ry. For the legs and the spine, x bends in the walking
plane (a thigh swings forward for negative x, the spine bows for positive x); for a shoulder, z lowers the arm out of
the T-pose and y turns it forward.

Clip ``i`` depends on the seed and on ``i`` only. Of every ten clips of a movement eight are for training, one is for
validation and one for testing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motionclip.data.clip import Caption, Clip, Source
from motionclip.data.store import FPS
from motionclip.motion import CANONICAL, Motion, forward_kinematics
from motionclip.motion import rotations as rot
from motionclip.motion.mass import GRAVITY
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

DATASET = "synthetic"

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
    """Joint angles over T frames, and what the root's path follows from.

    Attributes:
        angles: (T, 24, 3) degrees about x, y, z.
        yaw: (T,) degrees that the body is turned from +Z towards +X.
        air: (T,) metres between the lowest sole and the floor.
        stance: (T,) the standing foot, 0 left or 1 right; if None, the lower one.
        glide: smoothed horizontal speed of the root in multiples of the standing foot's relative speed; with 0 the foot
            is locked instead.
    """

    angles: np.ndarray
    yaw: np.ndarray
    air: np.ndarray
    stance: np.ndarray | None = None
    glide: float = 0.0


def hold(frames: int) -> Track:
    """Returns a track of standing still for ``frames`` frames."""
    return keyframes([(0.0, STAND), (1.0, STAND)], frames)


def keyframes(keys: Sequence[tuple[float, Pose]], frames: int) -> Track:
    """Returns poses at times from 0 to 1, eased in and out; joints that a pose leaves out are as in ``STAND``."""
    times = np.linspace(0, 1, frames)
    stops = np.array([time for time, _ in keys])
    poses = np.zeros((len(keys), CANONICAL.num_joints, 3))
    for number, (_, pose) in enumerate(keys):
        for name, angles in {**STAND, **pose}.items():
            poses[number, CANONICAL.index(name)] = angles
    after = np.clip(np.searchsorted(stops, times, side="right"), 1, len(stops) - 1)
    weight = np.clip((times - stops[after - 1]) / (stops[after] - stops[after - 1]), 0, 1)
    weight = (weight**2 * (3 - 2 * weight))[:, None, None]  # smoothstep
    return Track((1 - weight) * poses[after - 1] + weight * poses[after], np.zeros(frames), np.zeros(frames))


def gait(
    frames: int, cadence: float, stride: float, *, knee: float = 55.0, arms: float = 25.0, lean: float = 3.0
) -> Track:
    """Returns the joint angles of walking or running, which ``to_motion`` makes travel.

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
    """Returns a crouch, a leap of ``height`` metres and a soft landing."""
    crouch = {**STAND, **squat_pose(0.45), "left_shoulder": (40, 0, -70), "right_shoulder": (40, 0, 70)}
    leap = {**STAND, "left_shoulder": (-120, 0, -70), "right_shoulder": (-120, 0, 70)}
    leap |= {"left_ankle": (35, 0, 0), "right_ankle": (35, 0, 0)}
    flight = 2 * np.sqrt(2 * height / GRAVITY) * FPS / frames  # t = 2 sqrt(2 h / g), as a share of the time
    up, down = 0.4, 0.4 + flight
    keys = [(0.0, STAND), (0.25, crouch), (up, leap), (down, leap), (min(down + 0.15, 0.9), crouch), (1.0, STAND)]
    track = keyframes(keys, frames)
    share = (np.linspace(0, 1, frames) - up) / flight
    track.air[:] = np.where((share > 0) & (share < 1), 4 * height * share * (1 - share), 0)
    return track


def squat_pose(depth: float) -> dict[str, tuple[float, float, float]]:
    """Returns a squat with flat feet; with ``depth`` 1 the thighs are about level."""
    hip, knee, pelvis = -95 * depth, 115 * depth, 22 * depth
    pose = {"pelvis": (pelvis, 0.0, 0.0), "spine1": (8 * depth, 0.0, 0.0)}
    for side in ("left", "right"):
        pose[f"{side}_hip"] = (hip - pelvis, 0.0, 0.0)
        pose[f"{side}_knee"] = (knee, 0.0, 0.0)
        pose[f"{side}_ankle"] = (-(hip + knee), 0.0, 0.0)
    return pose


def oscillate(track: Track, joint: str, axis: int, degrees: float, hertz: float) -> Track:
    """Adds a sine of ``degrees`` to one angle, faded in and out; returns the track."""
    frames = len(track.yaw)
    fade = np.sin(np.pi * np.linspace(0, 1, frames)) ** 0.5
    _set(track, joint, axis, degrees * fade * np.sin(2 * np.pi * hertz * np.arange(frames) / FPS), add=True)
    return track


def to_motion(track: Track) -> Motion:
    """Returns the motion of a track: its lowest sole is on the floor y = 0, or ``air`` above it."""
    radians = torch.from_numpy(np.deg2rad(track.angles)).float()
    turned = [rot.rotvec_to_matrix(radians[..., axis, None] * torch.eye(3)[axis]) for axis in (0, 2, 1)]
    rotations = turned[0] @ turned[1] @ turned[2]
    yaw = rot.about_y(torch.from_numpy(np.deg2rad(track.yaw)).float())
    rotations[:, 0] = yaw @ rotations[:, 0]
    positions = forward_kinematics(rotations, torch.zeros(len(yaw), 3), CANONICAL)[1]
    lower = _soles(positions).argmin(-1)
    stance = lower if track.stance is None else torch.from_numpy(track.stance)
    feet = positions[:, CANONICAL.indices(["left_foot", "right_foot"])]
    steps = -(feet[1:] - feet[:-1])[torch.arange(len(stance) - 1), stance[1:]]  # keep the standing foot where it is
    steps[:, 1] = 0
    if track.glide:
        width = 2 * (int(FPS) // 3) + 1
        padded = torch.nn.functional.pad(steps.T[None], (width // 2, width // 2), mode="replicate")
        steps = track.glide * torch.nn.functional.avg_pool1d(padded, width, stride=1)[0].T
    root = torch.cat([torch.zeros(1, 3), steps.cumsum(0)])
    root[:, 1] = torch.from_numpy(track.air).float() - _soles(positions).amin(-1)
    return Motion(rotations, root, FPS, CANONICAL)


def _soles(positions: Tensor) -> Tensor:
    """Returns the heights (T, 2) of the left and the right sole."""
    ankle = positions[:, CANONICAL.indices(["left_ankle", "right_ankle"]), 1] - ANKLE_HEIGHT
    toe = positions[:, CANONICAL.indices(["left_foot", "right_foot"]), 1] - FOOT_HEIGHT
    return torch.minimum(ankle, toe)


def _set(track: Track, joint: str, axis: int, values: np.ndarray | float, add: bool = False) -> None:
    column = track.angles[:, CANONICAL.index(joint), axis]
    column[:] = column + values if add else values


#: Names of three speeds, the factor of each, and the word that says it.
SPEEDS = (("normal", 1.0, ""), ("slow", 0.7, " slowly"), ("fast", 1.35, " quickly"))

#: Sign of y and z angles on a side, and the other side.
_SIDES = {"left": (-1.0, "right"), "right": (1.0, "left")}


def _frames(rng: np.random.Generator, speed: float, seconds: float) -> int:
    return round(seconds * FPS / speed * rng.uniform(0.9, 1.1))


def _walk(rng: np.random.Generator, speed: float, way: float = 1.0, turn: float = 0.0) -> Track:
    frames = round(3 * FPS)
    track = gait(frames, way * 0.9 * speed * rng.uniform(0.95, 1.05), 24 * speed**0.5 * rng.uniform(0.9, 1.1))
    return replace(track, yaw=turn * rng.uniform(0.8, 1.1) * np.linspace(0, 1, frames))


def _run(rng: np.random.Generator, speed: float) -> Track:
    frames, cadence = round(2.5 * FPS), 1.4 * speed**0.5
    track = gait(frames, cadence, 36 * rng.uniform(0.9, 1.1), knee=95, arms=40, lean=10)
    for joint, y in (("left_elbow", -85), ("right_elbow", 85)):
        track.angles[:, CANONICAL.index(joint), 1] = y
    hop = np.sin(2 * np.pi * cadence * np.arange(frames) / FPS)
    return replace(track, air=0.07 * hop**2, glide=1.2)


def _turn(rng: np.random.Generator, speed: float, degrees: float) -> Track:
    frames = _frames(rng, speed, 2.5)
    track = gait(frames, 1.1 * speed, 4, knee=30, arms=6, lean=0)
    return replace(track, yaw=degrees * np.linspace(0, 1, frames))


def _arm(side: str, shoulder: tuple[float, float, float], elbow: tuple[float, float, float]) -> Pose:
    """Returns the pose of an arm whose angles are given for the right side."""
    sign = _SIDES[side][0]
    return {
        f"{side}_shoulder": (shoulder[0], sign * shoulder[1], sign * shoulder[2]),
        f"{side}_elbow": (elbow[0], sign * elbow[1], sign * elbow[2]),
    }


def _wave(rng: np.random.Generator, speed: float, side: str) -> Track:
    up = {**STAND, **_arm(side, (0, 10, rng.uniform(-10, 5)), (0, 0, -75))}
    track = keyframes([(0, STAND), (0.2, up), (0.8, up), (1, STAND)], _frames(rng, 1, 3))
    return oscillate(track, f"{side}_elbow", 2, rng.uniform(20, 30), 1.6 * speed)


def _raise(rng: np.random.Generator, speed: float, *sides: str) -> Track:
    height = rng.uniform(-82, -70)
    up = dict(STAND)
    for side in sides:
        up.update(_arm(side, (0, 15, height), (0, 5, 0)))
    return keyframes([(0, STAND), (0.35, up), (0.65, up), (1, STAND)], _frames(rng, speed, 2.5))


def _bow(rng: np.random.Generator, speed: float) -> Track:
    deep = rng.uniform(25, 35)
    down = {**STAND, "pelvis": (deep, 0, 0), "left_hip": (-deep, 0, 0), "right_hip": (-deep, 0, 0)}
    down |= {"spine1": (12, 0, 0), "spine2": (10, 0, 0), "neck": (12, 0, 0)}
    return keyframes([(0, STAND), (0.4, down), (0.6, down), (1, STAND)], _frames(rng, speed, 2.5))


def _kick(rng: np.random.Generator, speed: float, side: str) -> Track:
    back = {**STAND, f"{side}_hip": (20, 0, 0), f"{side}_knee": (60, 0, 0)}
    front = {**STAND, f"{side}_hip": (-rng.uniform(70, 90), 0, 0), f"{side}_knee": (8, 0, 0), "spine1": (-8, 0, 0)}
    keys = [(0, STAND), (0.3, back), (0.5, front), (0.6, front), (1, STAND)]
    track = keyframes(keys, _frames(rng, speed, 2))
    return replace(track, stance=np.full(len(track.yaw), ("left", "right").index(_SIDES[side][1])))


def _punch(rng: np.random.Generator, speed: float, side: str) -> Track:
    guard = {**STAND, **_arm("left", (0, 10, 65), (0, 115, 0)), **_arm("right", (0, 10, 65), (0, 115, 0))}
    hit = {**guard, **_arm(side, (0, rng.uniform(80, 90), 5), (0, 5, 0)), "spine3": (0, _SIDES[side][0] * 20, 0)}
    keys = [(0, STAND), (0.25, guard), (0.45, hit), (0.55, hit), (0.75, guard), (1, STAND)]
    return keyframes(keys, _frames(rng, speed, 2))


def _squat(rng: np.random.Generator, speed: float) -> Track:
    down = {**STAND, **squat_pose(rng.uniform(0.8, 1.0))}
    down |= {**_arm("left", (0, 80, 10), (0, 5, 0)), **_arm("right", (0, 80, 10), (0, 5, 0))}
    return keyframes([(0, STAND), (0.45, down), (0.55, down), (1, STAND)], _frames(rng, speed, 2.5))


def _jump(rng: np.random.Generator, speed: float) -> Track:
    return jump(_frames(rng, 1, 2), 0.3 * speed**0.5 * rng.uniform(0.8, 1.2))


def _stand(rng: np.random.Generator, speed: float) -> Track:
    track = hold(_frames(rng, 1, 2.5))
    return oscillate(track, "spine2", 0, rng.uniform(1, 2), 0.3 * speed)


@dataclass(frozen=True)
class Movement:
    """One kind of movement.

    Attributes:
        name: the clips' category.
        make: returns a track at a speed, varied by the generator.
        third: verb phrases in the third person, "walks".
        base: the same as an order, "walk".
    """

    name: str
    make: Callable[[np.random.Generator, float], Track]
    third: tuple[str, ...]
    base: str


def _sided(
    name: str, make: Callable[[np.random.Generator, float, str], Track], third: str, base: str
) -> list[Movement]:
    """Returns a movement for each side, whose name replaces ``%s`` in the phrases."""
    return [
        Movement(f"{name}-{side}", lambda rng, speed, side=side: make(rng, speed, side), (third % side,), base % side)  # type: ignore[misc]
        for side in _SIDES
    ]


MOVEMENTS: tuple[Movement, ...] = (
    Movement("walk", _walk, ("walks", "walks forward"), "walk"),
    Movement("walk-back", lambda r, v: _walk(r, v, way=-1), ("walks backwards", "walks back"), "walk backwards"),
    Movement("walk-turn-left", lambda r, v: _walk(r, v, turn=100), ("walks and turns left",), "walk and turn left"),
    Movement("walk-turn-right", lambda r, v: _walk(r, v, turn=-100), ("walks and turns right",), "walk and turn right"),
    Movement("run", _run, ("runs", "runs forward"), "run"),
    Movement("turn-left", lambda r, v: _turn(r, v, 180), ("turns around to the left in place",), "turn left in place"),
    Movement(
        "turn-right", lambda r, v: _turn(r, v, -180), ("turns around to the right in place",), "turn right in place"
    ),
    *_sided("wave", _wave, "waves with the %s hand", "wave the %s hand"),
    *_sided("raise", _raise, "raises the %s hand", "raise the %s hand"),
    Movement("raise-both", lambda r, v: _raise(r, v, "left", "right"), ("raises both hands",), "raise both hands"),
    *_sided("kick", _kick, "kicks with the %s leg", "kick with the %s leg"),
    *_sided("punch", _punch, "punches with the %s hand", "punch with the %s hand"),
    Movement("bow", _bow, ("bows", "bends forward"), "bow"),
    Movement("squat", _squat, ("squats", "crouches down and stands up"), "squat"),
    Movement("jump", _jump, ("jumps", "jumps up"), "jump"),
    Movement("stand", _stand, ("stands still", "stands"), "stand still"),
)


@dataclass(frozen=True)
class SyntheticClip:
    """Clip ``index`` of a seed."""

    index: int
    seed: int

    @property
    def key(self) -> str:
        return f"synthetic_{self.seed}_{self.index:05d}"

    @property
    def path(self) -> Path | None:
        return None

    def read(self) -> Clip:
        """Returns the clip, on the canonical skeleton at 30 fps."""
        turn, which = divmod(self.index, len(MOVEMENTS))
        movement, (style, speed, adverb) = MOVEMENTS[which], SPEEDS[turn % len(SPEEDS)]
        motion = to_motion(movement.make(np.random.default_rng([self.seed, self.index]), speed))
        texts = [f"a person {verb}{adverb}" for verb in movement.third] + [movement.base + adverb]
        captions = tuple(Caption(text, 0.0, motion.duration) for text in texts)
        split = {8: "val", 9: "test"}.get(turn % 10, "train")
        return Clip(self.key, DATASET, split, motion, captions, movement.name, style)


def synthetic_source(count: int = 600, seed: int = 0) -> Source:
    """Returns the first ``count`` clips of ``seed``; 600 hold each movement at three speeds in every split."""
    return Source(f"synthetic:{count}", tuple(SyntheticClip(index, seed) for index in range(count)))
