"""CSV: joint positions as a table, for spreadsheets, R and scripts."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from motionclip.formats.files import replacing
from motionclip.motion import Motion


def write_csv(motion: Motion, path: str | Path) -> None:
    """Writes joint positions: a header, then one line for each frame.

    The columns are ``time`` in seconds, then ``NAME_x``, ``NAME_y``, ``NAME_z`` of each joint in metres, Y up, with
    six digits behind the point.

    Args:
        motion: on any skeleton.
        path: the file; it appears whole or not at all.
    """
    header = ["time", *(f"{name}_{axis}" for name in motion.skeleton.names for axis in "xyz")]
    times = np.arange(motion.num_frames)[:, None] / motion.fps
    positions = motion.positions.double().numpy(force=True).reshape(motion.num_frames, -1)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerow(header)
        np.savetxt(file, np.concatenate([times, positions], axis=1), fmt="%.6f", delimiter=",")
