"""Constraints: a full pose at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from torch import Tensor

from motionclip.applications.direct.constraint import Constraint, check_time
from motionclip.applications.direct.posed import Place, Posed
from motionclip.errors import MotionError
from motionclip.motion import Motion, canonicalize_heading
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical

#: Square metres that the mean square difference of rotation matrices counts as.
_ROTATIONS = 0.02


@dataclass(frozen=True, eq=False)
class PoseAt(Constraint):
    """A full pose at a time.

    Attributes:
        seconds: when.
        pose: a motion on any human-like skeleton, whose first frame it is.
        placed: whether the body is to stand where the pose does, and face as it does; else wherever it is.
    """

    seconds: float
    pose: Motion
    placed: bool = False

    @classmethod
    def of(cls, seconds: float, motion: Motion, at: float, *, placed: bool = False) -> PoseAt:
        """Returns the pose that a motion has at a second of its own.

        Raises:
            MotionError: if the motion is over before.
        """
        frame = round(at * motion.fps)
        if not 0 <= frame < motion.num_frames:
            raise MotionError(
                f"a pose at {at:g} s of a motion of {motion.duration:.2f} s; expected a time inside of it"
            )
        return cls(seconds, motion.frames(frame, frame + 1), placed)

    @cached_property
    def body(self) -> Motion:
        """The pose as one frame on the canonical skeleton; where it is not placed, above the origin and facing +Z."""
        frame = on_canonical(self.pose.frames(0, 1))
        return frame if self.placed else canonicalize_heading(frame)

    @property
    def title(self) -> str:
        return f"pose at {self.seconds:g} s"

    def shifted(self, seconds: float) -> Self:
        return replace(self, seconds=self.seconds + seconds)

    def moved(self, place: Place) -> Self:
        return replace(self, pose=place.moved(self.body)) if self.placed else self

    def during(self, start: float, end: float) -> Self | None:
        return self.shifted(-start) if start <= self.seconds <= end else None

    def check(self, seconds: float) -> None:
        check_time("a pose", self.seconds, seconds)

    def _differences(self, posed: Posed) -> tuple[Tensor, Tensor]:
        """Returns those of rotations (24, 3, 3) and of joint positions (24, 3), seen as the pose is given."""
        frame = posed.frame(self.seconds)
        turned, places = posed.rotations[frame], posed.positions[frame]
        if not self.placed:
            facing = rot.about_y(-rot.yaw_of_left(posed.left[frame]))
            places = (places - places[:1] * places.new_tensor([1.0, 0.0, 1.0])) @ facing.mT
            turned = facing @ turned
        rotations, positions = (part[0].to(places) for part in self.body.world)
        return turned - rotations, places - positions

    def misfit(self, posed: Posed) -> Tensor:
        turned, moved = self._differences(posed)
        return moved.square().sum(dim=-1).mean() + _ROTATIONS * turned.square().sum(dim=(-1, -2)).mean()

    def error(self, motion: Motion) -> float:
        return self._differences(Posed.of(motion))[1].norm(dim=-1).mean().item()
