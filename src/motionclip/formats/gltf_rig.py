"""A character of the user's own in a GLB file: its skeleton, and our animation on its nodes.

The rest pose is the skin's bind pose, from the inverse bind matrices, whatever pose the nodes stand in. A joint then
has the world rotation N; `GltfRig.skeleton` is the same tree with unturned joints and offsets in world axes, so that
a joint of the file is turned by W N where its joint there is turned by W.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.body import Body
from motionclip.errors import FormatError, ModelError
from motionclip.formats.gltf import DAMAGE, Glb, animate, read_glb
from motionclip.motion import Motion, Skeleton, local_rotations
from motionclip.motion.retarget import find_humanoid, rest_up
from motionclip.motion.rotations import matrix_to_quat, quat_to_matrix

Doubles = NDArray[np.float64]
#: Mode of a primitive whose indices are triangles; those of lines and points have no skin to show.
_TRIANGLES = 4

# The skin of a character: its mesh, and how high its ankles are over its soles, for shoes and paws differ.


def ankle_height(rig: GltfRig) -> float | None:
    """Mean height in metres of both ankles over the lowest vertex of their feet, in the rest pose.

    None if a foot has no vertices of its own, or the mesh is compressed.

    Raises:
        SkeletonError: if the joint names fit no family.
    """
    humanoid = find_humanoid(rig.skeleton)
    joints = humanoid.joints
    up = rest_up(humanoid).double().numpy()
    try:
        body = rig_body(rig)
    except (*DAMAGE, ModelError):
        return None
    heights, owners = body.vertices.double().numpy() @ up, body.weights.argmax(1).numpy()
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


def rig_body(rig: GltfRig) -> Body:
    """The skinned triangles of a character on the rig's skeleton, without their colours.

    Raises:
        DAMAGE: if an array is damaged or compressed.
        ModelError: if a face names a vertex that is not there.
    """
    vertices, weights, faces = [np.empty((0, 3))], [np.empty((0, len(rig.nodes)))], [np.empty((0, 3), np.int64)]
    count = 0
    for skin, primitive in _primitives(rig.glb):
        points, shares = _rest_vertices(rig, skin, primitive["attributes"])
        corners = rig.glb.array(primitive["indices"]) if "indices" in primitive else np.arange(len(points))
        vertices.append(points)
        weights.append(shares)
        faces.append(count + corners.astype(np.int64).reshape(-1, 3))
        count += len(points)
    joined = [torch.from_numpy(np.concatenate(parts)) for parts in (vertices, weights, faces)]
    return Body(joined[0].float(), joined[1].float(), joined[2], rig.skeleton)


def _rest_vertices(rig: GltfRig, skin: dict[str, Any], attributes: dict[str, int]) -> tuple[Doubles, Doubles]:
    """Vertices (V, 3) of a primitive in the rest pose, and their weights (V, J) on the joints of the rig."""
    inverse = inverse_binds(rig.glb, skin)
    numbers = np.array([rig.nodes.index(node) for node in skin["joints"]])
    points, slots, shares = (rig.glb.array(attributes[name]) for name in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
    slots = slots.astype(np.int64)
    shares[shares.sum(1) <= 0, 0] = 1.0  # a vertex without weights follows its first joint
    shares /= shares.sum(1, keepdims=True)
    owners = numbers[slots]  # (V, 4)
    local = np.einsum("vkij,vj->vki", inverse[slots, :3, :3], points) + inverse[slots, :3, 3]
    turned = np.einsum("vkij,vkj->vki", rig.turns.numpy()[owners], local) * rig.scales[owners, None]
    placed = rig.skeleton.rest_positions.double().numpy()[owners] + turned
    dense = np.zeros((len(points), len(rig.nodes)))
    np.add.at(dense, (np.arange(len(points))[:, None], owners), shares)
    return (shares[..., None] * placed).sum(1), dense


def _primitives(glb: Glb) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Skin and primitive of all triangles that are skinned."""
    for node in glb.document["nodes"]:
        if "skin" in node and "mesh" in node:
            for primitive in glb.document["meshes"][node["mesh"]]["primitives"]:
                if primitive.get("mode", _TRIANGLES) == _TRIANGLES:
                    yield glb.document["skins"][node["skin"]], primitive


_UNEVEN = 1e-3  # relative difference of scales along the axes that counts as rounding


