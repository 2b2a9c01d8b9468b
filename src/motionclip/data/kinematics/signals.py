"""Signals of a movement: what is measured in each frame, before it is decided what happens."""

from __future__ import annotations

import itertools
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.motion.mass import GRAVITY, centre_of_mass
from motionclip.motion.skeleton import ANKLE_HEIGHT, CANONICAL, FOOT_HEIGHT

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SIDES = ("left", "right")

#: Both soles are higher than this in a flight, metres, and the centre of mass falls at this share of gravity.
_AIR, _FALL = 0.03, 0.45


class Signals:
    """What is measured in each of T frames. Metres, seconds; y is up and the floor is y = 0.

    Args:
        positions: (T, 24, 3) world joint positions of the canonical skeleton.
        fps: frames per second.
    """

    def __init__(self, positions: Array, fps: float):
        self.positions, self.fps = smooth(positions, self._odd(0.1, fps)), fps
        self.num_frames = len(positions)

    @staticmethod
    def _odd(seconds: float, fps: float) -> int:
        return 2 * int(seconds * fps / 2) + 1

    def frames(self, seconds: float) -> int:
        """Returns the number of frames of a time, at least 1."""
        return max(round(seconds * self.fps), 1)

    def smooth(self, values: Array, seconds: float) -> Array:
        """Returns the mean over about ``seconds`` around each frame."""
        return smooth(values, self._odd(seconds, self.fps))

    def rate(self, values: Array) -> Array:
        """Returns the change per second."""
        return np.gradient(values, axis=0) * self.fps

    def joint(self, name: str) -> Array:
        """Returns (T, 3) positions of a joint."""
        return self.positions[:, CANONICAL.index(name)]

    def spread(self, name: str, start: int = 0, stop: int | None = None) -> float:
        """Returns how far a joint is from the middle of its path over the ground, at most."""
        path = self.joint(name)[start:stop, [0, 2]]
        return float(np.linalg.norm(path - path.mean(0), axis=1).max())

    @cached_property
    def yaw(self) -> Array:
        """(T,) radians that hips and shoulders face: 0 is +Z, positive is turned to the left; continuous."""
        across = self.joint("left_hip") - self.joint("right_hip")
        across = across + self.joint("left_shoulder") - self.joint("right_shoulder")
        return np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))

    @cached_property
    def axes(self) -> Array:
        """(T, 3, 3) rows: unit vectors to the body's left, up, and forward over the ground."""
        sine, cosine, zero = np.sin(self.yaw), np.cos(self.yaw), np.zeros(self.num_frames)
        left, up, forward = (cosine, zero, -sine), (zero, zero + 1, zero), (sine, zero, cosine)
        return np.stack([np.stack(axis, -1) for axis in (left, up, forward)], 1)

    def local(self, vectors: Array) -> Array:
        """Returns world vectors (T, 3) as (left, up, forward) of the body."""
        turned: Array = (self.axes @ vectors[..., None])[..., 0]
        return turned

    @cached_property
    def pelvis(self) -> Array:
        """(T,) height of the pelvis."""
        return self.joint("pelvis")[:, 1]

    @cached_property
    def trunk(self) -> Array:
        """(T, 3) unit vector from pelvis to neck as (left, up, forward) of the body."""
        along = self.joint("neck") - self.joint("pelvis")
        return self.local(along / np.linalg.norm(along, axis=1, keepdims=True))

    @cached_property
    def chest(self) -> Array:
        """(T,) upward component of the unit vector that the chest faces."""
        across = self.joint("left_shoulder") - self.joint("right_shoulder")
        front = np.cross(across, self.joint("neck") - self.joint("pelvis"))
        upward: Array = front[:, 1] / np.linalg.norm(front, axis=1)
        return upward

    @cached_property
    def mass(self) -> Array:
        """(T, 3) centre of mass."""
        return centre_of_mass(torch.from_numpy(self.positions)).numpy()

    @cached_property
    def soles(self) -> Array:
        """(T, 2) height of the left and the right sole's lowest point."""
        heights = [
            np.minimum(self.joint(f"{side}_ankle")[:, 1] - ANKLE_HEIGHT, self.joint(f"{side}_foot")[:, 1] - FOOT_HEIGHT)
            for side in SIDES
        ]
        return np.stack(heights, 1)

    @cached_property
    def flight(self) -> Mask:
        """(T,) whether nothing carries the body: both soles are off the floor and the centre of mass falls freely."""
        step = self.frames(0.067)
        height = np.pad(self.mass[:, 1], step, mode="edge")
        bent = (height[2 * step :] - 2 * height[step:-step] + height[: -2 * step]) * (self.fps / step) ** 2
        falls = bent < -_FALL * GRAVITY
        falls[:step] = falls[step] if self.num_frames > step else False
        falls[-step:] = falls[-step - 1] if self.num_frames > step else False
        return falls & (self.soles.min(1) > _AIR)

    @cached_property
    def velocity(self) -> Array:
        """(T, 3) velocity of the pelvis as (left, up, forward) of the body, smoothed over half a second."""
        return self.local(self.rate(self.smooth(self.joint("pelvis"), 0.5)))

    @cached_property
    def speed(self) -> Array:
        """(T,) speed of the pelvis over the ground, smoothed over half a second."""
        return np.hypot(self.velocity[:, 0], self.velocity[:, 2])

    @cached_property
    def upright(self) -> Mask:
        """(T,) whether the body stands on its feet, straight enough for its facing to mean something."""
        return (self.trunk[:, 1] > 0.8) & (self.pelvis - self.soles.min(1) > 0.78)

    @cached_property
    def on_feet(self) -> Mask:
        """(T,) whether the body is carried by its feet, upright or bent a little, as in all kinds of gaits."""
        return (self.trunk[:, 1] > 0.7) & (self.pelvis - self.soles.min(1) > 0.6)

    @cached_property
    def feet_yaw(self) -> Array:
        """(T,) radians that the feet point to, their mean direction over the ground; continuous."""
        feet = [self.joint(f"{side}_foot") - self.joint(f"{side}_ankle") for side in SIDES]
        along = sum(foot / np.linalg.norm(foot[:, [0, 2]], axis=1, keepdims=True) for foot in feet)
        return np.unwrap(np.arctan2(along[:, 0], along[:, 2]))

    @cached_property
    def facing_known(self) -> bool:
        """Whether the trunk is never so level that the body's facing is vague."""
        return bool(self.trunk[:, 1].min() > 0.5)


