"""Acclaim skeletons (ASF): bones with direction, length, local axes and degrees of freedom.

Source of the meaning: J. Lander, "Working with Motion Capture File Formats", Game Developer, January 1998.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.euler import euler_to_matrix
from motionclip.formats.files import read_bytes

Doubles = NDArray[np.float64]
ROOT = "root"
_INCH = 0.0254  # metres


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
    """What an ASF file says.

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
    return _AsfParser(path, read_bytes(path).decode("utf-8", "replace")).parse()


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
