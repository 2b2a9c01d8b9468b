"""Constraints on a motion: a path on the floor, poses at times, and joints pinned to places.

Each says how far a posed body is from it, once as something to descend (:meth:`Constraint.misfit`, square metres) and
once as something to read (:meth:`Constraint.error`, metres). World coordinates: metres, Y up, the floor at 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from motionclip.applications.direct.spread import smoothed
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion, canonicalize_heading
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

#: Fastest that a body travels, m/s: a sprinter.
MAX_TRAVEL_SPEED = 10.0
#: Highest that any joint comes, metres: the hands of a body of 1.7 m that leaps.
MAX_HEIGHT = 2.7
#: Fastest that a joint moves between two pins of it, m/s: a punch.
MAX_JOINT_SPEED = 15.0
#: Square metres that a facing away from the wanted one, 1 - cosine, counts as.
_FACING = 0.02
#: Square metres that the mean square difference of rotation matrices counts as, in a pose.
_ROTATIONS = 0.02
_SOLES = {"left_ankle": ANKLE_HEIGHT, "right_ankle": ANKLE_HEIGHT, "left_foot": FOOT_HEIGHT, "right_foot": FOOT_HEIGHT}


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

    @property
    def ground(self) -> Tensor:
        """(T, 2) where the pelvis is above the floor: x and z."""
        return self.positions[:, 0, [0, 2]]

    @property
    def left(self) -> Tensor:
        """(T, 3) the direction of the body's left side."""
        return self.rotations[:, 0, :, 0]


class Constraint(ABC):
    """Something that a motion is asked to do."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, in a few words, for messages."""

    @abstractmethod
    def shifted(self, seconds: float) -> Self:
        """Returns the same, so many seconds later."""

    @abstractmethod
    def check(self, seconds: float) -> None:
        """Checks that a motion of so many seconds can be asked to do it.

        Raises:
            MotionError: if a time is outside of it, or no body could.
        """

    @abstractmethod
    def misfit(self, posed: Posed) -> Tensor:
        """Returns how far a motion is from it (scalar), square metres; differentiable."""

    @abstractmethod
    def error(self, motion: Motion) -> float:
        """Returns how far a motion on the canonical skeleton is from it, metres."""


def _check_time(what: str, time: float, seconds: float) -> None:
    if not 0 <= time <= seconds + 1e-6:
        raise MotionError(f"{what} at {time:g} s of a motion of {seconds:g} s; expected a time inside of it")


# --- A path on the floor ---

#: Points of a path between two given ones, by which its length is measured.
_FINE = 32
#: Standard deviation, seconds, of the average by which swaying from foot to foot is no way that is gone.
_SWAY = 0.3


