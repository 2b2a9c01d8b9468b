"""Standard rigs: the canonical skeleton under the joint names of other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch

from motionclip.errors import SkeletonError
from motionclip.motion.retarget.families import MIXAMO, RIGIFY, UNITY, UNREAL, Family
from motionclip.motion.skeleton import ANKLE_HEIGHT, CANONICAL, Skeleton


@dataclass(frozen=True)
class _Naming:
    """A family's names; ``prefix`` before each, ``root`` the name of a joint on the floor above the pelvis."""

    family: Family
    prefix: str = ""
    root: str | None = None


_NAMINGS: Mapping[str, _Naming] = {
    "blender": _Naming(RIGIFY),
    "mixamo": _Naming(MIXAMO, prefix="mixamorig:"),
    "unreal": _Naming(UNREAL, root="root"),
    "unity": _Naming(UNITY),
}

#: The rigs that `standard_rig` knows.
RIGS = tuple(_NAMINGS)


@cache
def standard_rig(name: str) -> Skeleton:
    """The canonical skeleton with the joint names of a program.

    Args:
        name: ``blender`` (Rigify's names), ``mixamo``, ``unreal`` (the mannequin's; with its joint ``root`` on the
            floor below the pelvis) or ``unity`` (HumanBodyBones).

    Returns:
        24 joints in canonical order, after the joint above the pelvis if there is one.

    Raises:
        SkeletonError: if there is no such rig.
    """
    if name not in _NAMINGS:
        raise SkeletonError(f"no rig is called {name!r}; expected one of {', '.join(RIGS)}, or a .bvh or .glb file")
    naming = _NAMINGS[name]
    named = Skeleton(
        names=tuple(naming.prefix + naming.family.joints[joint] for joint in CANONICAL.names),
        parents=CANONICAL.parents,
        offsets=CANONICAL.offsets,
        end_sites=CANONICAL.end_sites,
    )
    return named if naming.root is None else _under_root(named, naming.root)


def _under_root(skeleton: Skeleton, root: str) -> Skeleton:
    """The skeleton with a joint above its own root, on the floor of the rest pose."""
    offsets = torch.cat([torch.zeros(1, 3), skeleton.offsets])
    offsets[1, 1] = ANKLE_HEIGHT - float(CANONICAL.rest_positions[CANONICAL.index("left_ankle"), 1])
    return Skeleton(
        names=(root, *skeleton.names),
        parents=(-1, *(parent + 1 for parent in skeleton.parents)),
        offsets=offsets,
        end_sites=tuple((joint + 1, tip) for joint, tip in skeleton.end_sites),
    )
