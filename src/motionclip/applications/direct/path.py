"""Constraints: a path of the pelvis over the floor."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from motionclip.applications.direct.constraint import Constraint, check_time
from motionclip.applications.direct.posed import Place, Posed
from motionclip.applications.direct.spread import smoothed
from motionclip.errors import MotionError
from motionclip.motion import Motion
from motionclip.motion import rotations as rot
from motionclip.motion.knots import interpolated, piece_of

#: Fastest that a body travels, m/s: a sprinter.
MAX_TRAVEL_SPEED = 10.0
#: Square metres that a facing away from the wanted one, 1 - cosine, counts as.
_FACING = 0.02
#: Points of a path between two given ones, by which its length is measured.
_FINE = 32
#: Points of a part of a path for each second, and at least.
_POINTS_PER_SECOND, _LEAST_POINTS = 4.0, 4
#: Standard deviation, seconds, of the average by which swaying from foot to foot is no way that is gone.
_SWAY = 0.3


@dataclass(frozen=True, eq=False)
class _Curve:
    """A path, densely.

    Attributes:
        points: (N, 2) x and z, metres.
        along: (N,) how far along each is: seconds if the points have times, else shares of the length.
        yaws: (N,) radians: how the body is to face there; None if it faces as it likes.
    """

    points: Tensor
    along: Tensor
    yaws: Tensor | None


@dataclass(frozen=True, eq=False)
class RootPath(Constraint):
    """A path of the pelvis over the floor, from its first point to its last.

    The points are joined by a smooth curve (a cubic spline).

    Attributes:
        points: (x, z) of two or more, metres.
        times: second of each point, rising; without them it is gone along at the pace that the motion has.
        facing: degrees to the left of the path's direction: 0 along it, 180 backwards; or the heading at each point, in
            degrees (0 faces +Z, 90 +X); None as the motion does.
        start: second at which a path without times begins.
        end: second at which it ends; that of the motion, if not given.

    Raises:
        MotionError: if there are fewer than two different points, or times or headings that are not one for each, or
            times that do not rise, or a span beside times.
    """

    points: Sequence[tuple[float, float]]
    times: Sequence[float] | None = None
    facing: float | Sequence[float] | None = 0.0
    start: float = 0.0
    end: float | None = None

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
        if (self.end is not None and not 0 <= self.start < self.end) or (self.times and (self.start or self.end)):
            raise MotionError(
                f"a path from {self.start:g} to {self.end} s; expected a span, and none beside the times of points"
            )
        headings = torch.tensor([0.0 if self.facing is None else self.facing], dtype=torch.float64)
        if not torch.isfinite(headings).all() or (headings.dim() == 2 and headings.shape[1] != len(points)):
            raise MotionError(f"facing {self.facing}; expected degrees from the path, or those at each of its points")

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]], facing: float | Sequence[float] | None = 0.0) -> RootPath:
        """Returns the path of rows x, z or x, z, seconds.

        Raises:
            MotionError: if they are none, or not alike, or make no path.
        """
        width = len(rows[0]) if rows else 0
        if width not in (2, 3) or any(len(row) != width for row in rows):
            raise MotionError("a path with rows of unlike lengths; expected x, z or x, z, seconds in all of them")
        times = [row[2] for row in rows] if width == 3 else None
        return cls([(row[0], row[1]) for row in rows], times, facing)

    @property
    def title(self) -> str:
        return f"path of {self.length:.2f} m"

    def shifted(self, seconds: float) -> Self:
        if self.times is not None:
            return replace(self, times=[time + seconds for time in self.times])
        end = None if self.end is None else self.end + seconds
        return replace(self, start=self.start + seconds, end=end)

    def within(self, start: float, end: float) -> Self:
        return self if self.times is not None or self.end is not None else replace(self, start=start, end=end)

    def divided(self, motion: Motion, seconds: Sequence[float]) -> list[Self]:
        """Returns the path as parts between some seconds, each as long as what a motion goes meanwhile asks for."""
        if self.times is not None:
            return [self]
        first, last = self.span(motion.duration)
        span = Posed.of(motion).frames(first, last)
        gone = _progress(motion.root[span][:, [0, 2]], motion.fps)
        borders = [first, *(each for each in seconds if first < each < last), last]
        at = torch.tensor(borders) * motion.fps - span.start
        shares = interpolated(at, torch.arange(len(gone)).to(at), gone).tolist()
        shares[0], shares[-1] = 0.0, 1.0
        parts = itertools.pairwise(zip(borders, shares, strict=True))
        # where it stands, nothing is asked
        return [self._part(c, d, b - a, start=a, end=b) for (a, c), (b, d) in parts if d - c > 1e-4]

    def _part(self, first: float, last: float, seconds: float, **changes: Any) -> Self:
        """Returns what lies between two measures of how far along, with other fields, too."""
        along = torch.linspace(first, last, max(_LEAST_POINTS, round(seconds * _POINTS_PER_SECOND)))
        curve, facing = self._curve, self.facing
        points = [(x, z) for x, z in interpolated(along, curve.along, curve.points).tolist()]
        if isinstance(facing, Sequence) and curve.yaws is not None:
            facing = interpolated(along, curve.along, curve.yaws).rad2deg().tolist()
        if self.times is not None:
            shift = changes.pop("start")
            changes = {"times": (along - shift).tolist()}
        return replace(self, points=points, facing=facing, **changes)

    def moved(self, place: Place) -> Self:
        points = torch.tensor([(x, 0.0, z) for x, z in self.points], dtype=torch.float64)
        world = [(x, z) for x, _, z in place.to_world(points).tolist()]
        turned = math.degrees(place.yaw)
        facing = [own + turned for own in self.facing] if isinstance(self.facing, Sequence) else self.facing
        return replace(self, points=world, facing=facing)

    def during(self, start: float, end: float) -> Self | None:
        first, last = self.span(end)
        begin, stop = max(first, start), min(last, end)
        if stop - begin < 1e-6:
            return None
        if self.times is not None:
            return self._part(begin, stop, stop - begin, start=start)
        share = 1 / (last - first)
        along = (begin - first) * share, (stop - first) * share
        return self._part(*along, stop - begin, start=begin - start, end=stop - start)

    def span(self, seconds: float) -> tuple[float, float]:
        """Returns the seconds at which it begins and ends in a motion of so many."""
        if self.times is not None:
            return self.times[0], self.times[-1]
        return self.start, seconds if self.end is None else self.end

    def check(self, seconds: float) -> None:
        first, last = self.span(seconds)
        check_time("a point of the path", last, seconds)
        gone = torch.diff(torch.tensor(self.points, dtype=torch.float64), dim=0).norm(dim=-1)
        took = torch.diff(torch.tensor(self.times)) if self.times is not None else gone / gone.sum() * (last - first)
        fastest = (gone / took).max().item()
        if fastest > MAX_TRAVEL_SPEED:
            raise MotionError(
                f"a path that asks for {fastest:.1f} m/s; a body travels at most {MAX_TRAVEL_SPEED:g}: give it more "
                "time, or a shorter path"
            )

    @cached_property
    def _curve(self) -> _Curve:
        points = torch.tensor(self.points, dtype=torch.float64)
        if self.times is not None:
            knots = torch.tensor(self.times, dtype=torch.float64)
        else:
            knots = torch.cat([torch.zeros(1), torch.diff(points, dim=0).norm(dim=-1).cumsum(dim=0)])
        curve, fine = _spline(points, knots)
        along = fine
        if self.times is None:
            along = torch.cat([torch.zeros(1), torch.diff(curve, dim=0).norm(dim=-1).cumsum(dim=0)])
            along = along / along[-1]
        if self.facing is None:
            return _Curve(curve, along, None)
        if isinstance(self.facing, Sequence):
            given = torch.from_numpy(np.unwrap(np.deg2rad(self.facing)))
            return _Curve(curve, along, interpolated(fine.double(), knots, given).float())
        steps = torch.diff(curve, dim=0)
        ahead = torch.atan2(steps[:, 0], steps[:, 1])
        return _Curve(curve, along, torch.cat([ahead[:1], ahead]) + math.radians(self.facing))

    @property
    def length(self) -> float:
        """Metres from its start to its end."""
        return torch.diff(self._curve.points, dim=0).norm(dim=-1).sum().item()

    def frames(self, posed: Posed) -> slice:
        """The frames of a motion in which it is gone along."""
        return posed.frames(*self.span(len(posed.positions) / posed.fps))

    def targets(self, posed: Posed) -> tuple[Tensor, Tensor | None]:
        """Returns where (F, 2) on the path a motion is to be in its frames, and the yaws (F,), if it is to face so."""
        span, curve = self.frames(posed), self._curve
        ground = posed.ground[span].detach()
        if self.times is not None:
            at = torch.arange(span.start, span.stop).to(ground) / posed.fps
        else:
            at = _progress(ground, posed.fps)
        along, points = curve.along.to(ground), curve.points.to(ground)
        yaws = None if curve.yaws is None else curve.yaws.to(ground)[piece_of(at, along)]
        return interpolated(at, along, points), yaws

    @property
    def place(self) -> Place:
        """Where it begins; facing as it says, or the way that it leaves."""
        curve = self._curve
        (x, z), (ahead_x, ahead_z) = curve.points[0].tolist(), (curve.points[2] - curve.points[0]).tolist()
        return Place(math.atan2(ahead_x, ahead_z) if curve.yaws is None else curve.yaws[2].item(), x, z)

    def misfit(self, posed: Posed) -> Tensor:
        target, yaws = self.targets(posed)
        span = self.frames(posed)
        away = (posed.ground[span] - target).square().sum(dim=-1).mean()
        if yaws is None:
            return away
        wrong = rot.yaw_of_left(posed.left[span]) - yaws
        return away + _FACING * (1 - wrong.cos()).mean()

    def error(self, motion: Motion) -> float:
        posed = Posed.of(motion)
        return (posed.ground[self.frames(posed)] - self.targets(posed)[0]).norm(dim=-1).mean().item()


def _progress(ground: Tensor, fps: float) -> Tensor:
    """Returns which share (F,) of its way over the ground (F, 2) a body has gone, but for its sway."""
    gone = torch.diff(smoothed(ground, _SWAY * fps), dim=0).norm(dim=-1).cumsum(dim=0)
    return torch.cat([gone.new_zeros(1), gone / gone[-1].clamp(min=1e-6)])


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
