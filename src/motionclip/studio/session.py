"""What one browser has made: takes, one of them current, with undo and redo. Knows nothing of pages."""

from __future__ import annotations

from dataclasses import dataclass

from motionclip.motion import Motion
from motionclip.studio.poses import Poses

#: Takes that a session remembers; beyond it the oldest is forgotten.
MOST_TAKES = 200


@dataclass(frozen=True, eq=False)
class Take:
    """A motion, and what it is called.

    Attributes:
        title: a few words: the sentence, the file's name, or what was done.
        motion: on any known skeleton.
        poses: the same as a page draws it.
    """

    title: str
    motion: Motion
    poses: Poses


class Session:
    """The history of one browser: takes in the order in which they were made."""

    def __init__(self) -> None:
        self._takes: list[Take] = []
        self._at = -1

    @property
    def takes(self) -> tuple[Take, ...]:
        """All that are remembered, those that were undone too."""
        return tuple(self._takes)

    @property
    def place(self) -> int:
        """Number of the current take, from 0; -1 before the first."""
        return self._at

    @property
    def current(self) -> Take | None:
        return self._takes[self._at] if self._takes else None

    @property
    def can_undo(self) -> bool:
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        return self._at < len(self._takes) - 1

    def add(self, take: Take) -> None:
        """Makes a take the current one; what was undone before it is forgotten."""
        self._takes = [*self._takes[: self._at + 1], take][-MOST_TAKES:]
        self._at = len(self._takes) - 1

    def undo(self) -> None:
        """Goes back to the take before, if there is one."""
        self._at -= self.can_undo

    def redo(self) -> None:
        """Goes on to the take that was undone, if there is one."""
        self._at += self.can_redo

    def go_to(self, place: int) -> None:
        """Makes the take with a number the current one; nothing if there is none."""
        if 0 <= place < len(self._takes):
            self._at = place
