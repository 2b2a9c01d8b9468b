"""FBX files as motions, read by ufbx (the extra ``fbx``): animations of skinned characters and of bare skeletons."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.files import read_bytes
from motionclip.formats.nodes import Nodes, choose_take, nodes_to_motion
from motionclip.motion import Motion

if TYPE_CHECKING:
    import ufbx

Doubles = NDArray[np.float64]

_DEFAULT_FPS = 30.0
_MOST_FRAMES = 200_000


def read_fbx(path: str | Path, *, take: str | None = None, fps: float | None = None) -> Motion:
    """Returns an animation of an FBX file on the file's own skeleton; metres, Y up.

    Axes and units are those that the file states.

    Args:
        path: the file.
        take: the name of an animation, or its number from 1; needed if there are several.
        fps: frames per second at which the curves are sampled; the file's own rate if not given.

    Raises:
        FormatError: if ufbx is not installed, or the file is damaged or has no such animation or no moving skeleton.
    """
    scene = _load(Path(path))
    stacks = list(scene.anim_stacks)
    stack = stacks[choose_take(path, [str(each.name) for each in stacks], take)]
    rate = fps or float(scene.settings.frames_per_second) or _DEFAULT_FPS
    count = round((stack.time_end - stack.time_begin) * rate) + 1
    if not 1 <= count <= _MOST_FRAMES:
        raise FormatError(path, f"an animation of {count} frames", f"1 to {_MOST_FRAMES}")
    nodes = list(scene.nodes)
    moments = stack.time_begin + np.arange(count) / rate
    world = np.stack([_worlds(scene.evaluate(stack.anim, time).nodes) for time in moments])
    return nodes_to_motion(path, _nodes(nodes, _rest(scene, nodes), world), rate)


def fbx_takes(path: str | Path) -> list[str]:
    """Returns the names of the animations of an FBX file.

    Raises:
        FormatError: if ufbx is not installed, or the file is damaged.
    """
    return [str(stack.name) for stack in _load(Path(path)).anim_stacks]


def _load(path: Path) -> ufbx.Scene:
    if find_spec("ufbx") is None:
        raise FormatError(path, "FBX is read by ufbx, which is not installed", 'pip install "motionclip[fbx]"')
    import ufbx

    try:
        return ufbx.load_memory(
            read_bytes(path),
            target_axes=ufbx.axes_right_handed_y_up,
            target_unit_meters=1.0,
            ignore_geometry=False,
            generate_missing_normals=False,
        )
    except ufbx.UfbxError as error:
        raise FormatError(
            path, f"the FBX file cannot be read ({error})", "a whole FBX file of version 6 or 7"
        ) from error


def _nodes(nodes: list[ufbx.Node], rest: Doubles, world: Doubles) -> Nodes:
    numbers = {node.typed_id: number for number, node in enumerate(nodes)}
    parents = [-1 if node.parent is None else numbers[node.parent.typed_id] for node in nodes]
    names = [str(node.name) or f"node_{number}" for number, node in enumerate(nodes)]
    moving = np.abs(world - world[:1]).max(axis=(0, 2, 3)) > 1e-6
    bones = {number for number, node in enumerate(nodes) if node.bone is not None}
    joints = bones or {number for number in range(len(nodes)) if moving[number] and parents[number] >= 0}
    return Nodes(names, parents, rest, world, frozenset(joints))


def _worlds(nodes: list[ufbx.Node]) -> Doubles:
    """World matrices (N, 4, 4) of nodes."""
    return np.stack([_matrix(node.node_to_world) for node in nodes])


def _rest(scene: ufbx.Scene, nodes: list[ufbx.Node]) -> Doubles:
    """World matrices (N, 4, 4) at rest: where skins were bound, else the nodes' own."""
    rest = _worlds(nodes)
    numbers = {node.typed_id: number for number, node in enumerate(nodes)}
    for cluster in scene.skin_clusters:
        if cluster.bone_node is not None:
            rest[numbers[cluster.bone_node.typed_id]] = _matrix(cluster.bind_to_world)
    return rest


def _matrix(matrix: ufbx.Matrix) -> Doubles:
    columns = [matrix.c0, matrix.c1, matrix.c2, matrix.c3]
    full = np.eye(4)
    full[:3] = np.array([[column.x, column.y, column.z] for column in columns]).T
    return full
