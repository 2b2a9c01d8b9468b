"""What a movement measurably does, by its joint positions alone: facts with their times, sides, ways and counts.

Every fact has two thresholds: it is told where a value is certainly beyond, and lasts while it is not certainly back.
What lies between is not told, so that facts may be missing but are seldom wrong. Left and right are the body's own.
"""

from __future__ import annotations

from motionclip.data.kinematics import limbs, posture, travel
from motionclip.data.kinematics.facts import Fact
from motionclip.data.kinematics.signals import Array, Signals

_KINDS = (
    travel.travel,
    travel.turns,
    travel.jumps,
    travel.stillness,
    posture.postures,
    posture.crawls,
    posture.climbs,
    posture.leans,
    posture.twists,
    limbs.hands,
    limbs.strokes,
    limbs.reaches,
    limbs.legs,
)


def measure(positions: Array, fps: float) -> tuple[Fact, ...]:
    """Returns the facts of a movement in the order of time.

    Args:
        positions: (T, 24, 3) world joint positions of the canonical skeleton: metres, y up, y = 0 the floor.
        fps: frames per second.
    """
    signals = Signals(positions, fps)
    found = [fact for kind in _KINDS for fact in kind(signals)]
    return tuple(sorted(found, key=lambda fact: (fact.start, fact.stop, fact.what, fact.way)))


__all__ = ["Fact", "measure"]
