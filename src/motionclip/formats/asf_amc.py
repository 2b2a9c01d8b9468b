"""Acclaim motion (AMC) on its skeleton (ASF), as CMU publishes them.

A bone turns about its start, so a joint of ours bears the name of the bone that starts there. Our joints
have the world's axes in the rest pose: with M the turn in the bone's own axes C, the local rotation is
C M C^-1. Within a frame ``rx ry rz`` means a turn about x first, M = R_z R_y R_x.

Source: J. Lander, "Working with Motion Capture File Formats", Game Developer, January 1998.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.files import decode_names, read_lines
from motionclip.formats.number_lines import Line, line_number, read_blocks
from motionclip.motion import Motion, Skeleton
from motionclip.motion.channels import channels_to_matrices, euler_to_matrix
from motionclip.motion.conventions import Recording

Doubles = NDArray[np.float64]
ROOT = "root"
_INCH = 0.0254  # metres
_ASSUMED_FPS = 120.0

_HEADER = re.compile(rb"(?:[ \t]*(?:[#:][^\n]*)?\r?\n)*")
_FIRST_FRAME = re.compile(rb"[ \t]*\d+[ \t\r]*\n((?:[ \t]*[^\s\d:#+.-][^\n]*(?:\n|\Z)|[ \t\r]*\n)+)")

# Skeletons (ASF): bones with direction, length, local axes and degrees of freedom


@dataclass(frozen=True)
class Bone:
    """A bone; it starts at the end of its parent and turns about its start.

    Attributes:
        name: as written; the root is called ``root`` and has no length.
        parent: index of the parent bone, -1 for the root.
        vector: from its start to its end in the rest pose, world axes, metres.
        axis: (3, 3) its local axes in the rest pose, as columns in world axes.
        dof: the values that a frame has for it, in order: ``RX``, ``RY``, ``RZ``, and ``TX``, ``TY``,
            ``TZ`` for the root.
    """

    name: str
    parent: int
    vector: tuple[float, float, float]
    axis: Doubles
    dof: tuple[str, ...]


@dataclass(frozen=True)
class AcclaimSkeleton:
    """The contents of an ASF file.

    Attributes:
        bones: the root first, every bone after its parent.
        unit: metres per unit of lengths and root positions: inches divided by the file's ``length``.
        degrees: whether angles are in degrees.
        root_position: where the root rests, metres.
    """

    bones: tuple[Bone, ...]
    unit: float
    degrees: bool
    root_position: tuple[float, float, float]


@dataclass(frozen=True)
class _Row:
    """A line of a section: its 1-based number, its first word in lower case, and the words after it."""

    line: int
    key: str
    words: tuple[str, ...]


def read_asf(path: str | Path) -> AcclaimSkeleton:
    """An Acclaim skeleton.

    Raises:
        FormatError: if the file is damaged, is no ASF, or its bones form no tree.
    """
    return _AsfParser(path, decode_names(read_lines(path))).parse()


class _AsfParser:
    def __init__(self, path: str | Path, text: str):
        self._path = path
        self._sections = self._split(text)

    def parse(self) -> AcclaimSkeleton:
        units = {row.key: row for row in self._section("units")}
        length = self._numbers(units["length"], 1)[0] if "length" in units else 1.0
        if length <= 0:
            raise self._error("a length of 0 or less in :units", "a positive number", units["length"].line)
        unit = _INCH / length
        degrees = "angle" not in units or units["angle"].words[:1] in ((), ("deg",), ("degrees",))
        root, position = self._root(degrees, unit)
        bones = {ROOT: root}
        for rows in self._blocks():
            bone = self._bone(rows, degrees, unit)
            if bone.name in bones:
                raise self._error(f"a second bone called {bone.name!r}", "distinct bone names", rows[0].line)
            bones[bone.name] = bone
        return AcclaimSkeleton(self._order(bones), unit, degrees, position)

    def _split(self, text: str) -> dict[str, list[_Row]]:
        """Rows by section; a section's own line gives its first row where it has words."""
        sections: dict[str, list[_Row]] = {}
        rows: list[_Row] | None = None
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].replace("(", " ").replace(")", " ").split()
            if not words:
                continue
            if words[0].startswith(":"):
                rows = sections.setdefault(words[0][1:].lower(), [])
            elif rows is None:
                raise self._error(f"{words[0]!r}", "an ASF file, which begins with sections such as :version", number)
            else:
                rows.append(_Row(number, words[0].lower(), tuple(words[1:])))
        return sections

    def _error(self, problem: str, expected: str, line: int | None = None) -> FormatError:
        return FormatError(self._path, problem, expected, line)

    def _section(self, name: str) -> list[_Row]:
        if name not in self._sections:
            raise self._error(f"there is no section :{name}", ":units, :root, :bonedata and :hierarchy")
        return self._sections[name]

    def _numbers(self, row: _Row, count: int) -> tuple[float, ...]:
        try:
            values = tuple(float(word) for word in row.words[:count])
        except ValueError:
            values = ()
        if len(values) != count or not all(math.isfinite(value) for value in values):
            raise self._error(f"'{row.key} {' '.join(row.words)}'", f"{row.key} and {count} finite numbers", row.line)
        return values

    def _axis(self, row: _Row, order: tuple[str, ...], degrees: bool) -> Doubles:
        """Axes as a matrix (3, 3): turns about the world's axes in the order that is given, XYZ if none."""
        angles = np.array(self._numbers(row, 3))
        axes = order[0].upper() if order else "XYZ"
        if sorted(axes) != ["X", "Y", "Z"]:
            raise self._error(f"an order of axes {axes!r}", "the letters X, Y and Z", row.line)
        in_degrees = angles if degrees else np.rad2deg(angles)
        return euler_to_matrix(in_degrees[None, ::-1], axes[::-1])[0]

    def _root(self, degrees: bool, unit: float) -> tuple[Bone, tuple[float, float, float]]:
        rows = {row.key: row for row in self._section("root")}
        for key in ("order", "position", "orientation"):
            if key not in rows:
                raise self._error(f"no {key!r} in :root", "order, axis, position and orientation")
        order = rows["axis"].words if "axis" in rows else ()
        axis = self._axis(rows["orientation"], order, degrees)
        x, y, z = (value * unit for value in self._numbers(rows["position"], 3))
        return Bone(ROOT, -1, (0.0, 0.0, 0.0), axis, self._dof(rows["order"], "TR")), (x, y, z)

    def _dof(self, row: _Row, kinds: str) -> tuple[str, ...]:
        dof = tuple(word.upper() for word in row.words)
        known = {kind + axis for kind in kinds for axis in "XYZ"}
        if not set(dof) <= known or len(set(dof)) < len(dof):
            raise self._error(
                f"degrees of freedom {' '.join(row.words)!r}", f"some of {', '.join(sorted(known))}", row.line
            )
        return dof

    def _blocks(self) -> Iterator[list[_Row]]:
        """The rows of each bone, with its ``begin`` first."""
        block: list[_Row] | None = None
        for row in self._section("bonedata"):
            if row.key == "begin":
                block = [row]
            elif block is None:
                raise self._error(f"{row.key!r} outside a bone", "begin", row.line)
            elif row.key == "end":
                yield block
                block = None
            else:
                block.append(row)
        if block is not None:
            raise self._error("the file ends inside a bone", "end", block[0].line)

    def _bone(self, block: list[_Row], degrees: bool, unit: float) -> Bone:
        rows = {row.key: row for row in block}
        for key in ("name", "direction", "length", "axis"):
            if key not in rows or not rows[key].words:
                raise self._error(f"a bone without {key!r}", "name, direction, length and axis", block[0].line)
        length = self._numbers(rows["length"], 1)[0] * unit
        x, y, z = (value * length for value in self._numbers(rows["direction"], 3))
        axis = self._axis(rows["axis"], rows["axis"].words[3:], degrees)
        dof = self._dof(rows["dof"], "R") if "dof" in rows else ()
        return Bone(rows["name"].words[0], -1, (x, y, z), axis, dof)

    def _order(self, bones: dict[str, Bone]) -> tuple[Bone, ...]:
        """The bones with their parents, each after its parent, in the order of the hierarchy."""
        children = self._children(bones)
        ordered: list[Bone] = []
        waiting = [(ROOT, -1)]
        while waiting:
            name, parent = waiting.pop()
            waiting.extend((child, len(ordered)) for child in reversed(children.get(name, ())))
            ordered.append(replace(bones[name], parent=parent))
        lost = sorted(set(bones) - {bone.name for bone in ordered})
        if lost:
            raise self._error(f"bones that do not hang on the root: {', '.join(lost)}", "one tree without cycles")
        return tuple(ordered)

    def _children(self, bones: dict[str, Bone]) -> dict[str, list[str]]:
        children: dict[str, list[str]] = {}
        placed = {ROOT}
        for row in self._section("hierarchy"):
            parent = ROOT if row.key == ROOT else next((name for name in bones if name.lower() == row.key), row.key)
            if row.key in ("begin", "end"):
                continue
            for name in (parent, *row.words):
                if name not in bones:
                    raise self._error(f"the hierarchy names {name!r}", "a bone of :bonedata", row.line)
            for name in row.words:
                if name in placed:
                    raise self._error(f"bone {name!r} has two parents, or is the root", "one parent each", row.line)
                placed.add(name)
            children.setdefault(parent, []).extend(row.words)
        return children