@dataclass(frozen=True, eq=False)
class GltfRig:
    """The skeleton of a GLB file.

    Attributes:
        glb: the file.
        nodes: the node of each joint.
        skeleton: J joints, unturned in the rest pose; metres, Y up.
        turns: (J, 3, 3) world rotations N of the nodes in the rest pose.
        scales: (J,) world scales of the nodes.
        above: (4, 4) world matrix of what the first node hangs on.
    """

    glb: Glb
    nodes: tuple[int, ...]
    skeleton: Skeleton
    turns: Tensor
    scales: Doubles
    above: Tensor

    def write(self, motion: Motion, path: str | Path) -> None:
        """Writes the user's file with this motion, which is on `skeleton`, in place of its animations.

        Its meshes, skins, materials and other nodes stay as they are; joints below the first get the rest pose.
        """
        glb = Glb(
            self.glb.document | {"nodes": [dict(node) for node in self.glb.document["nodes"]]}, bytes(self.glb.binary)
        )
        glb.document |= {name: list(glb.document.get(name, [])) for name in ("accessors", "bufferViews")}
        rotations = self._node_rotations(motion.world[0].double())
        rest = self._node_rotations(torch.eye(3).double().expand(1, len(self.nodes), 3, 3))[0]
        for node, turn in zip(self.nodes[1:], rest[1:], strict=True):
            _set_rotation(glb.document["nodes"][node], turn)
        positions = torch.cat([motion.root.double(), torch.ones(motion.num_frames, 1)], dim=1)
        root = (positions @ torch.linalg.inv(self.above).T)[:, :3]
        moving = [j for j in range(len(self.nodes)) if j == 0 or (rotations[:, j] - rest[j]).abs().max() > 1e-6]
        animate(glb, rotations[:, moving], root, motion.fps, [self.nodes[j] for j in moving])
        glb.write(path)

    def _node_rotations(self, world: Tensor) -> Tensor:
        """Local rotations (T, J, 3, 3) of the nodes from world rotations (T, J, 3, 3) on the skeleton."""
        local = local_rotations(world @ self.turns, self.skeleton)
        upright = self.above[:3, :3] / torch.linalg.det(self.above[:3, :3]).pow(1 / 3)
        return torch.cat([upright.T @ local[:, :1], local[:, 1:]], dim=1)


def read_gltf_rig(path: str | Path) -> GltfRig:
    """The skeleton of a GLB file: the joints of its skins and the nodes between them.

    Raises:
        FormatError: if the file is damaged, has no skin, or a node is scaled unevenly or mirrored.
        SkeletonError: if two joints have one name, as in a file with two characters.
    """
    glb = read_glb(path)
    try:
        return _read(path, glb)
    except DAMAGE as error:
        raise FormatError(path, f"the GLB file is damaged ({error!r})", "valid glTF 2.0 with plain arrays") from error


def _read(path: str | Path, glb: Glb) -> GltfRig:
    nodes, skins = glb.document.get("nodes", []), glb.document.get("skins", [])
    if not any(skin["joints"] for skin in skins):
        raise FormatError(path, "it has no skin, hence no skeleton", "a GLB file with a rigged character")
    tree = _Tree(path, nodes)
    joints = tree.spanned({joint for skin in skins for joint in skin["joints"]})
    parents = [joints.index(tree.parents[joint]) if number else -1 for number, joint in enumerate(joints)]
    binds = _bind_rotations(glb, skins)
    turns, offsets = np.empty((len(joints), 3, 3)), np.zeros((len(joints), 3))
    scales = np.array([_parts(path, tree.worlds[joint], nodes, joint)[1] for joint in joints])
    for number, (joint, parent) in enumerate(zip(joints, parents, strict=True)):
        local, above = tree.locals[joint], tree.worlds.get(tree.parents[joint], np.eye(4))
        base = turns[parent] if number else _parts(path, above, nodes, joint)[0]
        turns[number] = binds.get(joint, base @ _parts(path, local, nodes, joint)[0])
        offsets[number] = base @ local[:3, 3] * _parts(path, above, nodes, joint)[1]
    skeleton = Skeleton(
        tuple(nodes[joint].get("name") or f"node_{joint}" for joint in joints),
        tuple(parents),
        torch.from_numpy(offsets).float(),
    )
    above = tree.worlds.get(tree.parents[joints[0]], np.eye(4))
    return GltfRig(glb, tuple(joints), skeleton, torch.from_numpy(turns), scales, torch.from_numpy(above))


