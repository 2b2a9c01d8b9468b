"""Bodies in the world, as constraints see them, and where a motion starts in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motionclip.motion import Motion, heading, turn
from motionclip.motion import rotations as rot


@dataclass(frozen=True)
class Place:
    """Where a body stands on the floor, and faces.

    Attributes:
        yaw: its heading, radians: 0 faces +Z, positive turns towards +X.
        x: metres.
        z: metres.
    """

    yaw: float = 0.0
    x: float = 0.0
    z: float = 0.0

    @classmethod
    def of(cls, motion: Motion, frame: int = 0) -> Place:
        """Returns where a body is in a frame of a motion."""
        x, _, z = motion.root[frame].tolist()
        return cls(heading(motion.frames(frame, frame + 1))[0].item(), x, z)

    def to_world(self, points: Tensor) -> Tensor:
        """Returns points (..., 3) that are given as seen from here in the world."""
        return points @ self.turned(points).mT + points.new_tensor([self.x, 0.0, self.z])

    def from_world(self, points: Tensor) -> Tensor:
        """Returns points (..., 3) of the world as they are seen from here."""
        return (points - points.new_tensor([self.x, 0.0, self.z])) @ self.turned(points)

    def turned(self, like: Tensor) -> Tensor:
        """The rotation (3, 3) about the vertical from here to the world."""
        return rot.about_y(like.new_tensor(self.yaw))

    def after(self, other: Place) -> Place:
        """Returns in the world the place that this one is as seen from another."""
        x, _, z = other.to_world(torch.tensor([self.x, 0.0, self.z], dtype=torch.float64)).tolist()
        return Place(math.remainder(self.yaw + other.yaw, 2 * math.pi), x, z)

    def moved(self, motion: Motion) -> Motion:
        """Returns a motion that is given as seen from here in the world."""
        turned = turn(motion, torch.tensor(self.yaw))
        return replace(turned, root=turned.root + turned.root.new_tensor([self.x, 0.0, self.z]))


#: Above the world's origin, facing +Z: where motions start that are asked nothing else.
ORIGIN = Place()


@dataclass(frozen=True, eq=False)
class Posed:
    """A body in the world, frame by frame.

    Attributes:
        rotations: (T, 24, 3, 3) world rotations.
        positions: (T, 24, 3) joint positions, metres.
        fps: frames per second.
    """

    rotations: Tensor
    positions: Tensor
    fps: float

    @classmethod
    def of(cls, motion: Motion) -> Posed:
        """Returns a motion on the canonical skeleton as posed bodies."""
        return cls(*motion.world, motion.fps)

    def frame(self, seconds: float) -> int:
        """The frame that is nearest to a time."""
        return min(max(round(seconds * self.fps), 0), len(self.positions) - 1)

    def frames(self, start: float, end: float) -> slice:
        """The frames from the one nearest to a time to the one nearest to a later one."""
        return slice(self.frame(start), self.frame(end) + 1)

    @property
    def ground(self) -> Tensor:
        """(T, 2) where the pelvis is above the floor: x and z."""
        return self.positions[:, 0, [0, 2]]

    @property
    def left(self) -> Tensor:
        """(T, 3) the direction of the body's left side."""
        return self.rotations[:, 0, :, 0]
