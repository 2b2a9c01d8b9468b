"""Skeletons: trees of named joints with rest offsets, and the canonical one of 24 joints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from motionclip.errors import SkeletonError

#: Joints of a skeleton, whose memory and work grow with their square.
MOST_JOINTS = 4096


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A tree of joints in a rest pose. Metres; Y up, facing +Z, left is +X for the canonical one.

    Attributes:
        names: J distinct joint names, root first.
        parents: J indices; -1 for the root, and for every other joint an index before its own.
        offsets: (J, 3) rest position of each joint relative to its parent; the root's is kept
            for files but never added to a motion's root path.
        end_sites: tips of leaf bones as (joint index, (x, y, z) offset from that joint).
        roles: body part to joint name, of parts that were given and are not to be recognised; files do not keep them.
        parent_slots: for each of ``levels`` but the first, where in the level above the parent of each joint is.
        ancestry: (J, J) 1 where the column's joint is the row's joint or an ancestor of it, the root left out: a joint
            position is the sum of the bones above it.

    Raises:
        SkeletonError: on duplicate names, more than ``MOST_JOINTS``, more than one root, a parent that does not come
            first, or offsets that are not finite (J, 3).
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Tensor
    end_sites: tuple[tuple[int, tuple[float, float, float]], ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    parent_slots: tuple[Tensor, ...] = field(init=False, repr=False)
    ancestry: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = len(self.names)
        if count == 0:
            raise SkeletonError("a skeleton has no joints; expected at least one")
        duplicates = sorted(name for name, times in Counter(self.names).items() if times > 1)
        if duplicates:
            raise SkeletonError(f"joint names occur twice: {', '.join(duplicates[:8])}; expected distinct names")
        if len(self.parents) != count or tuple(self.offsets.shape) != (count, 3):
            raise SkeletonError(
                f"{count} names, {len(self.parents)} parents and offsets of shape "
                f"{tuple(self.offsets.shape)}; expected {count} of each and ({count}, 3)"
            )
        if not torch.isfinite(self.offsets).all():
            raise SkeletonError("rest offsets contain NaN or infinity; expected finite metres")
        if count > MOST_JOINTS:
            raise SkeletonError(f"{count} joints; expected at most {MOST_JOINTS}")
        for joint, parent in enumerate(self.parents):
            if (joint == 0) != (parent == -1) or not -1 <= parent < max(joint, 1):
                raise SkeletonError(
                    f"joint {self.names[joint]!r} has parent index {parent}; expected -1 for the first joint "
                    "only and, for the others, the index of an earlier joint"
                )
        # Made here, not on first use, which may be in inference mode or in a tracer: such tensors cannot be shared.
        with torch.inference_mode(False):
            object.__setattr__(self, "parent_slots", self._slots_of_parents())
            object.__setattr__(self, "ancestry", self._bones_above())

    def _slots_of_parents(self) -> tuple[Tensor, ...]:
        slot = {joint: place for level in self.levels for place, joint in enumerate(level)}
        return tuple(torch.tensor([slot[self.parents[joint]] for joint in level]) for level in self.levels[1:])

    def _bones_above(self) -> Tensor:
        bones = np.eye(self.num_joints, dtype=np.float32)
        for joint, parent in enumerate(self.parents[1:], start=1):
            bones[joint] += bones[parent]
        bones[:, 0] = 0
        return torch.from_numpy(bones)

    @property
    def num_joints(self) -> int:
        return len(self.names)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: joint for joint, name in enumerate(self.names)}

    def index(self, name: str) -> int:
        """Index of the joint called ``name``.

        Raises:
            SkeletonError: if there is none.
        """
        if name not in self._index:
            raise SkeletonError(f"no joint is called {name!r}; this skeleton has {', '.join(self.names)}")
        return self._index[name]

    def indices(self, names: Sequence[str]) -> list[int]:
        """Indices of several joints, by name."""
        return [self.index(name) for name in names]

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Children of each joint, in order."""
        found: list[list[int]] = [[] for _ in self.names]
        for child, parent in enumerate(self.parents[1:], start=1):
            found[parent].append(child)
        return tuple(map(tuple, found))

    @cached_property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """Joints by depth in the tree, root level first: kinematics runs one level at a time."""
        depth = [0] * self.num_joints
        found: list[list[int]] = [[] for _ in self.names]
        for joint, parent in enumerate(self.parents):
            depth[joint] = 0 if parent < 0 else depth[parent] + 1
            found[depth[joint]].append(joint)
        return tuple(tuple(level) for level in found if level)

    @cached_property
    def rest_positions(self) -> Tensor:
        """(J, 3) joint positions of the rest pose, metres, root at the origin."""
        positions = torch.zeros_like(self.offsets)
        for level in self.levels[1:]:
            parents = [self.parents[joint] for joint in level]
            positions[list(level)] = positions[parents] + self.offsets[list(level)]
        return positions

    @cached_property
    def swapped_sides(self) -> tuple[int, ...]:
        """For each joint the joint of the other side (itself on the midline).

        Raises:
            SkeletonError: if a ``left_*`` joint has no ``right_*`` twin or the reverse.
        """
        twins = {"left_": "right_", "right_": "left_"}

        def other(name: str) -> str:
            for side, opposite in twins.items():
                if name.startswith(side):
                    return opposite + name.removeprefix(side)
            return name

        return tuple(self.index(other(name)) for name in self.names)