class _Tree:
    """The nodes of a document: parents (-1 for none), local and world matrices by node."""

    def __init__(self, path: str | Path, nodes: Sequence[dict[str, Any]]):
        self._path = path
        self.parents = dict.fromkeys(range(len(nodes)), -1)
        for number, node in enumerate(nodes):
            self.parents |= dict.fromkeys(node.get("children", []), number)
        self.locals = {number: _local(node) for number, node in enumerate(nodes)}
        self.worlds: dict[int, Doubles] = {}
        for number in self.parents:
            for step in reversed(list(self._up(number))):
                above = self.worlds.get(self.parents[step], np.eye(4))
                self.worlds.setdefault(step, above @ self.locals[step])

    def spanned(self, wanted: set[int]) -> list[int]:
        """The smallest part of the tree that holds these nodes, parents first.

        Raises:
            FormatError: if no node has them all below it.
        """
        paths = [list(self._up(node)) for node in sorted(wanted)]
        top = next((node for node in paths[0] if all(node in path for path in paths)), None)
        if top is None:
            raise FormatError(self._path, "the joints of its skins hang on no common node", "one skeleton")
        kept = {node for path in paths for node in path[: path.index(top) + 1]}
        return sorted(kept, key=lambda node: (len(list(self._up(node))), node))

    def _up(self, node: int) -> Iterator[int]:
        """A node, its parent, and so on."""
        for _ in range(len(self.parents)):
            yield node
            node = self.parents[node]
            if node < 0:
                return
        raise FormatError(self._path, "its nodes form a ring", "a tree of nodes")


def _local(node: dict[str, Any]) -> Doubles:
    """The matrix (4, 4) of a node, from its matrix or its translation, rotation and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], dtype=float).reshape(4, 4).T
    matrix = np.eye(4)
    turn = quat_to_matrix(torch.tensor(node.get("rotation", [0.0, 0.0, 0.0, 1.0]), dtype=torch.float64)).numpy()
    matrix[:3, :3] = turn * np.array(node.get("scale", [1.0, 1.0, 1.0]))
    matrix[:3, 3] = node.get("translation", [0.0, 0.0, 0.0])
    return matrix


def _parts(path: str | Path, matrix: Doubles, nodes: Sequence[dict[str, Any]], node: int) -> tuple[Doubles, float]:
    """Rotation (3, 3) and scale of a matrix.

    Raises:
        FormatError: naming the node, if the scale is not the same along all axes, or mirrors.
    """
    scales = np.linalg.norm(matrix[:3, :3], axis=0)
    size = float(scales.mean())
    if size <= 0 or np.ptp(scales) > _UNEVEN * size or np.linalg.det(matrix[:3, :3]) < 0:
        name = nodes[node].get("name", f"node {node}")
        raise FormatError(
            path, f"{name} or what it hangs on is scaled by {scales.tolist()}", "one scale for all axes, above 0"
        )
    left, _, right = np.linalg.svd(matrix[:3, :3])
    return left @ right, size


def inverse_binds(glb: Glb, skin: dict[str, Any]) -> Doubles:
    """Matrices (J, 4, 4) from the mesh to each joint of a skin in its bind pose; the file has them column by column."""
    return glb.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)


def _bind_rotations(glb: Glb, skins: Sequence[dict[str, Any]]) -> dict[int, Doubles]:
    """Rotations (3, 3) of the joints in the bind pose, by node; none for skins without bind matrices."""
    found: dict[int, Doubles] = {}
    for skin in skins:
        if "inverseBindMatrices" in skin:
            left, _, right = np.linalg.svd(inverse_binds(glb, skin)[:, :3, :3].transpose(0, 2, 1))
            found = dict(zip(skin["joints"], left @ right, strict=True)) | found
    return found


def _set_rotation(node: dict[str, Any], rotation: Tensor) -> None:
    """Gives a node a local rotation (3, 3) and leaves its place and scale; a matrix becomes three parts."""
    local = _local(node)
    if node.pop("matrix", None) is not None:
        node["translation"] = local[:3, 3].tolist()
        node["scale"] = np.linalg.norm(local[:3, :3], axis=0).tolist()
    node["rotation"] = matrix_to_quat(rotation).tolist()
