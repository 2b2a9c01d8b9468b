"""What the benchmarks of the `val` split share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from motionclip.data.windows import WindowSet
from motionclip.formats.files import replacing
from motionclip.motion import Motion

STORES = (Path(".stores/bandai_namco"), Path(".stores/cmu"))


def described(windows: WindowSet) -> list[str]:
    """The data sets that have words."""
    return sorted({segment.dataset for segment in windows.segments if segment.texts})


def time_of(motion: Motion) -> float:
    """Seconds of a motion, its last frame included."""
    return motion.num_frames / motion.fps


def write_rows(rows: Sequence[Any], out: Path) -> None:
    """Write dataclasses as JSON; the file appears whole."""
    with replacing(out) as path:
        path.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n")
