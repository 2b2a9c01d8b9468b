"""The skeleton as something to draw: a ball for each joint and a tapering bar for each bone."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.motion import CANONICAL

Array = NDArray[np.float64]
Mesh = tuple[Array, NDArray[np.int64]]

_BALL, _BAR, _SKULL = 0.030, 0.022, 0.085  # radii in metres
_ROUND, _RINGS = 10, 7  # sides of a bar, and rings of a ball


@cache
def stick_figure() -> Body:
    """The canonical skeleton as a mesh that is skinned like any body: each ball and bar moves with one joint."""
    rest = CANONICAL.rest_positions.double().numpy()
    head = CANONICAL.index("head")
    parts = [(_ball(place, _BALL), joint) for joint, place in enumerate(rest)]
    parts += [(_bar(rest[above], rest[joint]), above) for joint, above in enumerate(CANONICAL.parents) if above >= 0]
    for joint, tip in CANONICAL.end_sites:
        end = rest[joint] + np.array(tip)
        parts += (
            [(_bar(rest[joint], end), joint)] if joint != head else [(_ball((rest[joint] + end) / 2, _SKULL), joint)]
        )
    return _joined(parts)


def _joined(parts: list[tuple[Mesh, int]]) -> Body:
    """One body of meshes, each of which moves with the joint beside it."""
    starts = np.cumsum([0, *(len(vertices) for (vertices, _), _ in parts)])
    faces = np.concatenate([corners + start for ((_, corners), _), start in zip(parts, starts[:-1], strict=True)])
    weights = torch.zeros(int(starts[-1]), CANONICAL.num_joints)
    for (_, joint), start, stop in zip(parts, starts[:-1], starts[1:], strict=True):
        weights[start:stop, joint] = 1
    vertices = np.concatenate([mesh[0] for mesh, _ in parts])
    return Body(torch.from_numpy(vertices).float(), weights, torch.from_numpy(faces), CANONICAL)


def _ball(centre: Array, radius: float) -> Mesh:
    heights = np.cos(np.linspace(0, np.pi, _RINGS))
    return _turned_shape(centre + [0, 1, 0] * (radius * heights)[:, None], np.eye(3), radius * np.sqrt(1 - heights**2))


def _bar(start: Array, end: Array) -> Mesh:
    """From one joint to the next, thickest near its start, so that one sees where a bone leads."""
    along = (end - start) / np.linalg.norm(end - start)
    side = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    side /= np.linalg.norm(side)
    shares = np.array([1.0, 0.85, 0.2, 0.0])
    frame = np.stack([side, along, np.cross(side, along)])
    return _turned_shape(start + shares[:, None] * (end - start), frame, _BAR * np.array([0.0, 0.6, 1.0, 0.0]))


def _turned_shape(centres: Array, frame: Array, radii: Array) -> Mesh:
    """Rings (N,) of given centres and radii about ``frame``'s second row, joined; from the far end to the near one."""
    turns = np.arange(_ROUND) * (2 * np.pi / _ROUND)
    circle = np.cos(turns)[:, None] * frame[0] - np.sin(turns)[:, None] * frame[2]
    vertices = (centres[:, None] + radii[:, None, None] * circle).reshape(-1, 3)
    here = np.arange(_ROUND * (len(radii) - 1))
    beside = here + 1 - _ROUND * (here % _ROUND == _ROUND - 1)
    below, across = here + _ROUND, beside + _ROUND
    faces = np.concatenate([np.stack([here, below, across], 1), np.stack([here, across, beside], 1)])
    return vertices, faces
