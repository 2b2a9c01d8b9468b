"""GLB files as users have them: characters in centimetres under a turned armature, in an A-pose, with bone axes of
their own, fingers, a joint outside the skin, an animation; made for the tests from the definition of glTF."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.motion import CANONICAL
from motionclip.motion import rotations as rot
from motionclip.motion.retarget.rigs import MIXAMO

Array = NDArray[np.float64]

SIZE = 1.3
FINGERS = ("Thumb", "Index", "Middle")
#: How arms hang in the A-pose, degrees about Z from the T-pose, by side.
HANG = {"left": -45.0, "right": 45.0}
#: Corners (3, 3) of each joint's triangle, from the joint, metres.
CORNERS = 0.05 * np.eye(3) - [0, 0.02, 0]
_ARM = ("shoulder", "elbow", "wrist", "hand")


def about(axis: int, degrees: float) -> Array:
    rotvec = torch.zeros(3, dtype=torch.float64)
    rotvec[axis] = np.deg2rad(degrees)
    turned: Array = rot.rotvec_to_matrix(rotvec).numpy()
    return turned


def a_pose() -> dict[str, Array]:
    """World rotation of each canonical joint in the A-pose."""
    turns = dict.fromkeys(CANONICAL.names, np.eye(3))
    return turns | {f"{side}_{joint}": about(2, HANG[side]) for side in HANG for joint in _ARM}


@dataclass
class Character:
    """Joints by name, in order: parent's name, rest position in metres, world axes of the rest pose as columns."""

    parents: dict[str, str | None] = field(default_factory=dict)
    places: dict[str, Array] = field(default_factory=dict)
    axes: dict[str, Array] = field(default_factory=dict)
    drivers: dict[str, str] = field(default_factory=dict)  # canonical name by the joint's own

    def add(self, name: str, parent: str | None, place: Array, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.parents[name], self.places[name] = parent, place
        self.axes[name] = rot.rotvec_to_matrix(torch.randn(3, generator=generator, dtype=torch.float64)).numpy()


def character() -> Character:
    """Mixamo's names on the canonical proportions, times SIZE, in the A-pose; fingers, and a joint below the neck."""
    made, turns = Character(), a_pose()
    places: list[Array] = []
    for joint, (name, parent) in enumerate(zip(CANONICAL.names, CANONICAL.parents, strict=True)):
        offset = CANONICAL.offsets[joint].double().numpy() * SIZE
        place = np.array([0, 1.2, 0]) if parent < 0 else places[parent] + turns[CANONICAL.names[parent]] @ offset
        places.append(place)
        if name.endswith("_hand"):
            continue
        own = "mixamorig:" + MIXAMO[name]
        above = None if parent < 0 else "mixamorig:" + MIXAMO[CANONICAL.names[parent]]
        if name == "neck":
            made.add("NeckBase", above, place - [0, 0.02, 0], 99)
            above = "NeckBase"
        made.add(own, above, place, joint)
        made.drivers[own] = name
    for side in ("Left", "Right"):
        hand = f"mixamorig:{side}Hand"
        for number, finger in enumerate(FINGERS):
            away = a_pose()[f"{side.lower()}_wrist"] @ [0.1 if side == "Left" else -0.1, 0, 0.02 * number]
            made.add(f"{hand}{finger}1", hand, made.places[hand] + away, 50 + number)
    return made


def armature_of_centimetres(path: Path, bind: Array | None = None, posed: bool = False, **changes: Any) -> Path:
    """Writes the character as a GLB file.

    Args:
        path: the file.
        bind: (4, 4) matrix from the mesh's own space to the world's; the same space if None.
        posed: whether the nodes stand in another pose than the bind pose.
        changes: entries of the document to set.
    """
    made = character()
    names = list(made.parents)
    armature = np.eye(4)
    armature[:3, :3], armature[:3, 3] = about(0, -90) * 0.01, [0.1, 0.0, 0.2]
    rest = {name: _matrix(made.axes[name] * 0.01, made.places[name]) for name in names}
    first = 2
    nodes: list[dict[str, Any]] = [
        {"name": "Armature", "matrix": armature.T.reshape(-1).tolist(), "children": [first]},
        {"name": "Mesh", "mesh": 0, "skin": 0},
    ]
    for name in names:
        parent = made.parents[name]
        local = np.linalg.inv(armature if parent is None else rest[parent]) @ rest[name]
        if posed and name.endswith(("Arm", "Hand", "Leg")):
            local[:3, :3] = local[:3, :3] @ about(0, 60)
        node = {"name": name, "children": [first + n for n, other in enumerate(names) if made.parents[other] == name]}
        nodes.append(_with_transform({key: value for key, value in node.items() if value}, local, "Leg" in name))
    skinned = [name for name in names if name != "NeckBase"]
    space = np.eye(4) if bind is None else bind
    binds = np.stack([np.linalg.inv(np.linalg.inv(space) @ rest[name]) for name in skinned])
    corners = np.concatenate([made.places[name] + CORNERS for name in skinned])
    corners = (np.c_[corners, np.ones(len(corners))] @ np.linalg.inv(space).T)[:, :3]
    pack = _Pack()
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, 1]}],
        "nodes": nodes,
        "meshes": [{"primitives": [_triangles(pack, corners, len(skinned))], "extras": {"kept": [1, 2]}}],
        "skins": [
            {
                "joints": [first + names.index(name) for name in skinned],
                "inverseBindMatrices": pack.add(binds.transpose(0, 2, 1).reshape(-1, 16).astype("<f4"), "MAT4"),
            }
        ],
        "animations": [_nodding(pack, first + names.index("mixamorig:Head"))],
        "extensionsUsed": ["KHR_materials_unlit"],
        "materials": [{"extensions": {"KHR_materials_unlit": {}}}],
    }
    return pack.write(path, document | changes)


