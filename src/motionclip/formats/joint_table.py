"""CSV: joint positions as a table, for spreadsheets, R and scripts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motionclip.errors import FormatError, MotionError, SkeletonError
from motionclip.formats.files import read_lines, replacing
from motionclip.motion import CANONICAL, Motion
from motionclip.motion.retarget import RIGS, fit_positions, standard_rig

_EXPECTED = "a table as write_csv writes it: a header of time, NAME_x, NAME_y, NAME_z ..., and lines of numbers"
_MOST_METRES = 1e5


def read_csv(path: str | Path, *, fps: float | None = None) -> Motion:
    """Returns the motion that a table of joint positions shows, on the canonical skeleton, by inverse kinematics.

    Args:
        path: a file as `write_csv` writes it, or as a spreadsheet saves it again, with semicolons or tabs; with the
            joint names of the canonical skeleton or of a rig by name.
        fps: frames per second; from the column ``time`` if not given.

    Raises:
        FormatError: if it is damaged, has other columns, or shows no body.
    """
    header, _, body = read_lines(path).decode(errors="replace").partition("\n")
    separator = max(",;\t", key=header.count)
    columns = [column.strip().strip('"') for column in header.split(separator)]
    names = [column.removesuffix("_x") for column in columns[1::3]]
    if [columns[0].lower(), *columns[1:]] != [
        "time",
        *(f"{name}_{axis}" for name in names for axis in "xyz"),
    ] or not names:
        raise FormatError(path, f"the header is {header[:60]!r}", _EXPECTED, line=1)
    if separator != ",":  # spreadsheets of some languages, which write decimal commas
        body = body.replace(",", ".")
    lines = [line for line in body.splitlines() if line.strip()]
    try:
        table = np.loadtxt(lines, delimiter=separator, ndmin=2) if lines else np.empty((0, len(columns)))
    except ValueError as error:
        raise FormatError(path, f"it cannot be read ({error})", _EXPECTED) from error
    if not len(table) or table.shape[1] != len(columns) or not np.isfinite(table).all():
        raise FormatError(path, f"{table.shape[0]} lines of {table.shape[1]} numbers", _EXPECTED)
    if fps is None and (len(table) < 2 or table[-1, 0] <= table[0, 0]):
        raise FormatError(
            path, "no frame rate", "times that rise, or the rate given: --source-fps 30 (in Python fps=30)"
        )
    rate = fps or float(np.round((len(table) - 1) / (table[-1, 0] - table[0, 0]), 3))
    points = torch.from_numpy(table[:, 1:].reshape(len(table), -1, 3))
    return fitted(path, points, _canonical_names(names), rate)


def fitted(path: str | Path, points: Tensor, names: Sequence[str], fps: float) -> Motion:
    """The motion that joint positions (T, J, 3) of a file show; `fit_positions`, with errors about the file."""
    if float(points.abs().max()) > _MOST_METRES:
        raise FormatError(path, f"positions of {float(points.abs().max()):g}", "metres")
    try:
        found = fit_positions(points, names, fps)
    except (MotionError, SkeletonError) as error:
        raise FormatError(path, f"its joint positions show no body ({error})", "joints of a human body") from error
    return Motion(found.rotations.float(), found.root.float(), found.fps, found.skeleton)


def _canonical_names(names: Sequence[str]) -> Sequence[str]:
    """Names of a rig's joints as those of the canonical skeleton; others as they are."""
    for rig in RIGS:
        joints = standard_rig(rig).names
        if list(joints) == list(names):
            return ([""] * (len(joints) - CANONICAL.num_joints)) + list(CANONICAL.names)
    return names


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