@dataclass(frozen=True, eq=False)
class RootPath(Constraint):
    """A path of the pelvis over the floor, from its first point at the first frame to its last point at the last.

    The points are joined by a smooth curve (a cubic spline).

    Attributes:
        points: (x, z) of two or more, metres.
        times: second of each point, rising; without them it is gone along at the pace that the motion has.
        facing: along the path, if true; else as the motion does.

    Raises:
        MotionError: if there are fewer than two different points, or times that do not rise, or not one for each.
    """

    points: Sequence[tuple[float, float]]
    times: Sequence[float] | None = None
    facing: bool = True

    def __post_init__(self) -> None:
        points = torch.tensor(self.points, dtype=torch.float64)
        if points.dim() != 2 or points.shape[1] != 2 or len(points) < 2 or not torch.isfinite(points).all():
            raise MotionError(
                f"a path of {len(self.points)} points; expected two or more of two finite numbers, x and z"
            )
        if not (torch.diff(points, dim=0).norm(dim=-1) > 0).all():
            raise MotionError("a path stays at a point; expected each point to be another place than the one before")
        if self.times is not None:
            times = torch.tensor(self.times, dtype=torch.float64)
            if len(times) != len(points) or not (torch.diff(times) > 0).all() or times[0] < 0:
                raise MotionError(f"times {list(self.times)} of {len(points)} points; expected one for each, rising")

    @property
    def title(self) -> str:
        return f"path of {self.length:.2f} m"

    def shifted(self, seconds: float) -> Self:
        return self if self.times is None else replace(self, times=[time + seconds for time in self.times])

    def check(self, seconds: float) -> None:
        if self.times is not None:
            _check_time("a point of the path", self.times[-1], seconds)
        gone = torch.diff(torch.tensor(self.points, dtype=torch.float64), dim=0).norm(dim=-1)
        took = torch.diff(torch.tensor(self.times)) if self.times is not None else gone / gone.sum() * seconds
        fastest = (gone / took).max().item()
        if fastest > MAX_TRAVEL_SPEED:
            raise MotionError(
                f"a path that asks for {fastest:.1f} m/s; a body travels at most {MAX_TRAVEL_SPEED:g}: give it more "
                "time, or a shorter path"
            )

    @cached_property
    def _curve(self) -> tuple[Tensor, Tensor]:
        """The curve as (N, 2) points, and how far along each is: seconds if the points have times, else shares."""
        points = torch.tensor(self.points, dtype=torch.float64)
        if self.times is not None:
            knots = torch.tensor(self.times, dtype=torch.float64)
        else:
            knots = torch.cat([torch.zeros(1), torch.diff(points, dim=0).norm(dim=-1).cumsum(dim=0)])
        curve, fine = _spline(points, knots)
        if self.times is not None:
            return curve, fine
        along = torch.cat([torch.zeros(1), torch.diff(curve, dim=0).norm(dim=-1).cumsum(dim=0)])
        return curve, along / along[-1]

    @property
    def length(self) -> float:
        """Metres from its start to its end."""
        return torch.diff(self._curve[0], dim=0).norm(dim=-1).sum().item()

    def targets(self, posed: Posed) -> tuple[Tensor, Tensor]:
        """Returns where (T, 2) on the path a motion is to be at each frame, and the path's direction (T, 2) there."""
        curve, along = (part.to(posed.positions) for part in self._curve)
        if self.times is not None:
            at = torch.arange(len(posed.positions)).to(along) / posed.fps
        else:
            gone = torch.diff(smoothed(posed.ground.detach(), _SWAY * posed.fps), dim=0).norm(dim=-1).cumsum(dim=0)
            at = torch.cat([gone.new_zeros(1), gone / gone[-1].clamp(min=1e-6)])
        after = torch.searchsorted(along, at.contiguous()).clamp(1, len(along) - 1)
        share = ((at - along[after - 1]) / (along[after] - along[after - 1])).clamp(0, 1)
        direction = torch.nn.functional.normalize(curve[after] - curve[after - 1], dim=-1)
        return torch.lerp(curve[after - 1], curve[after], share[:, None]), direction

    @property
    def start(self) -> tuple[Tensor, Tensor]:
        """Where (2,) the path begins, and in which direction (2,) it leaves."""
        curve = self._curve[0]
        return curve[0], torch.nn.functional.normalize(curve[2] - curve[0], dim=0)

    def misfit(self, posed: Posed) -> Tensor:
        target, direction = self.targets(posed)
        away = (posed.ground - target).square().sum(dim=-1).mean()
        if not self.facing:
            return away
        ahead = torch.stack([-posed.left[:, 2], posed.left[:, 0]], dim=-1)  # sine and cosine of the heading
        return away + _FACING * (1 - (torch.nn.functional.normalize(ahead, dim=-1) * direction).sum(dim=-1)).mean()

    def error(self, motion: Motion) -> float:
        posed = Posed.of(motion)
        return (posed.ground - self.targets(posed)[0]).norm(dim=-1).mean().item()


def _spline(points: Tensor, knots: Tensor) -> tuple[Tensor, Tensor]:
    """Returns a curve (M, 2) through points (N, 2) at parameters (N,), and its parameters (M,): cubic Hermite pieces.

    The rate at a point is the mean of those of the pieces on both sides, the shorter one counting for more: that of a
    parabola through three points (Catmull-Rom's for even spacing).
    """
    spans = torch.diff(knots)[:, None]
    slopes = torch.diff(points, dim=0) / spans
    inner = (slopes[:-1] * spans[1:] + slopes[1:] * spans[:-1]) / (spans[:-1] + spans[1:])
    rates = torch.cat([slopes[:1], inner, slopes[-1:]])
    share = torch.arange(_FINE * len(spans) + 1, dtype=knots.dtype) / _FINE
    piece = share.long().clamp(max=len(spans) - 1)
    t = (share - piece)[:, None]
    ends = (1 + 2 * t) * (1 - t) ** 2 * points[piece] + t**2 * (3 - 2 * t) * points[piece + 1]
    bends = t * (1 - t) ** 2 * rates[piece] - t**2 * (1 - t) * rates[piece + 1]
    return (ends + spans[piece] * bends).float(), torch.lerp(knots[piece], knots[piece + 1], t[:, 0]).float()


