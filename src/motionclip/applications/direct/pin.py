"""Constraints: a joint at a place, pointing in a direction."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.applications.direct.constraint import Constraint, check_time
from motionclip.applications.direct.posed import ORIGIN, Place, Posed
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

#: Highest that any joint comes, metres: the hands of a body of 1.7 m that leaps.
MAX_HEIGHT = 2.7
#: Metres ahead of a joint of the point by whose distance a direction is measured: about a hand's length.
DIRECTION_ARM = 0.1
_SOLES = {"left_ankle": ANKLE_HEIGHT, "right_ankle": ANKLE_HEIGHT, "left_foot": FOOT_HEIGHT, "right_foot": FOOT_HEIGHT}
#: Joints that point somewhere: the joint that turns them, and the axis of that one that points there in the rest pose.
POINTING = {
    "left_wrist": ("left_wrist", (1.0, 0.0, 0.0)),
    "left_hand": ("left_wrist", (1.0, 0.0, 0.0)),
    "right_wrist": ("right_wrist", (-1.0, 0.0, 0.0)),
    "right_hand": ("right_wrist", (-1.0, 0.0, 0.0)),
    "left_ankle": ("left_ankle", (0.0, 0.0, 1.0)),
    "left_foot": ("left_ankle", (0.0, 0.0, 1.0)),
    "right_ankle": ("right_ankle", (0.0, 0.0, 1.0)),
    "right_foot": ("right_ankle", (0.0, 0.0, 1.0)),
    "head": ("head", (0.0, 0.0, 1.0)),
}


@dataclass(frozen=True, eq=False)
class Pin(Constraint):
    """A joint at a place, at a time or over a span.

    Attributes:
        joint: one of the canonical skeleton, such as ``right_hand``, ``left_foot``, ``head`` or ``pelvis``.
        place: (x, y, z), metres; None for a coordinate that is free at a moment, and held over a span. For ankles and
            feet, y is the height of the sole: 0 on the floor, more on a step.
        start: second.
        end: second; that of ``start`` for a moment, if not given.
        direction: (x, y, z) of any length: where the fingers, the toes or the face point; None where they like.
        origin: from where place and direction are seen; the world's origin unless :meth:`moved` set another.

    Raises:
        MotionError: if nothing is asked, the place is higher than a body comes, the span is none, or the joint does not
            point anywhere.
        SkeletonError: if there is no such joint.
    """

    joint: str
    place: tuple[float | None, float | None, float | None]
    start: float
    end: float | None = None
    direction: tuple[float, float, float] | None = None
    origin: Place = ORIGIN

    def __post_init__(self) -> None:
        CANONICAL.index(self.joint)
        given = [value for value in self.place if value is not None]
        asked = given or self.is_span or self.direction is not None
        if len(self.place) != 3 or not all(math.isfinite(value) for value in given) or not asked:
            raise MotionError(f"{self.joint} pinned to {self.place}; expected x, y and z in metres, or None for some")
        if self.place[1] is not None and not 0 <= self.place[1] <= MAX_HEIGHT:
            raise MotionError(
                f"{self.joint} pinned {self.place[1]:g} m above the floor; a body comes from 0 to {MAX_HEIGHT:g} m"
            )
        if self.end is not None and self.end < self.start:
            raise MotionError(f"{self.joint} pinned from {self.start:g} to {self.end:g} s; expected a span or a moment")
        if self.direction is not None and self.joint not in POINTING:
            raise MotionError(f"{self.joint} pointing somewhere; expected one of {', '.join(POINTING)}")
        if self.direction is not None and not 0 < math.hypot(*self.direction) < math.inf:
            raise MotionError(f"{self.joint} pointing to {self.direction}; expected finite numbers, not all of them 0")

    @property
    def is_span(self) -> bool:
        return self.end is not None and self.end > self.start

    @property
    def last(self) -> float:
        """Second at which it ends."""
        return self.start if self.end is None else self.end

    @property
    def index(self) -> int:
        """Which joint of the canonical skeleton it is."""
        return CANONICAL.index(self.joint)

    @property
    def has_place(self) -> bool:
        """Whether the joint is to be somewhere, and not only to point somewhere."""
        return self.is_span or any(value is not None for value in self.place)

    @property
    def title(self) -> str:
        return f"{self.joint} {f'from {self.start:g} to {self.end:g}' if self.is_span else f'at {self.start:g}'} s"

    def shifted(self, seconds: float) -> Self:
        end = None if self.end is None else self.end + seconds
        return replace(self, start=self.start + seconds, end=end)

    def moved(self, place: Place) -> Self:
        return replace(self, origin=self.origin.after(place))

    def during(self, start: float, end: float) -> Self | None:
        first, last = max(self.start, start), min(self.last, end)
        return None if first > last else replace(self, start=first - start, end=last - start)

    def check(self, seconds: float) -> None:
        check_time(f"a pin of {self.joint}", self.start, seconds)
        check_time(f"a pin of {self.joint}", self.last, seconds)

    def frames(self, posed: Posed) -> slice:
        """The frames that it holds in."""
        return posed.frames(self.start, self.last)

    def targets(self, posed: Posed) -> Tensor:
        """Returns where (F, 3) the joint is to be in its frames."""
        now = self.origin.from_world(posed.positions[self.frames(posed), self.index].detach())
        held = now.mean(dim=0) if self.is_span else now[0]
        raised = _SOLES.get(self.joint, 0.0)
        given = [float(held[axis]) if value is None else value for axis, value in enumerate(self.place)]
        if self.place[1] is not None:
            given[1] += raised
        return self.origin.to_world(now.new_tensor(given)).expand_as(now)

    @property
    def pointing(self) -> tuple[int, Tensor, Tensor] | None:
        """The joint that turns it, the axis (3,) of that joint that points, and where to (3,) in the world: unit."""
        if self.direction is None:
            return None
        joint, axis = POINTING[self.joint]
        wanted = normalize(torch.tensor(self.direction, dtype=torch.float32), dim=0)
        return CANONICAL.index(joint), torch.tensor(axis), self.origin.turned(wanted) @ wanted

    def _missing(self, posed: Posed) -> list[Tensor]:
        """Returns what is missing (F, 3), metres, of the place and of the point ahead of the joint."""
        span, found = self.frames(posed), []
        if self.has_place:
            found.append(posed.positions[span, self.index] - self.targets(posed))
        if self.pointing is not None:
            joint, axis, wanted = self.pointing
            found.append(DIRECTION_ARM * (posed.rotations[span, joint] @ axis.to(posed.positions) - wanted.to(axis)))
        return found

    def misfit(self, posed: Posed) -> Tensor:
        return torch.stack([each.square().sum(dim=-1).mean() for each in self._missing(posed)]).sum()

    def error(self, motion: Motion) -> float:
        """Returns the distance to the place, or that of a point 10 cm ahead, by its direction, if that is more."""
        return max(each.norm(dim=-1).mean().item() for each in self._missing(Posed.of(motion)))
