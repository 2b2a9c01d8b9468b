"""What a data source is: named items, each of which reads itself into a clip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from motionclip.data.clip import Clip


class Item(Protocol):
    """One clip that can be read; picklable, so that any process can read it."""

    @property
    def key(self) -> str:
        """Name of the clip, unique inside its source."""
        ...

    @property
    def path(self) -> Path | None:
        """The file that is read, or None for a clip that is made."""
        ...

    def read(self) -> Clip:
        """The clip, on the skeleton and at the rate of its file.

        Raises:
            MotionClipError: if the file is missing or damaged, or the clip is known to be unusable.
        """
        ...


@dataclass(frozen=True)
class Source:
    """Items in a fixed order.

    Attributes:
        spec: how a user names it, for example ``cmu:DIR``.
        items: what can be read, with distinct keys.
        notes: what a user should know before it is read, in whole sentences.
    """

    spec: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
