"""What every constraint on a motion says.

Each says how far a posed body is from it, once as something to descend (:meth:`Constraint.misfit`, square metres) and
once as something to read (:meth:`Constraint.error`, metres). World coordinates: metres, Y up, the floor at 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from torch import Tensor

from motionclip.applications.direct.posed import Place, Posed
from motionclip.errors import MotionError
from motionclip.motion import Motion


class Constraint(ABC):
    """Something that a motion is asked to do."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, in a few words, for messages."""

    @abstractmethod
    def shifted(self, seconds: float) -> Self:
        """Returns the same, so many seconds later."""

    def within(self, start: float, end: float) -> Self:
        """Returns the same with a span of time, where it has none and needs one."""
        return self

    @abstractmethod
    def moved(self, place: Place) -> Self:
        """Returns the same in the world, where it is given as seen from a place."""

    @abstractmethod
    def during(self, start: float, end: float) -> Self | None:
        """Returns what of it is asked between two seconds, in seconds from the first of them; None for nothing."""

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


def check_time(what: str, time: float, seconds: float) -> None:
    """Checks that a time is inside of a motion of so many seconds.

    Raises:
        MotionError: if it is not.
    """
    if not 0 <= time <= seconds + 1e-6:
        raise MotionError(f"{what} at {time:g} s of a motion of {seconds:g} s; expected a time inside of it")
