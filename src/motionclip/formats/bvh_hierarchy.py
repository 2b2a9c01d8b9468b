"""The hierarchy of a BVH file: trees of joints with offsets and channels, of which one is a body."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.motion import Skeleton
from motionclip.motion.retarget.humanoid import REQUIRED, Humanoid, body_of

Doubles = NDArray[np.float64]

_AXES = {"x": 0, "y": 1, "z": 2}
#: Trees of a file that are looked at.
_MOST_LOOKED_AT = 20
_TOKEN = re.compile(r"[{}]|[^\s{}]+|\n")


@dataclass
class BvhJoint:
    """A joint as the file has it: lengths in file units.

    Attributes:
        name: as written.
        parent: index of the parent, -1 for the root.
        line: 1-based line of its name.
        offset: rest position relative to the parent.
        positions: (axis, column) of each position channel, axis 0, 1 or 2.
        rotations: (axis, column) of each rotation channel, in the order of multiplication.
        end_sites: offsets of its tips.
    """

    name: str
    parent: int
    line: int
    offset: tuple[float, float, float] | None = None
    positions: list[tuple[int, int]] = field(default_factory=list)
    rotations: list[tuple[int, int]] = field(default_factory=list)
    end_sites: list[tuple[float, float, float]] = field(default_factory=list)


def parse_hierarchy(path: str | Path, text: str) -> tuple[list[BvhJoint], int]:
    """The joints, each after its parent, and the number of channels of a frame.

    Of a file with several trees, those of a body: the largest of them. The others may be props, or targets of limbs.

    Args:
        path: the file, for messages.
        text: from ``HIERARCHY`` up to the line ``MOTION``.

    Raises:
        FormatError: if it is not a BVH hierarchy with distinct names in each tree.
    """
    joints, columns = _HierarchyParser(path, text).parse()
    roots = [index for index, joint in enumerate(joints) if joint.parent < 0]
    if len(roots) == 1:
        return joints, columns
    ends = [*roots[1:], len(joints)]
    trees = [
        [replace(joint, parent=max(joint.parent - start, -1)) for joint in joints[start:end]]
        for start, end in zip(roots, ends, strict=True)
    ]
    largest = sorted(trees, key=len, reverse=True)[:_MOST_LOOKED_AT]
    chosen = next((tree for tree in largest if len(tree) >= len(REQUIRED) and find_body(tree)), largest[0])
    warnings.warn(f"{path}: {len(trees)} trees of joints; that of {chosen[0].name} is read", stacklevel=3)
    return chosen, columns


def find_body(joints: Sequence[BvhJoint]) -> Humanoid | None:
    """The body that joints are; None if they are none."""
    return body_of(skeleton_of(joints, np.array([joint.offset for joint in joints], dtype=float)))


def with_joints_at_tips(joints: list[BvhJoint]) -> list[BvhJoint]:
    """The joints of a file, with joints at those tips that are all there is of a wrist, an ankle or a head.

    Some files end forearms, shins and necks in an End Site. Joints there do not turn; others stay end sites. A body
    that names tell needs none; one that is known by its shape may be another one with its tips.
    """
    known = find_body(joints)
    if known is not None and known.confidence > 0.5:
        return joints
    tips = [
        BvhJoint(f"{joint.name}_end", parent, joint.line, joint.end_sites[0])
        for parent, joint in enumerate(joints)
        if joint.end_sites and any(joint.end_sites[0])
    ]
    grown = find_body([*joints, *tips])
    if grown is None:
        return joints
    parts = set(grown.joints.values())
    kept = [tip for number, tip in enumerate(tips, start=len(joints)) if number in parts]
    owners = {tip.parent for tip in kept}
    bare = [replace(joint, end_sites=[]) if number in owners else joint for number, joint in enumerate(joints)]
    return [*bare, *kept]


class _HierarchyParser:
    """A parser by tokens; a stack instead of recursion, so that depth is no limit."""

    def __init__(self, path: str | Path, text: str):
        self._path = path
        self._tokens = _TOKEN.findall(text)
        self._at, self._line, self._columns = 0, 1, 0
        self._joints: list[BvhJoint] = []
        self._names: set[str] = set()  # of the tree that is being read

    def parse(self) -> tuple[list[BvhJoint], int]:
        self._expect("HIERARCHY")
        self._expect("ROOT")
        self._tree()
        while self._goes_on():
            self._tree()
        return self._joints, self._columns

    def _tree(self) -> None:
        self._names = set()
        open_joints = [self._open_joint(-1)]
        while open_joints:
            joint = self._joints[open_joints[-1]]
            word = self._next("OFFSET, CHANNELS, JOINT, End Site or '}'")
            match word.upper():
                case "OFFSET":
                    joint.offset = self._offset()
                case "CHANNELS":
                    self._channels(joint)
                case "JOINT":
                    open_joints.append(self._open_joint(open_joints[-1]))
                case "END":
                    joint.end_sites.append(self._end_site())
                case "}":
                    self._check_closed(joint)
                    open_joints.pop()
                case _:
                    raise self._error(f"{word!r}", "OFFSET, CHANNELS, JOINT, End Site or '}'")

    def _error(self, problem: str, expected: str, line: int | None = None) -> FormatError:
        return FormatError(self._path, problem, expected, self._line if line is None else line)

    def _next(self, expected: str) -> str:
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token != "\n":
                return token
            self._line += 1
        raise self._error("the hierarchy ends early", expected)

    def _expect(self, word: str) -> None:
        found = self._next(repr(word))
        if found.upper() != word.upper():
            raise self._error(f"{found!r}", f"{word!r}")

    def _number(self) -> float:
        word = self._next("a number")
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._error(f"{word!r}", "a finite number")
        return value

    def _offset(self) -> tuple[float, float, float]:
        return self._number(), self._number(), self._number()

    def _open_joint(self, parent: int) -> int:
        name = self._name()
        if name in self._names:
            raise self._error(f"a second joint called {name!r}", "distinct joint names")
        self._names.add(name)
        self._joints.append(BvhJoint(name, parent, self._line))
        self._expect("{")
        return len(self._joints) - 1

    def _name(self) -> str:
        """All words up to the end of the line or a brace: some exporters write names with spaces."""
        words = []
        while self._at < len(self._tokens) and self._tokens[self._at] not in ("\n", "{", "}"):
            words.append(self._tokens[self._at])
            self._at += 1
        if not words:
            raise self._error("a joint without a name", "a name after ROOT or JOINT")
        return " ".join(words)

    def _channels(self, joint: BvhJoint) -> None:
        count = self._next("the number of channels")
        if not count.isdecimal():
            raise self._error(f"{count!r}", "the number of channels")
        for _ in range(int(count)):
            name = self._next(f"{count} channel names")
            axis, kind = _AXES.get(name[:1].lower()), name[1:].lower()
            if axis is None or kind not in ("position", "rotation"):
                raise self._error(
                    f"channel {name!r}", "Xposition, Yposition, Zposition or Xrotation, Yrotation, Zrotation"
                )
            (joint.positions if kind == "position" else joint.rotations).append((axis, self._columns))
            self._columns += 1
        axes = [axis for axis, _ in joint.positions]
        if len(set(axes)) < len(axes):
            raise self._error(f"joint {joint.name!r} has a position channel twice", "each at most once")

    def _end_site(self) -> tuple[float, float, float]:
        self._expect("Site")
        while (word := self._next("'{' after End Site")) != "{":  # some exporters name their end sites
            if word in ("}", "OFFSET"):
                raise self._error(f"{word!r}", "'{' after End Site")
        self._expect("OFFSET")
        offset = self._offset()
        self._expect("}")
        return offset

    def _check_closed(self, joint: BvhJoint) -> None:
        if joint.offset is None:
            raise self._error(f"joint {joint.name!r} has no OFFSET", "an OFFSET of three numbers", joint.line)

    def _goes_on(self) -> bool:
        """Whether another tree follows."""
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.upper() == "ROOT":
                return True
            if token != "\n":
                raise self._error(f"{token!r} after the last '}}'", "ROOT or MOTION")
            self._line += 1
        return False


def skeleton_of(joints: Sequence[BvhJoint], offsets: Doubles) -> Skeleton:
    """The skeleton of joints with offsets (J, 3).

    Tips at zero, which many files have because every leaf needs one, say nothing and are left out.
    """
    sites = ((index, site) for index, joint in enumerate(joints) for site in joint.end_sites if any(site))
    return Skeleton(
        names=tuple(joint.name for joint in joints),
        parents=tuple(joint.parent for joint in joints),
        offsets=torch.from_numpy(offsets.astype(np.float32)),
        end_sites=tuple(sites),
    )
