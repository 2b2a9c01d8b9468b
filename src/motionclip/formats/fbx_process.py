"""Run by `formats.fbx` in a process of its own: an FBX file from standard input, its arrays to standard output.

The binding of ufbx 0.0.5 is not trusted with the user's process: an item of its lists comes without a reference of its
own, so that Python frees it while the scene still holds it, and what a damaged file does to a library in C ends here.

    python fbx_process.py names            the names of the animations
    python fbx_process.py INDEX FPS        one of them at a rate, the file's own for 0
"""

from __future__ import annotations

import ctypes
import gc
import io
import os
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import ufbx

_DEFAULT_FPS = 30.0
_MOST_NODES = 10_000
_MOST_FRAMES, _MOST_MATRICES = 200_000, 3_000_000


def main(arguments: list[str]) -> dict[str, Any]:
    scene = ufbx.load_memory(
        sys.stdin.buffer.read(),
        target_axes=ufbx.axes_right_handed_y_up,
        target_unit_meters=1.0,
        generate_missing_normals=False,
    )
    stacks = _items(scene.anim_stacks)
    if arguments == ["names"]:
        return {"names": np.array([str(stack.name) for stack in stacks] or np.empty(0, str))}
    stack, nodes = stacks[int(arguments[0])], _items(scene.nodes)
    rate = float(arguments[1]) or _whole(float(scene.settings.frames_per_second)) or _DEFAULT_FPS
    length = (stack.time_end - stack.time_begin) * rate
    if len(nodes) > _MOST_NODES or not 0 <= length < min(_MOST_FRAMES, _MOST_MATRICES / max(len(nodes), 1)):
        raise ValueError(f"an animation of {length:.0f} frames of {len(nodes)} nodes")
    moments = stack.time_begin + np.arange(round(length) + 1) / rate
    numbers = {node.typed_id: number for number, node in enumerate(nodes)}
    parents = [node.parent for node in nodes]
    return {
        "node_names": np.array([str(node.name) for node in nodes]),
        "parents": np.array([-1 if parent is None else numbers[parent.typed_id] for parent in parents]),
        "bones": np.array([node.bone is not None for node in nodes]),
        "rest": _rest(scene, nodes, numbers),
        "world": np.stack([_worlds(_items(scene.evaluate(stack.anim, time).nodes)) for time in moments]),
        "rate": rate,
    }


def _items(found: Any) -> list[Any]:
    """The items of a list of ufbx, each with the reference that it should have had."""
    kept = []
    for number in range(len(found)):
        item = found[number]
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(item))
        kept.append(item)
    return kept


def _whole(rate: float) -> float:
    """A rate without the noise that programs write: 30.00003 is 30; 29.97 stays."""
    return float(round(rate)) if abs(rate - round(rate)) < 1e-3 else round(rate, 3)


def _worlds(nodes: Iterable[Any]) -> np.ndarray:
    """World matrices (N, 4, 4) of nodes."""
    return np.stack([_matrix(node.node_to_world) for node in nodes])


def _rest(scene: Any, nodes: list[Any], numbers: dict[int, int]) -> np.ndarray:
    """World matrices (N, 4, 4) at rest: where skins were bound, else the nodes' own."""
    rest = _worlds(nodes)
    for cluster in _items(scene.skin_clusters):
        bone = cluster.bone_node
        if bone is not None:
            rest[numbers[bone.typed_id]] = _matrix(cluster.bind_to_world)
    return rest


def _matrix(matrix: Any) -> np.ndarray:
    columns = [matrix.c0, matrix.c1, matrix.c2, matrix.c3]
    full = np.eye(4)
    full[:3] = np.array([[column.x, column.y, column.z] for column in columns]).T
    return full


def _limit_memory() -> None:
    """Keeps a damaged file from taking the machine's memory; not on Windows."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


if __name__ == "__main__":
    gc.disable()
    _limit_memory()
    try:
        result = main(sys.argv[1:])
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        sys.stderr.flush()
        os._exit(3)
    buffer = io.BytesIO()
    np.savez(buffer, **result)
    sys.stdout.buffer.write(buffer.getvalue())
    sys.stdout.flush()
    os._exit(0)  # without the destructors of ufbx
