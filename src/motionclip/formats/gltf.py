"""GLB (binary glTF 2.0): the default body, skinned and animated, for any 3D program.

glTF is in metres, Y up, facing +Z and right-handed, as we are; its quaternions are (x, y, z, w), as
roma's. The file holds one mesh, one skin whose joints are nodes with the canonical names, and one
animation: a rotation for each joint and a translation for the root, sampled at the motion's rate.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body import Body, default_body
from motionclip.formats.files import replacing
from motionclip.motion import Motion, Skeleton
from motionclip.motion.rotations import matrix_to_quat

if TYPE_CHECKING:
    from pygltflib import GLTF2

_COLOUR = (0.42, 0.60, 0.80, 1.0)
_INFLUENCES = 4  # joints per vertex that one pair of glTF attributes carries


def write_glb(motion: Motion, path: str | Path) -> None:
    """Writes the default body doing the motion.

    Args:
        motion: on any skeleton that can be retargeted to the default body.
        path: the file; written under a temporary name and renamed.
    """
    body = default_body()
    with replacing(path) as temporary:
        temporary.write_bytes(b"".join(_document(body, body.fitted(motion)).save_to_bytes()))


class _Pack:
    """Collects arrays into the file's one buffer; each gets a view and an accessor."""

    def __init__(self, gltf: GLTF2):
        self._gltf, self._blob = gltf, bytearray()

    def add(self, array: NDArray[np.generic], kind: str, target: int | None = None, bounds: bool = False) -> int:
        """Appends an array of ``kind`` ("SCALAR", "VEC3", ...); returns the index of its accessor.

        ``target`` says what a GPU uses the data for; ``bounds`` adds the least and largest values.
        """
        import pygltflib as g

        types = {"f4": g.FLOAT, "u2": g.UNSIGNED_SHORT, "u1": g.UNSIGNED_BYTE}
        self._blob += bytes(-len(self._blob) % 4)
        data = np.ascontiguousarray(array).tobytes()
        view = g.BufferView(buffer=0, byteOffset=len(self._blob), byteLength=len(data), target=target)
        self._blob += data
        self._gltf.bufferViews.append(view)
        accessor = g.Accessor(
            bufferView=len(self._gltf.bufferViews) - 1,
            componentType=types[array.dtype.str[1:]],
            count=len(array),
            type=kind,
            min=np.atleast_1d(array.min(0)).tolist() if bounds else None,
            max=np.atleast_1d(array.max(0)).tolist() if bounds else None,
        )
        self._gltf.accessors.append(accessor)
        return len(self._gltf.accessors) - 1

    def close(self) -> None:
        """Gives the buffer to the document."""
        import pygltflib as g

        self._gltf.buffers.append(g.Buffer(byteLength=len(self._blob)))
        self._gltf.set_binary_blob(bytes(self._blob))


def _document(body: Body, motion: Motion) -> GLTF2:
    """The whole file: joint nodes 0 to J - 1, then the node of the mesh."""
    import pygltflib as g

    gltf = g.GLTF2(asset=g.Asset(version="2.0", generator="motionclip"))
    pack, skeleton = _Pack(gltf), motion.skeleton
    gltf.nodes = _joint_nodes(skeleton)
    gltf.nodes.append(g.Node(name="body", mesh=0, skin=0))
    gltf.scenes = [g.Scene(nodes=[0, skeleton.num_joints])]
    gltf.scene = 0
    gltf.materials = [
        g.Material(
            name="body",
            pbrMetallicRoughness=g.PbrMetallicRoughness(
                baseColorFactor=list(_COLOUR), metallicFactor=0.0, roughnessFactor=0.8
            ),
            alphaCutoff=None,
        )
    ]
    gltf.meshes = [g.Mesh(name="body", primitives=[_primitive(pack, body)])]
    binds = np.tile(np.eye(4, dtype="<f4"), (skeleton.num_joints, 1, 1))
    binds[:, 3, :3] = -skeleton.rest_positions.numpy()  # transposed: glTF stores columns
    gltf.skins = [
        g.Skin(
            inverseBindMatrices=pack.add(binds.reshape(-1, 16), "MAT4"),
            skeleton=0,
            joints=list(range(skeleton.num_joints)),
        )
    ]
    gltf.animations = [_animation(pack, motion)]
    pack.close()
    return gltf


