"""Trees of nodes, as glTF and FBX files hold them, as motions: what is common to both.

A node has a world matrix in every frame, and one at rest. `Motion` knows rigid bones and a rest pose in which nothing
is turned: with B the world rotation of a node at rest and W that of a frame, its joint is turned by W B^T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.motion import Motion, Skeleton
from motionclip.motion.retarget.humanoid import body_of, way_to_body

Doubles = NDArray[np.float64]

#: A joint moves freely if it does so by more than this part of the body's size.
_LOOSE = 0.01


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of a file in every frame of an animation.

    Attributes:
        names: N names.
        parents: N indices, -1 for nodes without one.
        rest: (N, 4, 4) world matrices at rest.
        world: (T, N, 4, 4) world matrices, metres, Y up.
        joints: the nodes that are joints; the nodes between them come along.
    """

    names: Sequence[str]
    parents: Sequence[int]
    rest: Doubles
    world: Doubles
    joints: frozenset[int]


def nodes_to_motion(path: str | Path, nodes: Nodes, fps: float) -> Motion:
    """Returns the motion of the largest skeleton among the nodes.

    Raises:
        FormatError: if there is no joint, a node is mirrored or has no size, or the nodes form a ring.
    """
    kept = _without_carriers(nodes, _skeleton_nodes(path, nodes))
    parents = [kept.index(nodes.parents[node]) if number else -1 for number, node in enumerate(kept)]
    rest = _rotations(path, nodes.rest[kept], nodes, kept)
    turned = _rotations(path, nodes.world[:, kept], nodes, kept) @ rest.swapaxes(-1, -2)
    places = nodes.world[:, kept][..., :3, 3]
    offsets = rigid_offsets(turned, places, parents)
    local = np.concatenate([turned[:, :1], turned[:, parents[1:]].swapaxes(-1, -2) @ turned[:, 1:]], axis=1)
    skeleton = Skeleton(
        _distinct([nodes.names[node] for node in kept]), tuple(parents), torch.from_numpy(offsets).float()
    )
    return Motion(torch.from_numpy(local).float(), torch.from_numpy(places[:, 0].copy()).float(), fps, skeleton)


def rigid_offsets(turned: Doubles, places: Doubles, parents: Sequence[int]) -> Doubles:
    """The offsets (J, 3) of joints from their parents at rest, the mean over frames; the root's is zero.

    Args:
        turned: (T, J, 3, 3) world rotations since the rest pose.
        places: (T, J, 3) world positions.
        parents: J indices of parents, the root first.
    """
    above = list(parents[1:])
    steps = turned[:, above].swapaxes(-1, -2) @ (places[:, 1:] - places[:, above])[..., None]
    return np.concatenate([np.zeros((1, 3)), steps[..., 0].mean(axis=0)])


def _skeleton_nodes(path: str | Path, nodes: Nodes) -> list[int]:
    """The joints that hang together, with the nodes between them, parents first; of several skeletons the largest."""
    if not nodes.joints:
        raise FormatError(path, "it has no joints that are skinned or move", "a file with an animated skeleton")
    ways = {joint: _way_up(path, nodes.parents, joint) for joint in nodes.joints}
    tops: dict[int, set[int]] = {}
    for joint, way in ways.items():
        tops.setdefault(way[-1], set()).add(joint)
    joints = max(tops.values(), key=len)
    shared = set.intersection(*(set(ways[joint]) for joint in joints))
    top = max(shared, key=lambda node: len(_way_up(path, nodes.parents, node)))
    kept = {node for joint in joints for node in ways[joint][: ways[joint].index(top) + 1]}
    return sorted(kept, key=lambda node: (len(_way_up(path, nodes.parents, node)), node))


