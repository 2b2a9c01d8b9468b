"""A fact: something that a movement certainly does, from when to when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """Something that the body does.

    Attributes:
        what: kind of the fact, for example ``walk``, ``turn``, ``raise``.
        start: its first frame.
        stop: one after its last frame.
        side: ``left``, ``right`` or ``both`` limbs; for a turn, a curve and a lean the side that it goes to.
        way: direction or manner that belongs to the kind, for example ``forward``, ``down``, ``quarter``.
        pace: ``slowly``, ``quickly`` or neither.
        count: how often it happens, 0 if that is not counted.
    """

    what: str
    start: int
    stop: int
    side: str = ""
    way: str = ""
    pace: str = ""
    count: int = 0
