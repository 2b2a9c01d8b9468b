"""How high a character's ankles are over its soles, from the skin of a GLB file: shoes and paws differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionclip.formats.glb import Glb
from motionclip.formats.gltf_rig import DAMAGE, GltfRig, inverse_binds
from motionclip.motion.retarget import detect_family, rest_up

Doubles = NDArray[np.float64]


def ankle_height(rig: GltfRig) -> float | None:
    """Mean height in metres of both ankles over the lowest vertex of their feet, in the rest pose.

    None if a foot has no vertices of its own, or the mesh is compressed.

    Raises:
        SkeletonError: if the joint names fit no family.
    """
    joints = detect_family(rig.skeleton)[1]
    up = rest_up(rig.skeleton).double().numpy()
    try:
        heights, owners = _skin(rig, up)
    except DAMAGE:
        return None
    ankles = [joints["left_ankle"], joints["right_ankle"]]
    feet = [heights[np.isin(owners, _below(rig, ankle))] for ankle in ankles]
    if not all(len(foot) for foot in feet):
        return None
    rest = rig.skeleton.rest_positions.double().numpy() @ up
    return float(np.mean([rest[ankle] - foot.min() for ankle, foot in zip(ankles, feet, strict=True)]))


def _below(rig: GltfRig, joint: int) -> list[int]:
    """A joint and all that hang on it."""
    found = [joint]
    for number, parent in enumerate(rig.skeleton.parents):
        if parent in found:
            found.append(number)
    return found


def _skin(rig: GltfRig, up: Doubles) -> tuple[Doubles, NDArray[np.int64]]:
    """Height of each skinned vertex in the rest pose, and the joint that moves it most."""
    heights, owners = [np.empty(0)], [np.empty(0, dtype=np.int64)]
    places = rig.skeleton.rest_positions.double().numpy()
    for skin, primitive in _primitives(rig.glb):
        inverse = inverse_binds(rig.glb, skin)
        numbers = np.array([rig.nodes.index(node) for node in skin["joints"]])
        points, slots, weights = (
            rig.glb.array(primitive["attributes"][name]) for name in ("POSITION", "JOINTS_0", "WEIGHTS_0")
        )
        first = np.take_along_axis(slots, weights.argmax(1)[:, None], 1)[:, 0].astype(np.int64)
        local = (inverse[first, :3, :3] @ points[..., None])[..., 0] + inverse[first, :3, 3]
        owner = numbers[first]
        turned = (rig.turns.numpy()[owner] @ local[..., None])[..., 0] * rig.scales[owner, None]
        heights.append((places[owner] + turned) @ up)
        owners.append(owner)
    return np.concatenate(heights), np.concatenate(owners)


def _primitives(glb: Glb) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Skin and primitive of everything that is skinned."""
    for node in glb.document["nodes"]:
        if "skin" in node and "mesh" in node:
            for primitive in glb.document["meshes"][node["mesh"]]["primitives"]:
                yield glb.document["skins"][node["skin"]], primitive