def _matrix(turn: Array, place: Array) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, place
    return matrix


def _with_transform(node: dict[str, Any], local: Array, as_matrix: bool) -> dict[str, Any]:
    if as_matrix:
        return node | {"matrix": local.T.reshape(-1).tolist()}
    scale = np.linalg.norm(local[:3, :3], axis=0)
    quat = rot.matrix_to_quat(torch.from_numpy(local[:3, :3] / scale)).tolist()
    return node | {"translation": local[:3, 3].tolist(), "rotation": quat, "scale": scale.tolist()}


class _Pack:
    def __init__(self) -> None:
        self.binary, self.views, self.accessors = bytearray(), [], []

    def add(self, array: NDArray[Any], kind: str, **extra: Any) -> int:
        self.binary += bytes(-len(self.binary) % 4)
        self.views.append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": array.nbytes})
        self.binary += array.tobytes()
        code = {"f": 5126, "u": 5123}[array.dtype.kind]
        accessor = {"bufferView": len(self.views) - 1, "componentType": code, "count": len(array), "type": kind}
        self.accessors.append(accessor | extra)
        return len(self.accessors) - 1

    def write(self, path: Path, document: dict[str, Any]) -> Path:
        self.binary += bytes(-len(self.binary) % 4)
        arrays = {"buffers": [{"byteLength": len(self.binary)}], "bufferViews": self.views, "accessors": self.accessors}
        text = json.dumps(arrays | document).encode()
        text += b" " * (-len(text) % 4)
        total = 28 + len(text) + len(self.binary)
        header = struct.pack("<4sII", b"glTF", 2, total) + struct.pack("<I4s", len(text), b"JSON")
        path.write_bytes(header + text + struct.pack("<I4s", len(self.binary), b"BIN\0") + self.binary)
        return path


def _triangles(pack: _Pack, corners: Array, joints: int) -> dict[str, Any]:
    """One triangle for each joint, moved by it alone."""
    owners = np.zeros((len(corners), 4), dtype="<u2")
    owners[:, 0] = np.repeat(np.arange(joints), 3)
    weights = np.tile(np.array([1, 0, 0, 0], dtype="<f4"), (len(corners), 1))
    points = corners.astype("<f4")
    attributes = {
        "POSITION": pack.add(points, "VEC3", min=points.min(0).tolist(), max=points.max(0).tolist()),
        "JOINTS_0": pack.add(owners, "VEC4"),
        "WEIGHTS_0": pack.add(weights, "VEC4"),
    }
    return {"attributes": attributes, "material": 0}


def _nodding(pack: _Pack, node: int) -> dict[str, Any]:
    clock = pack.add(np.array([0, 1], dtype="<f4"), "SCALAR", min=[0], max=[1])
    quats = pack.add(np.array([[0, 0, 0, 1], [0.6, 0, 0, 0.8]], dtype="<f4"), "VEC4")
    channel = {"sampler": 0, "target": {"node": node, "path": "rotation"}}
    return {"name": "nod", "samplers": [{"input": clock, "output": quats}], "channels": [channel]}
