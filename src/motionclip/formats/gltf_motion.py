"""Animations of glTF files (.glb, .gltf, .vrm, .vrma) as motions: of skinned characters and of bare skeletons."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.files import read_bytes
from motionclip.formats.gltf import DAMAGE, Glb, read_glb
from motionclip.formats.gltf_rig import inverse_binds
from motionclip.formats.gltf_schema import parse_gltf
from motionclip.formats.nodes import Nodes, choose_take, nodes_to_motion
from motionclip.motion import Motion
from motionclip.motion import rotations as rot

Doubles = NDArray[np.float64]

_DEFAULT_FPS, _LEAST_FPS, _MOST_FPS = 30.0, 10.0, 120.0
#: Frames, and frames times nodes, of an animation: 40 minutes at 30 frames per second of 24 joints, for which reading
#: takes less than 1 GB (benchmarks/largest_files.py).
_MOST_FRAMES, _MOST_MATRICES = 200_000, 1_750_000
_MOST_NODES = 10_000
#: Share of the time between two keys within which a moment is the later one.
_SAME_KEY = 1e-3
_PATHS = {"translation": 3, "rotation": 4, "scale": 3}


def read_gltf(path: str | Path, *, take: str | None = None, fps: float | None = None) -> Motion:
    """Returns an animation of a glTF file on the file's own skeleton; metres, Y up.

    Args:
        path: a .glb, .gltf, .vrm or .vrma file.
        take: the name of an animation, or its number from 1; needed if there are several.
        fps: frames per second at which the curves are sampled; the rate of most keys if not given.

    Raises:
        FormatError: if the file is damaged, has no such animation, or no skeleton that moves.
    """
    glb = _read(Path(path))
    try:
        return _sample(Path(path), glb, take, fps)
    except DAMAGE as error:
        raise FormatError(path, f"the glTF file is damaged ({error!r})", "valid glTF 2.0 with plain arrays") from error


def gltf_takes(path: str | Path) -> list[str]:
    """Returns the names of the animations of a glTF file.

    Raises:
        FormatError: if the file is damaged.
    """
    glb = _read(Path(path))
    try:
        return _names(glb)
    except DAMAGE as error:
        raise FormatError(path, f"the glTF file is damaged ({error!r})", "valid glTF 2.0") from error


def _names(glb: Glb) -> list[str]:
    return [str(each.get("name") or f"animation {n}") for n, each in enumerate(glb.document.get("animations", []), 1)]


def _read(path: Path) -> Glb:
    if path.suffix.lower() != ".gltf":
        return read_glb(path)
    try:
        document = parse_gltf(read_bytes(path))
        uri = (document.get("buffers") or [{}])[0].get("uri") or "data:,"
        content = _buffer(path, uri)
    except (ValueError, OSError) as error:
        raise FormatError(path, f"the glTF file is damaged ({error})", "valid glTF 2.0") from error
    return Glb(document, content)


def _buffer(path: Path, uri: str) -> bytes:
    if uri.startswith("data:"):
        return base64.b64decode(uri.partition(",")[2])
    beside = path.parent / unquote(uri)
    if "://" in uri or Path(unquote(uri)).is_absolute() or not beside.resolve().is_relative_to(path.parent.resolve()):
        raise FormatError(path, f"its buffer is at {uri}", "a file beside it, or below it")
    return read_bytes(beside)


def _sample(path: Path, glb: Glb, wanted: str | None, fps: float | None) -> Motion:
    nodes, animations = glb.document.get("nodes", []), glb.document.get("animations", [])
    if len(nodes) > _MOST_NODES:
        raise FormatError(path, f"it has {len(nodes)} nodes", f"at most {_MOST_NODES}")
    chosen = animations[choose_take(path, _names(glb), wanted)]
    curves = {
        (channel["target"]["node"], channel["target"]["path"]): chosen["samplers"][channel["sampler"]]
        for channel in chosen["channels"]
        if channel["target"].get("path") in _PATHS and "node" in channel["target"]
    }
    if not curves:
        raise FormatError(path, "its animation moves no node", "an animation of a skeleton")
    keys = {key: glb.array(sampler["input"])[:, 0] for key, sampler in curves.items()}
    rate = fps or _rate(list(keys.values()))
    start, end = min(times[0] for times in keys.values()), max(times[-1] for times in keys.values())
    most = min(_MOST_FRAMES, _MOST_MATRICES // max(len(nodes), 1))
    if not 0 <= (end - start) * rate < most:
        raise FormatError(path, f"an animation from {start} to {end} s of {len(nodes)} nodes", f"at most {most} frames")
    count = round((end - start) * rate) + 1
    moments = start + np.arange(count) / rate
    parts = [_node_parts(node) for node in nodes]
    animated = {key: _curve(glb, sampler, keys[key], moments, _PATHS[key[1]]) for key, sampler in curves.items()}
    parents = [-1] * len(nodes)
    for number, node in enumerate(nodes):
        for child in node.get("children", []):
            parents[child] = number
    rest = _worlds(path, parents, 1, lambda node: _matrix(parts[node], {}, 1))[0]
    world = _worlds(
        path,
        parents,
        count,
        lambda node: _matrix(parts[node], {p: animated[node, p] for p in _PATHS if (node, p) in animated}, count),
    )
    skins = glb.document.get("skins", [])
    joints = max((skin["joints"] for skin in skins), key=len, default=[]) or [node for node, _ in curves]
    names = [str(node.get("name") or f"node_{number}") for number, node in enumerate(nodes)]
    found = Nodes(names, parents, _bind_pose(glb, rest), world, frozenset(joints))
    return nodes_to_motion(path, found, rate)


def _rate(keys: list[Doubles]) -> float:
    """Frames per second of the curve with the most keys."""
    times = max(keys, key=len)
    steps = np.diff(times)
    steps = steps[steps > 1e-4]
    if not len(steps):
        return _DEFAULT_FPS
    rate = 1 / float(np.median(steps))
    return float(round(rate)) if _LEAST_FPS <= rate <= _MOST_FPS else _DEFAULT_FPS


def _curve(glb: Glb, sampler: Mapping[str, Any], times: Doubles, moments: Doubles, width: int) -> Doubles:
    """The values (T, width) of a curve at some moments (glTF 2.0, section 3.11 and appendix C)."""
    values = glb.array(sampler["output"])
    kind = sampler.get("interpolation", "LINEAR")
    if kind == "CUBICSPLINE":
        values = values.reshape(len(times), 3, width)
    elif values.shape != (len(times), width):
        raise ValueError(f"{len(times)} keys with values of shape {values.shape}")
    if (np.diff(times) < 0).any():
        raise ValueError("keys that go back in time")
    right = np.clip(np.searchsorted(times, moments, side="right"), 1, max(len(times) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(times) - 1)
    span = times[right] - times[left]
    share = np.clip(np.divide(moments - times[left], span, out=np.zeros_like(span), where=span > 0), 0.0, 1.0)[:, None]
    if kind == "STEP":  # moments that are keys, but for single precision, have the values of these
        return values[np.where(share[:, 0] > 1 - _SAME_KEY, right, left)]
    if kind == "CUBICSPLINE":
        t, d = share, span[:, None]
        a, b = values[left], values[right]
        return (
            (2 * t**3 - 3 * t**2 + 1) * a[:, 1]
            + (t**3 - 2 * t**2 + t) * d * a[:, 2]
            + (3 * t**2 - 2 * t**3) * b[:, 1]
            + (t**3 - t**2) * d * b[:, 0]
        )
    if width != 4:
        return (1 - share) * values[left] + share * values[right]
    one, other = _unit(values[left]), _unit(values[right])
    cosine = (one * other).sum(axis=1, keepdims=True)
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    other = np.where(cosine < 0, -other, other)  # the same rotation, on the shorter way
    near = np.sin(angle) < 1e-6
    sine = np.where(near, 1.0, np.sin(angle))
    first = np.where(near, 1 - share, np.sin((1 - share) * angle) / sine)
    return first * one + np.where(near, share, np.sin(share * angle) / sine) * other


def _unit(quaternions: Doubles) -> Doubles:
    return quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True).clip(1e-12)


def _node_parts(node: Mapping[str, Any]) -> dict[str, Doubles]:
    """Translation, rotation and scale of a node; those of its matrix if it has one."""
    if "matrix" not in node:
        default = {"translation": [0.0, 0.0, 0.0], "rotation": [0.0, 0.0, 0.0, 1.0], "scale": [1.0, 1.0, 1.0]}
        return {name: np.array(node.get(name, value), dtype=float) for name, value in default.items()}
    matrix = np.array(node["matrix"], dtype=float).reshape(4, 4).T
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    turn = torch.from_numpy(matrix[:3, :3] / scale)
    return {"translation": matrix[:3, 3], "rotation": rot.matrix_to_quat(turn).numpy(), "scale": scale}


def _matrix(part: Mapping[str, Doubles], animated: Mapping[str, Doubles], count: int) -> Doubles:
    """Local matrices (T, 4, 4) of a node."""
    values = {name: animated.get(name, np.broadcast_to(part[name], (count, len(part[name])))) for name in _PATHS}
    matrices = np.zeros((count, 4, 4))
    turn = rot.quat_to_matrix(torch.from_numpy(_unit(values["rotation"]))).numpy()
    matrices[:, :3, :3] = turn * values["scale"][:, None, :]
    matrices[:, :3, 3] = values["translation"]
    matrices[:, 3, 3] = 1.0
    return matrices


def _worlds(path: Path, parents: list[int], count: int, local: Callable[[int], Doubles]) -> Doubles:
    """World matrices (T, N, 4, 4) of all nodes, of the local ones (T, 4, 4) of each."""
    worlds = np.empty((count, len(parents), 4, 4))
    children: dict[int, list[int]] = {}
    for node, parent in enumerate(parents):
        children.setdefault(parent, []).append(node)
    waiting, done = children.get(-1, []), 0
    while waiting:
        node = waiting.pop()
        worlds[:, node] = local(node) if parents[node] < 0 else worlds[:, parents[node]] @ local(node)
        waiting += children.get(node, [])
        done += 1
    if done < len(parents):
        raise FormatError(path, "its nodes form a ring", "a tree of nodes")
    return worlds


def _bind_pose(glb: Glb, rest: Doubles) -> Doubles:
    """World matrices (N, 4, 4) at rest, with the rotations of skinned joints as when the skin was bound.

    A character is bound in a T-pose or the like; its nodes may stand in any.
    """
    bound = rest.copy()
    for skin in sorted(glb.document.get("skins", []), key=lambda each: len(each["joints"])):
        if "inverseBindMatrices" in skin:
            bound[skin["joints"]] = np.linalg.inv(inverse_binds(glb, skin))
    return bound
