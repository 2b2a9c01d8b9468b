"""The one value that flows: a Motion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from motionclip.errors import MotionError
from motionclip.motion.kinematics import forward_kinematics
from motionclip.motion.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Motion:
    """A movement of a skeleton: T frames at a fixed rate. Metres, Y up, right-handed.

    Attributes:
        rotations: (T, J, 3, 3) local rotation matrices, each relative to the parent joint.
        root: (T, 3) world position of the root joint, metres.
        fps: frames per second.
        skeleton: J joints.

    Raises:
        MotionError: on wrong shapes, no frames, NaN or infinity, or a rate that is not positive.
    """

    rotations: Tensor
    root: Tensor
    fps: float
    skeleton: Skeleton

    def __post_init__(self) -> None:
        frames, joints = self.root.shape[0], self.skeleton.num_joints
        if frames == 0:
            raise MotionError("a motion has no frames; expected at least one")
        if tuple(self.root.shape) != (frames, 3) or tuple(self.rotations.shape) != (frames, joints, 3, 3):
            raise MotionError(
                f"rotations of shape {tuple(self.rotations.shape)} and root of shape {tuple(self.root.shape)}; "
                f"expected (T, {joints}, 3, 3) and (T, 3)"
            )
        if not (torch.isfinite(self.rotations).all() and torch.isfinite(self.root).all()):
            raise MotionError("a motion contains NaN or infinity; expected finite rotations and metres")
        if not 0 < self.fps < float("inf"):
            raise MotionError(f"a frame rate of {self.fps}; expected a positive number of frames per second")

    @property
    def num_frames(self) -> int:
        return self.root.shape[0]

    @property
    def duration(self) -> float:
        """Seconds that the frames cover: T / fps."""
        return self.num_frames / self.fps

    @cached_property
    def world(self) -> tuple[Tensor, Tensor]:
        """World rotations (T, J, 3, 3) and positions (T, J, 3), metres."""
        return forward_kinematics(self.rotations, self.root, self.skeleton)

    @property
    def positions(self) -> Tensor:
        """World joint positions (T, J, 3), metres."""
        return self.world[1]

    def frames(self, start: int, stop: int) -> Motion:
        """The frames ``start`` to ``stop`` (exclusive).

        Raises:
            MotionError: if that span is empty or not inside the motion.
        """
        if not 0 <= start < stop <= self.num_frames:
            raise MotionError(f"frames {start} to {stop} of a motion of {self.num_frames}; expected a span inside it")
        return replace(self, rotations=self.rotations[start:stop], root=self.root[start:stop])
