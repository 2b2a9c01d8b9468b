"""GLB (binary glTF 2.0): the default body, skinned and animated, for any 3D program.

glTF is in metres, Y up, facing +Z and right-handed, as we are; its quaternions are (x, y, z, w), as
roma's. The file holds one mesh, one skin whose joints are nodes with the names of the skeleton, and one
animation: a rotation for each joint and a translation for the root, sampled at the motion's rate.

The container is a JSON document and one binary chunk of arrays; a file that was read is written with all that is not
changed in it, extensions among them. Layout: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html, sections 3.6
(buffers) and 4.4 (GLB).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.body import Body, default_body
from motionclip.errors import FormatError
from motionclip.formats.files import read_bytes, replacing
from motionclip.formats.gltf_schema import parse_gltf
from motionclip.motion import Motion, Skeleton
from motionclip.motion.contacts import CONTACT_JOINTS, contact_spans
from motionclip.motion.rotations import matrix_to_quat

Doubles = NDArray[np.float64]

#: What a GPU uses a view for.
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963

#: Of the default body, RGBA, linear.
COLOUR = (0.42, 0.60, 0.80, 1.0)
_INFLUENCES = 4  # joints per vertex that one pair of glTF attributes carries

_HEADER, _CHUNK = struct.Struct("<4sII"), struct.Struct("<I4s")
_COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_TYPES = {code: np.dtype("<" + word) for word, code in _COMPONENTS.items()}
_MOST_NUMBERS = 30_000_000  # of all arrays that are read: an array may be named any number of times
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


#: What a document that is not as the specification says leads to.
DAMAGE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)

# The container


class Glb:
    """A GLB file in memory.

    Attributes:
        document: its JSON, by the names of the glTF specification.
        binary: its arrays.
    """

    def __init__(self, document: dict[str, Any], binary: bytes = b""):
        self.document = document
        self.binary = bytearray(binary)
        self._left = _MOST_NUMBERS

    def add(self, array: NDArray[np.generic], kind: str, target: int | None = None, bounds: bool = False) -> int:
        """Appends an array to the binary chunk, with a view and an accessor of its own.

        Args:
            array: (N, width of ``kind``), or (N,) for scalars.
            kind: "SCALAR", "VEC3", "VEC4", "MAT4" ...
            target: what a GPU uses it for, if anything.
            bounds: whether to add the least and largest values.

        Returns:
            The index of the accessor.
        """
        self.binary += bytes(-len(self.binary) % 4)
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": array.nbytes}
        self.binary += np.ascontiguousarray(array).tobytes()
        views, accessors = (self.document.setdefault(name, []) for name in ("bufferViews", "accessors"))
        views.append(view if target is None else view | {"target": target})
        accessor = {
            "bufferView": len(views) - 1,
            "componentType": _COMPONENTS[array.dtype.str[1:]],
            "count": len(array),
            "type": kind,
        }
        ends = {"min": np.atleast_1d(array.min(0)).tolist(), "max": np.atleast_1d(array.max(0)).tolist()}
        accessors.append(accessor | ends if bounds else accessor)
        return len(accessors) - 1

    def array(self, accessor: int) -> Doubles:
        """The numbers (N, width) of an accessor of the file.

        Raises:
            ValueError, KeyError, IndexError, TypeError: if the document is damaged, or the array sparse or compressed.
        """
        found = self.document["accessors"][accessor]
        view = self.document["bufferViews"][found["bufferView"]]
        if "sparse" in found or view["buffer"] != 0:
            raise ValueError("an array that is sparse, compressed or in a second file")
        self._left -= found["count"] * _WIDTHS[found["type"]]
        if self._left < 0:
            raise ValueError(f"arrays of more than {_MOST_NUMBERS:,} numbers")
        kind, width, count = _TYPES[found["componentType"]], _WIDTHS[found["type"]], found["count"]
        start = view.get("byteOffset", 0) + found.get("byteOffset", 0)
        step = max(view.get("byteStride", 0), kind.itemsize * width)
        shape, steps = (count, width), (step, kind.itemsize)
        numbers = np.ndarray(shape, kind, self.binary, start, steps).astype(np.float64)
        return numbers / np.iinfo(kind).max if found.get("normalized") else numbers

    def write(self, path: str | Path) -> None:
        """Writes the file; it appears whole or not at all."""
        first, *others = self.document.get("buffers") or [{}]
        document = self.document | {"buffers": [first | {"byteLength": len(self.binary)}, *others]}
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        chunks = [
            (b"JSON", text + b" " * (-len(text) % 4)),
            (b"BIN\0", bytes(self.binary) + bytes(-len(self.binary) % 4)),
        ]
        body = b"".join(_CHUNK.pack(len(data), kind) + data for kind, data in chunks)
        with replacing(path) as temporary:
            temporary.write_bytes(_HEADER.pack(b"glTF", 2, _HEADER.size + len(body)) + body)


def read_glb(path: str | Path) -> Glb:
    """A GLB file whose arrays are in its own binary chunk.

    Raises:
        FormatError: if it is missing, damaged, or keeps its first buffer in another file.
    """
    content = read_bytes(path)
    if len(content) < _HEADER.size or _HEADER.unpack_from(content)[:2] != (b"glTF", 2):
        raise FormatError(path, "this is no GLB file", "binary glTF 2.0")
    try:
        kind, text, end = _chunk(content, _HEADER.size)
        if kind != b"JSON":
            raise ValueError("its first part is no JSON document")
        document = parse_gltf(text)
        binary = _chunk(content, end)[1] if end < len(content) else b""
        first = (document.get("buffers") or [{"byteLength": 0}])[0]
        length, outside = int(first["byteLength"]), "uri" in first
    except (struct.error, ValueError) as error:
        raise FormatError(path, f"the GLB file is damaged ({error})", "a whole file of binary glTF 2.0") from error
    if outside:
        raise FormatError(path, "its first buffer is outside the file", "one GLB file that holds everything")
    if not 0 <= length <= len(binary):
        raise FormatError(path, f"its arrays have {len(binary)} of {length} bytes", "a whole file")
    return Glb(document, binary[:length])


def _chunk(content: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Kind and data of a chunk, and where the next begins."""
    length, kind = _CHUNK.unpack_from(content, at)
    start = at + _CHUNK.size
    if start + length > len(content):
        raise ValueError("it ends early")
    return kind, content[start : start + length], start + length