def smooth(values: Array, width: int) -> Array:
    """Returns the mean over ``width`` (odd) frames around each, the ends repeated."""
    if width < 3:
        return values
    half = width // 2
    padded = np.concatenate([np.repeat(values[:1], half + 1, 0), values, np.repeat(values[-1:], half, 0)])
    total = np.cumsum(padded, 0)
    mean: Array = (total[width:] - total[:-width]) / width
    return mean


def spans(loose: Mask, strict: Mask | None = None, least: int = 1) -> list[tuple[int, int]]:
    """Returns the runs (first, end) of ``loose``, of ``least`` frames or more, that hold a frame of ``strict``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loose.view(np.int8), [0]]))).tolist()
    runs = zip(edges[::2], edges[1::2], strict=True)
    return [(a, b) for a, b in runs if b - a >= least and (strict is None or strict[a:b].any())]


def turning_points(values: Array, least: float) -> list[int]:
    """Returns the first frame, those where a signal turns after going up or down by ``least`` or more, and the last."""
    row: list[float] = values.tolist()
    points, way, low, high = [0], 0, 0, 0
    for index, value in enumerate(row):
        low, high = index if value < row[low] else low, index if value > row[high] else high
        if way <= 0 and value - row[low] >= least:
            points.append(low)
            way, high = 1, index
        elif way >= 0 and row[high] - value >= least:
            points.append(high)
            way, low = -1, index
    return sorted({*points, len(row) - 1})


def swings(values: Array, least: float) -> int:
    """Returns how often a signal goes up or down by ``least`` or more, in turn."""
    points = turning_points(values, least)
    return sum(abs(values[b] - values[a]) >= least for a, b in itertools.pairwise(points))