# Motions (AMC)


def read_amc(path: str | Path, asf: str | Path | None = None, fps: float | None = None) -> Motion:
    """An AMC file on its own skeleton; metres, Y up. The rest pose is that of the ASF file.

    Args:
        path: the AMC file.
        asf: its skeleton. If None: the ASF file beside it of the same name, else of the name up to the
            last underscore (``03.asf`` for ``03_01.amc``), else the only one of the folder.
        fps: frames per second, which the file does not say; CMU's 120 if None, though a few trials have 60.

    Raises:
        FormatError: naming the line, if one of the files is damaged, missing, or does not fit the other.
    """
    return record_amc(path, fps, asf).motion


def record_amc(path: str | Path, fps: float | None = None, asf: str | Path | None = None) -> Recording:
    """As `read_amc`, with the rate that was assumed.

    Raises:
        FormatError: as `read_amc`.
    """
    acclaim = read_asf(_find_asf(Path(path)) if asf is None else asf)
    content = read_lines(path)
    start = _header_end(content)
    lines, columns = _layout(path, content, start, acclaim.bones)
    values = read_blocks(path, content, start, lines, content.count(b"\n") // len(lines) + 1)
    _check_numbering(path, values[:, 0])
    degree = 1.0 if _in_degrees(content[:start], acclaim) else np.rad2deg(1.0)
    rotations = _rotations(acclaim.bones, values * degree, columns)
    root = np.array(acclaim.root_position) + _translations(acclaim.bones[0], values, columns[0]) * acclaim.unit
    motion = Motion(
        torch.from_numpy(rotations.astype(np.float32)),
        torch.from_numpy(root.astype(np.float32)),
        _ASSUMED_FPS if fps is None else fps,
        _skeleton(acclaim.bones),
    )
    return Recording(
        motion, up="+y", unit=1.0, assumed_rate=None if fps else "assumed, as an .amc file does not state it"
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
    indices = {bone.name: index for index, bone in enumerate(bones)}
    lines, columns, width = [Line(b"", 1)], [0] * len(bones), 1
    labels = [words[0] for words in map(bytes.split, frame[1].split(b"\n")) if words]
    names = decode_names(b"\n".join(labels)).split("\n") if labels else []
    for label, name in zip(labels, names, strict=True):
        index = indices.pop(name, None)
        if index is None:
            raise FormatError(path, f"bone {name!r}", "bones of its ASF file, once in a frame", line)
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