# The default body


def write_glb(motion: Motion, path: str | Path) -> None:
    """Writes the default body doing the motion.

    Args:
        motion: on any skeleton that can be retargeted to the default body.
        path: the file; it appears whole or not at all.
    """
    body = default_body()
    write_body_glb(body, body.fitted(motion), path)


def write_body_glb(body: Body, motion: Motion, path: str | Path) -> None:
    """Writes a body doing a motion that is on its skeleton: joint nodes 0 to J - 1, then the node of the mesh.

    The animation's extras have ``contacts``: for each ankle and toe base the spans, seconds, in which it is down.
    """
    skeleton = motion.skeleton
    glb = Glb({"asset": {"version": "2.0", "generator": "motionclip"}, "scene": 0})
    binds = np.tile(np.eye(4, dtype="<f4"), (skeleton.num_joints, 1, 1))
    binds[:, 3, :3] = -skeleton.rest_positions.numpy()  # transposed: glTF stores columns
    joints = list(range(skeleton.num_joints))
    glb.document |= {
        "scenes": [{"nodes": [0, len(joints)]}],
        "nodes": [*joint_nodes(skeleton), {"name": "body", "mesh": 0, "skin": 0}],
        "meshes": [{"name": "body", "primitives": [_primitive(glb, body)]}],
        "materials": [_material()],
        "skins": [{"inverseBindMatrices": glb.add(binds.reshape(-1, 16), "MAT4"), "skeleton": 0, "joints": joints}],
    }
    animate(glb, motion.rotations, motion.root, motion.fps, joints)
    if set(CONTACT_JOINTS) <= set(skeleton.names):
        spans = contact_spans(motion.positions, motion.fps, skeleton)
        glb.document["animations"][0]["extras"] = {"contacts": spans}
    glb.write(path)


