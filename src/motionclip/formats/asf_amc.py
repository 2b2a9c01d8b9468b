"""Acclaim motion (AMC) on its skeleton (ASF), as CMU publishes them.

A bone turns about its start, so a joint of ours bears the name of the bone that starts there. Our joints
have the world's axes in the rest pose: with M the turn in the bone's own axes C, the local rotation is
C M C^-1. Within a frame ``rx ry rz`` means a turn about x first, M = R_z R_y R_x.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.asf import AcclaimSkeleton, Bone, read_asf
from motionclip.formats.euler import channels_to_matrices
from motionclip.formats.files import read_bytes
from motionclip.formats.number_lines import Line, line_number, read_blocks
from motionclip.motion import Motion, Skeleton

Doubles = NDArray[np.float64]

_HEADER = re.compile(rb"(?:[ \t]*(?:[#:][^\n]*)?\r?\n)*")
_FIRST_FRAME = re.compile(rb"[ \t]*\d+[ \t\r]*\n((?:[ \t]*[A-Za-z_][^\n]*(?:\n|\Z)|[ \t\r]*\n)+)")


def read_amc(path: str | Path, asf: str | Path | None = None, fps: float = 120.0) -> Motion:
    """An AMC file on its own skeleton; metres, Y up. The rest pose is that of the ASF file.

    Args:
        path: the AMC file.
        asf: its skeleton. If None: the ASF file beside it of the same name, else of the name up to the
            last underscore (``03.asf`` for ``03_01.amc``), else the only one of the folder.
        fps: frames per second, which the file does not say. CMU: 120, a few trials 60.

    Raises:
        FormatError: naming the line, if one of the files is damaged, missing, or does not fit the other.
    """
    acclaim = read_asf(_find_asf(Path(path)) if asf is None else asf)
    content = read_bytes(path)
    start = _header_end(content)
    lines, columns = _layout(path, content, start, acclaim.bones)
    values = read_blocks(path, content, start, lines, content.count(b"\n") // len(lines) + 1)
    _check_numbering(path, values[:, 0])
    degree = 1.0 if _in_degrees(content[:start], acclaim) else np.rad2deg(1.0)
    rotations = _rotations(acclaim.bones, values * degree, columns)
    root = np.array(acclaim.root_position) + _translations(acclaim.bones[0], values, columns[0]) * acclaim.unit
    return Motion(
        torch.from_numpy(rotations.astype(np.float32)),
        torch.from_numpy(root.astype(np.float32)),
        fps,
        _skeleton(acclaim.bones),
    )


def _find_asf(amc: Path) -> Path:
    named = [amc.with_suffix(".asf"), amc.with_name(f"{amc.stem.rpartition('_')[0]}.asf")]
    found = [path for path in named if path.is_file()] or sorted(amc.parent.glob("*.asf"))
    if len(found) != 1 and not (found and found[0] in named):
        raise FormatError(
            amc, f"{len(found)} ASF files beside it", f"its skeleton as {named[0].name} or {named[1].name}"
        )
    return found[0]


def _header_end(content: bytes) -> int:
    """The byte after comments, flags and empty lines."""
    header = _HEADER.match(content)
    return header.end() if header else 0


def _in_degrees(header: bytes, acclaim: AcclaimSkeleton) -> bool:
    flags = {line.strip().upper() for line in header.splitlines()}
    return (acclaim.degrees and b":RADIANS" not in flags) or b":DEGREES" in flags


def _layout(path: str | Path, content: bytes, start: int, bones: Sequence[Bone]) -> tuple[list[Line], list[int]]:
    """The lines of a frame, from the first one, and for each bone the column of its first value.

    Raises:
        FormatError: if the frame lacks a bone that moves, or has one that the skeleton lacks.
    """
    frame = _FIRST_FRAME.match(content, start)
    line = line_number(content, start)
    if frame is None:
        raise FormatError(path, "no frame", "the number of a frame on a line, then a line for each bone", line)
    indices = {bone.name.encode(): index for index, bone in enumerate(bones)}
    lines, columns, width = [Line(b"", 1)], [0] * len(bones), 1
    for label in (words[0] for words in map(bytes.split, frame[1].splitlines()) if words):
        index = indices.pop(label, None)
        if index is None:
            raise FormatError(path, f"bone {label.decode('latin-1')!r}", "bones of its ASF file, once in a frame", line)
        lines.append(Line(label, len(bones[index].dof)))
        columns[index], width = width, width + len(bones[index].dof)
    missing = [bones[index].name for index in indices.values() if bones[index].dof]
    if missing:
        raise FormatError(path, f"the first frame lacks {', '.join(missing)}", "all bones that move", line)
    return lines, columns


def _check_numbering(path: str | Path, numbers: Doubles) -> None:
    """Frames are numbered one by one: a gap is damage, and would change the speed of the motion."""
    if len(numbers) == 0:
        raise FormatError(path, "no frames", "at least one")
    wrong = np.flatnonzero(np.diff(numbers) != 1)
    if len(wrong):
        before, after = numbers[wrong[0] : wrong[0] + 2]
        raise FormatError(path, f"frame {after:g} follows frame {before:g}", f"frame {before + 1:g}")


def _rotations(bones: Sequence[Bone], values: Doubles, columns: Sequence[int]) -> Doubles:
    """Local rotations (T, J, 3, 3) relative to the rest pose, of values (T, C) with angles in degrees."""
    turns = [
        [("XYZ".index(dof[1]), first + place) for place, dof in enumerate(bone.dof) if dof[0] == "R"][::-1]
        for bone, first in zip(bones, columns, strict=True)
    ]
    axes, places = np.array([turn for bone in turns for turn in bone], dtype=np.int64).reshape(-1, 2).T
    starts = np.cumsum([0] + [len(bone) for bone in turns])
    local = channels_to_matrices(values, np.ascontiguousarray(places), np.ascontiguousarray(axes), starts)
    rest = np.stack([bone.axis for bone in bones])
    return rest @ local @ rest.swapaxes(-1, -2)


def _translations(root: Bone, values: Doubles, first: int) -> Doubles:
    """Path (T, 3) of the root in file units; its values begin at column ``first``."""
    path = np.zeros((len(values), 3))
    for place, dof in enumerate(root.dof):
        if dof[0] == "T":
            path[:, "XYZ".index(dof[1])] = values[:, first + place]
    return path


def _skeleton(bones: Sequence[Bone]) -> Skeleton:
    """Joints at the starts of the bones; ends of the last bones are end sites."""
    parents = [bone.parent for bone in bones]
    starts = [bones[parent].vector if parent >= 0 else (0.0, 0.0, 0.0) for parent in parents]
    tips = [index for index in range(1, len(bones)) if index not in parents]
    return Skeleton(
        names=tuple(bone.name for bone in bones),
        parents=tuple(parents),
        offsets=torch.tensor(starts, dtype=torch.float32),
        end_sites=tuple((index, bones[index].vector) for index in tips),
    )