def _joint_nodes(skeleton: Skeleton) -> list[object]:
    """One node for each joint, in the rest pose with the root at the origin."""
    import pygltflib as g

    offsets = skeleton.offsets.tolist()
    return [
        g.Node(
            name=name,
            translation=offsets[joint] if joint else [0.0, 0.0, 0.0],
            children=list(skeleton.children[joint]),
        )
        for joint, name in enumerate(skeleton.names)
    ]


def _primitive(pack: _Pack, body: Body) -> object:
    """The mesh: positions, normals, the four strongest joints of each vertex, triangles."""
    import pygltflib as g

    largest, order = body.weights.topk(_INFLUENCES, dim=1)
    weights = (largest / largest.sum(1, keepdim=True)).numpy().astype("<f4")
    joints = torch.where(largest > 0, order, 0).numpy().astype("u1")
    attributes = g.Attributes(
        POSITION=pack.add(body.vertices.numpy().astype("<f4"), "VEC3", g.ARRAY_BUFFER, bounds=True),
        NORMAL=pack.add(_normals(body), "VEC3", g.ARRAY_BUFFER),
        JOINTS_0=pack.add(joints, "VEC4", g.ARRAY_BUFFER),
        WEIGHTS_0=pack.add(weights, "VEC4", g.ARRAY_BUFFER),
    )
    faces = body.faces.numpy().astype("<u2").reshape(-1)
    return g.Primitive(attributes=attributes, indices=pack.add(faces, "SCALAR", g.ELEMENT_ARRAY_BUFFER), material=0)


def _normals(body: Body) -> NDArray[np.float32]:
    """Unit rest normals (V, 3): the mean of the faces around a vertex, weighted by area."""
    corners = body.vertices[body.faces]
    across = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = torch.zeros_like(body.vertices)
    for corner in range(3):
        normals.index_add_(0, body.faces[:, corner], across)
    unit: NDArray[np.float32] = torch.nn.functional.normalize(normals, dim=1).numpy().astype("<f4")
    return unit


def _animation(pack: _Pack, motion: Motion) -> object:
    """Samplers of all joint rotations and of the root's path, linear between frames."""
    import pygltflib as g

    times = (np.arange(motion.num_frames) / motion.fps).astype("<f4")
    clock = pack.add(times, "SCALAR", bounds=True)
    quats = _continuous(matrix_to_quat(motion.rotations.detach().double())).numpy().astype("<f4")
    tracks = [(0, "translation", pack.add(motion.root.detach().numpy().astype("<f4"), "VEC3"))]
    tracks += [(j, "rotation", pack.add(quats[:, j], "VEC4")) for j in range(motion.skeleton.num_joints)]
    animation = g.Animation(name="motion")
    for number, (node, channel, values) in enumerate(tracks):
        animation.samplers.append(g.AnimationSampler(input=clock, output=values, interpolation="LINEAR"))
        target = g.AnimationChannelTarget(node=node, path=channel)
        animation.channels.append(g.AnimationChannel(sampler=number, target=target))
    return animation


def _continuous(quats: torch.Tensor) -> torch.Tensor:
    """Quaternions (T, J, 4) with the sign that is nearest to the frame before: q and -q are one rotation."""
    agree = (quats[1:] * quats[:-1]).sum(-1, keepdim=True) >= 0
    flips = torch.where(agree, 1.0, -1.0).to(quats).cumprod(0)
    return torch.cat([quats[:1], quats[1:] * flips])