def animate(glb: Glb, rotations: Tensor, root: Tensor, fps: float, nodes: Sequence[int]) -> None:
    """Puts one animation into a document, in place of any other: linear between frames.

    Args:
        glb: the document.
        rotations: (T, J, 3, 3) local rotations of the nodes.
        root: (T, 3) local translation of the first of them.
        fps: frames per second.
        nodes: J indices of nodes.
    """
    clock = glb.add((np.arange(len(root)) / fps).astype("<f4"), "SCALAR", bounds=True)
    quats = _continuous(matrix_to_quat(rotations.detach().double())).numpy(force=True).astype("<f4")
    tracks = [(nodes[0], "translation", glb.add(root.numpy(force=True).astype("<f4"), "VEC3"))]
    tracks += [(node, "rotation", glb.add(quats[:, joint], "VEC4")) for joint, node in enumerate(nodes)]
    samplers = [{"input": clock, "output": values, "interpolation": "LINEAR"} for _, _, values in tracks]
    channels = [
        {"sampler": number, "target": {"node": node, "path": path}} for number, (node, path, _) in enumerate(tracks)
    ]
    glb.document["animations"] = [{"name": "motion", "samplers": samplers, "channels": channels}]


def _material() -> dict[str, Any]:
    surface = {"baseColorFactor": list(COLOUR), "metallicFactor": 0.0, "roughnessFactor": 0.8}
    return {"name": "body", "pbrMetallicRoughness": surface}


def joint_nodes(skeleton: Skeleton) -> list[dict[str, Any]]:
    """One node for each joint, in the rest pose with the root at the origin."""
    offsets = skeleton.offsets.tolist()
    nodes: list[dict[str, Any]] = []
    for joint, name in enumerate(skeleton.names):
        children = {"children": list(skeleton.children[joint])} if skeleton.children[joint] else {}
        nodes.append({"name": name, "translation": offsets[joint] if joint else [0.0, 0.0, 0.0], **children})
    return nodes


def _primitive(glb: Glb, body: Body) -> dict[str, Any]:
    """The mesh: positions, normals, the four strongest joints of each vertex, triangles."""
    joints, weights = strongest(body)
    attributes = {
        "POSITION": glb.add(body.vertices.numpy().astype("<f4"), "VEC3", ARRAY_BUFFER, bounds=True),
        "NORMAL": glb.add(rest_normals(body).numpy().astype("<f4"), "VEC3", ARRAY_BUFFER),
        "JOINTS_0": glb.add(joints.astype("u1"), "VEC4", ARRAY_BUFFER),
        "WEIGHTS_0": glb.add(weights.astype("<f4"), "VEC4", ARRAY_BUFFER),
    }
    faces = glb.add(body.faces.numpy().astype("<u2").reshape(-1), "SCALAR", ELEMENT_ARRAY_BUFFER)
    return {"attributes": attributes, "indices": faces, "material": 0}


def strongest(body: Body) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The joints (V, 4) that move each vertex most, 0 where there are fewer, and their weights (V, 4), sum 1."""
    largest, order = body.weights.topk(_INFLUENCES, dim=1)
    weights = largest / largest.sum(1, keepdim=True)
    return torch.where(largest > 0, order, 0).numpy(), weights.numpy()


def rest_normals(body: Body) -> Tensor:
    """Unit rest normals (V, 3): the mean of the faces around a vertex, weighted by area."""
    corners = body.vertices[body.faces]
    across = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = torch.zeros_like(body.vertices)
    for corner in range(3):
        normals.index_add_(0, body.faces[:, corner], across)
    return torch.nn.functional.normalize(normals, dim=1)


def _continuous(quats: Tensor) -> Tensor:
    """Quaternions (T, J, 4) with the sign that is nearest to the frame before: q and -q are one rotation."""
    agree = (quats[1:] * quats[:-1]).sum(-1, keepdim=True) >= 0
    flips = torch.where(agree, 1.0, -1.0).to(quats).cumprod(0)
    return torch.cat([quats[:1], quats[1:] * flips])