def _without_carriers(nodes: Nodes, kept: list[int]) -> list[int]:
    """The skeleton from the first joint that moves freely on: what carries it is in its world matrices anyway.

    Games hang the hips, which travel, on a root that stands on the floor; bones of a `Motion` are rigid.
    """
    places = nodes.world[:, kept][..., :3, 3]
    tolerance = _LOOSE * float(np.ptp(places[0], axis=0).max())
    way = _way_to_body(nodes, kept)
    travelling = [node for node in way[1:] if _drift(nodes, nodes.parents[node], node) > tolerance]
    if way:
        return _below(nodes.parents, kept, travelling[-1]) if travelling else kept
    while True:  # of what is no body, most joints
        children = [node for node in kept if nodes.parents[node] == kept[0]]
        heirs = {child: _below(nodes.parents, kept, child) for child in children}
        heir = max(heirs, key=lambda child: len(heirs[child]), default=None)
        if heir is None or 2 * len(heirs[heir]) < len(kept) or _drift(nodes, kept[0], heir) <= tolerance:
            return kept
        kept = heirs[heir]


def _way_to_body(nodes: Nodes, kept: list[int]) -> list[int]:
    """The joints from the first to the one that carries the whole body; none if there is no body."""
    parents = [-1, *(kept.index(nodes.parents[node]) for node in kept[1:])]
    places = nodes.rest[kept][:, :3, 3]
    offsets = torch.from_numpy(np.concatenate([np.zeros((1, 3)), places[1:] - places[parents[1:]]])).float()
    body = body_of(Skeleton(_distinct([nodes.names[node] for node in kept]), tuple(parents), offsets))
    return [kept[joint] for joint in way_to_body(body)] if body else []


def _below(parents: Sequence[int], kept: Sequence[int], top: int) -> list[int]:
    """A node and those below it, parents first."""
    found = [top]
    for node in kept:
        if parents[node] in found:
            found.append(node)
    return found


def _drift(nodes: Nodes, parent: int, child: int) -> float:
    """How far a node moves as seen from its parent, metres."""
    local = np.linalg.inv(nodes.world[:, parent]) @ nodes.world[:, child]
    size = np.linalg.norm(nodes.world[0, parent, :3, 0])
    return float(np.ptp(local[:, :3, 3], axis=0).max() * size)


def _way_up(path: str | Path, parents: Sequence[int], node: int) -> list[int]:
    """A node, its parent, and so on."""
    way = [node]
    while parents[way[-1]] >= 0:
        way.append(parents[way[-1]])
        if len(way) > len(parents):
            raise FormatError(path, "its nodes form a ring", "a tree of nodes")
    return way


def _rotations(path: str | Path, matrices: Doubles, nodes: Nodes, kept: Sequence[int]) -> Doubles:
    """The rotations (..., N, 3, 3) nearest to matrices (..., N, 4, 4) that may scale, too."""
    found = np.empty((*matrices.shape[:-2], 3, 3))
    for node in range(len(kept)):  # all at once would take several times their memory
        left, sizes, right = np.linalg.svd(matrices[..., node, :3, :3])
        found[..., node, :, :] = left @ right
        if (sizes[..., -1] < 1e-9).any() or (np.linalg.det(found[..., node, :, :]) < 0).any():
            name = nodes.names[kept[node]]
            raise FormatError(path, f"node {name} is mirrored or has no size", "nodes that are turned and moved")
    return found


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names with a number behind those that stood before."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(found)


def choose_take(path: str | Path, names: Sequence[str], wanted: str | None) -> int:
    """The index of the animation that is wanted, by name or number from 1.

    Raises:
        FormatError: if there is none of that name, or several and none is named.
    """
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    if not names:
        raise FormatError(path, "it has no animation", "a file with one")
    if wanted is None:
        if len(names) > 1:
            raise FormatError(
                path,
                f"it has {len(names)} animations",
                f"one of them named behind it, as in {Path(path).name}#{names[0]}: {shown}",
            )
        return 0
    if wanted in names:
        return list(names).index(wanted)
    if wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    raise FormatError(path, f"it has no animation called {wanted!r}", f"one of {shown}")
