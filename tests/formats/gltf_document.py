"""A small evaluator of glTF's rules, written for the tests."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
TYPES = {5121: "u1", 5123: "<u2", 5126: "<f4"}


class Document:
    """A GLB file: its JSON and the arrays of its accessors."""

    def __init__(self, path: Path):
        content = path.read_bytes()
        magic, version, length, size, kind = struct.unpack("<4sIII4s", content[:20])
        assert (magic, version, length, kind) == (b"glTF", 2, len(content), b"JSON")
        self.json: dict[str, Any] = json.loads(content[20 : 20 + size])
        self._binary = content[20 + size + 8 :]

    def array(self, accessor: int) -> Array:
        a = self.json["accessors"][accessor]
        view = self.json["bufferViews"][a["bufferView"]]
        flat = np.frombuffer(
            self._binary, TYPES[a["componentType"]], a["count"] * WIDTHS[a["type"]], view.get("byteOffset", 0)
        )
        return flat.reshape(a["count"], -1).astype(np.float64)

    def channel(self, node: int, path: str, time: float) -> Array:
        """An animated value at a time: linear for translations, spherical for rotations."""
        animation = self.json["animations"][0]
        channel = next(c for c in animation["channels"] if c["target"] == {"node": node, "path": path})
        sampler = animation["samplers"][channel["sampler"]]
        times, values = self.array(sampler["input"])[:, 0], self.array(sampler["output"])
        after = int(np.clip(np.searchsorted(times, time), 1, len(times) - 1))
        share = (time - times[after - 1]) / (times[after] - times[after - 1])
        a, b = values[after - 1], values[after]
        if path == "translation":
            return a + share * (b - a)
        angle = np.arccos(np.clip(a @ b, -1, 1))
        if angle < 1e-6:
            return a
        mixed: Array = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
        return mixed

    def node_worlds(self, time: float | None) -> dict[int, Array]:
        """World matrices (4, 4) of the scene's nodes at a time, or at rest, walking the tree one node at a time."""
        nodes, found = self.json["nodes"], {}

        def visit(node: int, above: Array) -> None:
            found[node] = above @ self._local(node, time)
            for child in nodes[node].get("children", []):
                visit(child, found[node])

        for root in self.json["scenes"][0]["nodes"]:
            visit(root, np.eye(4))
        return found

    def world(self, time: float | None) -> Array:
        """World matrices (N, 4, 4) of the joint nodes."""
        worlds = self.node_worlds(time)
        return np.stack([worlds[joint] for joint in self.json["skins"][0]["joints"]])

    def _local(self, node: int, time: float | None) -> Array:
        described = self.json["nodes"][node]
        if "matrix" in described:
            return np.array(described["matrix"]).reshape(4, 4).T
        parts = {"translation": [0, 0, 0], "rotation": [0, 0, 0, 1], "scale": [1, 1, 1]} | described
        if time is not None:
            driven = [c["target"]["path"] for c in self.channels if c["target"]["node"] == node]
            parts |= {path: self.channel(node, path, time) for path in driven}
        x, y, z, w = parts["rotation"]
        turn = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        local = np.eye(4)
        local[:3, :3] = turn @ np.diag(parts["scale"])
        local[:3, 3] = parts["translation"]
        return local

    @property
    def channels(self) -> list[Any]:
        animations = self.json.get("animations", [])
        return animations[0]["channels"] if animations else []

    def vertices(self, time: float | None) -> Array:
        """Skinned vertices (V, 3), by the formula of the glTF specification."""
        attributes = self.json["meshes"][0]["primitives"][0]["attributes"]
        rest, weights = self.array(attributes["POSITION"]), self.array(attributes["WEIGHTS_0"])
        slots = self.array(attributes["JOINTS_0"]).astype(int)
        binds = self.array(self.json["skins"][0]["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        matrices = (self.world(time) @ binds)[slots]
        mixed = (weights[..., None, None] * matrices).sum(1)
        return (mixed @ np.append(rest, np.ones((len(rest), 1)), axis=1)[..., None])[:, :3, 0]
