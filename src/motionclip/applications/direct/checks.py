"""What constraints may be asked for together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from motionclip.applications.direct.constraint import Constraint
from motionclip.applications.direct.path import RootPath
from motionclip.applications.direct.pin import Pin
from motionclip.errors import MotionError

#: Fastest that a joint moves between two pins of it, m/s: a punch.
MAX_JOINT_SPEED = 15.0


def check_all(constraints: Sequence[Constraint], seconds: float) -> None:
    """Checks that a motion of so many seconds can be asked for all of them.

    Raises:
        MotionError: if a time is outside of it, or no body could.
    """
    for constraint in constraints:
        constraint.check(seconds)
    pins = [each for each in constraints if isinstance(each, Pin)]
    for one, other in itertools.permutations(pins, 2):
        passed = other.start - one.last
        if one.joint == other.joint and passed > 0 and None not in one.place + other.place:
            speed = math.dist(*(each.place for each in (one, other))) / passed  # type: ignore[arg-type]
            if speed > MAX_JOINT_SPEED:
                raise MotionError(
                    f"{one.joint} pinned to two places {passed:.2g} s apart, which takes {speed:.0f} m/s; expected "
                    f"at most {MAX_JOINT_SPEED:g}: leave it more time"
                )
    spans = sorted(each.span(seconds) for each in constraints if isinstance(each, RootPath))
    if any(later[0] < sooner[1] for sooner, later in itertools.pairwise(spans)):
        raise MotionError("two paths for one motion at once; expected one, or one after the other")