# --- A pose at a time ---


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

    def check(self, seconds: float) -> None:
        _check_time("a pose", self.seconds, seconds)

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


# --- A joint at a place ---


@dataclass(frozen=True, eq=False)
class Pin(Constraint):
    """A joint at a place, at a time or over a span.

    Attributes:
        joint: one of the canonical skeleton, such as ``right_hand``, ``left_foot``, ``head`` or ``pelvis``.
        place: (x, y, z), metres; None for a coordinate that is free at a moment, and held over a span. For ankles and
            feet, y is the height of the sole: 0 on the floor, more on a step.
        start: second.
        end: second; that of ``start`` for a moment, if not given.

    Raises:
        MotionError: if the place has no coordinate that is given, or is higher than a body comes, or the span is none.
        SkeletonError: if there is no such joint.
    """

    joint: str
    place: tuple[float | None, float | None, float | None]
    start: float
    end: float | None = None

    def __post_init__(self) -> None:
        CANONICAL.index(self.joint)
        given = [value for value in self.place if value is not None]
        if len(self.place) != 3 or not all(math.isfinite(value) for value in given) or not (given or self.is_span):
            raise MotionError(f"{self.joint} pinned to {self.place}; expected x, y and z in metres, or None for some")
        if self.place[1] is not None and not 0 <= self.place[1] <= MAX_HEIGHT:
            raise MotionError(
                f"{self.joint} pinned {self.place[1]:g} m above the floor; a body comes from 0 to {MAX_HEIGHT:g} m"
            )
        if self.end is not None and self.end < self.start:
            raise MotionError(f"{self.joint} pinned from {self.start:g} to {self.end:g} s; expected a span or a moment")

    @property
    def is_span(self) -> bool:
        return self.end is not None and self.end > self.start

    @property
    def index(self) -> int:
        """Which joint of the canonical skeleton it is."""
        return CANONICAL.index(self.joint)

    @property
    def title(self) -> str:
        return f"{self.joint} {f'from {self.start:g} to {self.end:g}' if self.is_span else f'at {self.start:g}'} s"

    def shifted(self, seconds: float) -> Self:
        end = None if self.end is None else self.end + seconds
        return replace(self, start=self.start + seconds, end=end)

    def check(self, seconds: float) -> None:
        _check_time(f"a pin of {self.joint}", self.start, seconds)
        _check_time(f"a pin of {self.joint}", self.start if self.end is None else self.end, seconds)

    def frames(self, posed: Posed) -> slice:
        """The frames that it holds in."""
        return slice(posed.frame(self.start), posed.frame(self.start if self.end is None else self.end) + 1)

    def targets(self, posed: Posed) -> Tensor:
        """Returns where (F, 3) the joint is to be in its frames."""
        now = posed.positions[self.frames(posed), self.index]
        held = now.detach().mean(dim=0) if self.is_span else now.detach()[0]
        raised = _SOLES.get(self.joint, 0.0)
        given = [float(held[axis]) if value is None else value for axis, value in enumerate(self.place)]
        if self.place[1] is not None:
            given[1] += raised
        return now.new_tensor(given).expand_as(now)

    def _distances(self, posed: Posed) -> Tensor:
        return posed.positions[self.frames(posed), self.index] - self.targets(posed)

    def misfit(self, posed: Posed) -> Tensor:
        return self._distances(posed).square().sum(dim=-1).mean()

    def error(self, motion: Motion) -> float:
        return self._distances(Posed.of(motion)).norm(dim=-1).mean().item()


def check_all(constraints: Sequence[Constraint], seconds: float) -> None:
    """Checks that a motion of so many seconds can be asked for all of them.

    Raises:
        MotionError: if a time is outside of it, or no body could.
    """
    for constraint in constraints:
        constraint.check(seconds)
    pins = [each for each in constraints if isinstance(each, Pin)]
    for one in pins:
        for other in pins:
            passed = other.start - (one.start if one.end is None else one.end)
            if one.joint == other.joint and passed > 0 and None not in one.place + other.place:
                speed = math.dist(*(each.place for each in (one, other))) / passed  # type: ignore[arg-type]
                if speed > MAX_JOINT_SPEED:
                    raise MotionError(
                        f"{one.joint} pinned to two places {passed:.2g} s apart, which takes {speed:.0f} m/s; expected "
                        f"at most {MAX_JOINT_SPEED:g}: leave it more time"
                    )
    if sum(isinstance(each, RootPath) for each in constraints) > 1:
        raise MotionError("two paths for one motion; expected one")
