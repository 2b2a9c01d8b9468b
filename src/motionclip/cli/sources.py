"""Arguments that are words or motion files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.applications.latents import Source


def read_sources(arguments: Sequence[str]) -> list[Source]:
    """Each argument as the motion of the file that it names, or else as words.

    Raises:
        FormatError: if it ends like a motion file, and there is none or it cannot be read.
    """
    from motionclip.formats import read_motion
    from motionclip.formats.registry import READERS

    return [read_motion(text) if Path(text).suffix.lower() in READERS else text for text in arguments]