# A plain average human of 1.7 m in T-pose; proportions of the CC0 MakeHuman body, rounded to
# millimetres and made symmetric.
_CANONICAL_JOINTS: dict[str, tuple[str | None, tuple[float, float, float]]] = {
    "pelvis": (None, (0.0, 0.0, 0.0)),
    "left_hip": ("pelvis", (0.105, -0.043, -0.012)),
    "right_hip": ("pelvis", (-0.105, -0.043, -0.012)),
    "spine1": ("pelvis", (0.0, 0.099, 0.007)),
    "left_knee": ("left_hip", (-0.002, -0.412, 0.030)),
    "right_knee": ("right_hip", (0.002, -0.412, 0.030)),
    "spine2": ("spine1", (0.0, 0.108, -0.013)),
    "left_ankle": ("left_knee", (0.002, -0.418, -0.030)),
    "right_ankle": ("right_knee", (-0.002, -0.418, -0.030)),
    "spine3": ("spine2", (0.0, 0.121, -0.031)),
    "left_foot": ("left_ankle", (-0.003, -0.048, 0.145)),
    "right_foot": ("right_ankle", (0.003, -0.048, 0.145)),
    "neck": ("spine3", (0.0, 0.179, 0.028)),
    "left_collar": ("spine3", (0.060, 0.146, 0.037)),
    "right_collar": ("spine3", (-0.060, 0.146, 0.037)),
    "head": ("neck", (0.0, 0.050, 0.015)),
    "left_shoulder": ("left_collar", (0.113, -0.061, 0.004)),
    "right_shoulder": ("right_collar", (-0.113, -0.061, 0.004)),
    "left_elbow": ("left_shoulder", (0.265, 0.0, 0.0)),
    "right_elbow": ("right_shoulder", (-0.265, 0.0, 0.0)),
    "left_wrist": ("left_elbow", (0.238, 0.0, 0.0)),
    "right_wrist": ("right_elbow", (-0.238, 0.0, 0.0)),
    "left_hand": ("left_wrist", (0.085, 0.0, 0.0)),
    "right_hand": ("right_wrist", (-0.085, 0.0, 0.0)),
}
_TIPS: dict[str, tuple[float, float, float]] = {
    "left_foot": (0.0, 0.0, 0.060),
    "right_foot": (0.0, 0.0, 0.060),
    "head": (0.0, 0.196, 0.0),
    "left_hand": (0.090, 0.0, 0.0),
    "right_hand": (-0.090, 0.0, 0.0),
}

#: Height in metres of the ankle and of the foot (toe base) joint above the sole, in the rest pose.
ANKLE_HEIGHT, FOOT_HEIGHT = 0.074, 0.026


def _canonical() -> Skeleton:
    table = _CANONICAL_JOINTS
    names = tuple(table)
    return Skeleton(
        names=names,
        parents=tuple(-1 if parent is None else names.index(parent) for parent, _ in table.values()),
        offsets=torch.tensor([offset for _, offset in table.values()]),
        end_sites=tuple((names.index(name), tip) for name, tip in _TIPS.items()),
    )


#: The 24 SMPL joint names and tree, with rest offsets of our own (T-pose, 1.7 m).
CANONICAL = _canonical()
