"""An SMPL-shaped random body, and files of it laid out as SMPL's own: any test can have one, without a licence."""

from __future__ import annotations

import copyreg
import pickle
import struct
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.motion import CANONICAL

JOINTS = CANONICAL.num_joints


def smpl_arrays(vertices: int = 6890, seed: int = 0) -> dict[str, Any]:
    """Arrays of SMPL's names, shapes and types: flesh around the joints, moved by the four nearest ones.

    Its pose blend shapes move a vertex by about a centimetre where all joints turn by half a radian.
    """
    rng = np.random.default_rng(seed)
    joints = CANONICAL.rest_positions.double().numpy() * 1.05 + rng.normal(size=(JOINTS, 3)) * 0.01
    owner = np.arange(vertices) % JOINTS
    near = joints[owner] + rng.normal(size=(vertices, 3)) * 0.06
    share = np.exp(-np.linalg.norm(near[:, None] - joints, axis=-1) / 0.05)
    share[share < np.sort(share, axis=1)[:, -4:-3]] = 0.0
    regressor = (owner == np.arange(JOINTS)[:, None]) * rng.random((JOINTS, vertices))
    parents = np.array([4294967295, *CANONICAL.parents[1:]], dtype=np.uint32)
    faces = (rng.integers(vertices, size=(2 * vertices - 4, 1)) + np.arange(3)) % vertices
    return {
        "v_template": near + np.array([0.0, -0.2, 0.05]),
        "weights": share / share.sum(1, keepdims=True),
        "f": faces.astype(np.uint32),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "kintree_table": np.stack([parents, np.arange(JOINTS, dtype=np.uint32)]),
        "shapedirs": rng.normal(size=(vertices, 3, 10)) * 0.01,
        "posedirs": rng.normal(size=(vertices, 3, 9 * (JOINTS - 1))) * 1.5e-3,
        "vert_sym_idxs": np.arange(vertices),
        "bs_type": "lrotmin",
        "bs_style": "lbs",
    }


def smpl_vertices(arrays: dict[str, Any], rotations: Tensor) -> Tensor:
    """SMPL's slow twin, pose blend shapes and all: local rotations (T, 24, 3, 3) to vertices (T, V, 3).

    Loper et al., "SMPL", SIGGRAPH Asia 2015, section 3, with the mean shape and the root joint at the origin.
    """
    template, weights, directions, regressor = (
        torch.from_numpy(arrays[name]).to(rotations) for name in ("v_template", "weights", "posedirs", "J_regressor")
    )
    bends = (rotations[:, 1:] - torch.eye(3).to(rotations)).flatten(1)  # (T, 207)
    rest = template + torch.einsum("vkp,tp->tvk", directions, bends)
    joints = regressor @ template
    turned, placed = [rotations[:, 0]], [torch.zeros_like(rotations[:, 0, 0])]
    for joint, parent in enumerate(CANONICAL.parents[1:], start=1):
        turned.append(turned[parent] @ rotations[:, joint])
        placed.append(placed[parent] + turned[parent] @ (joints[joint] - joints[parent]))
    out = torch.zeros_like(rest)
    for joint in range(JOINTS):
        moved = (rest - joints[joint]) @ turned[joint].transpose(-1, -2) + placed[joint][:, None]
        out = out + weights[:, joint, None] * moved
    return out


class Ch:
    """Pickles like chumpy's: an object with the array ``x`` and other things."""

    def __init__(self, x: NDArray[Any]):
        self.x, self._dirty_vars, self._itr, self._depends_on_deps = x, {"x"}, None, {}


class CscMatrix:
    """Pickles like scipy's csc_matrix."""

    def __init__(self, dense: NDArray[Any]):
        columns, self.indices = (places.astype(np.int32) for places in np.nonzero(dense.T))
        self.data, self._shape, self.maxprint = dense[self.indices, columns], dense.shape, 50
        self.indptr = np.searchsorted(columns, np.arange(dense.shape[1] + 1)).astype(np.int32)


#: What Python 2 called them.
_NAMES = {
    Ch: "chumpy.ch Ch",
    CscMatrix: "scipy.sparse.csc csc_matrix",
    np.ndarray: "numpy ndarray",
    np.dtype: "numpy dtype",
    np.zeros(1).__reduce__()[0]: "numpy.core.multiarray _reconstruct",
    copyreg._reconstructor: "copy_reg _reconstructor",
    object: "__builtin__ object",
    set: "__builtin__ set",
}


class _Python2Pickler(pickle._Pickler):
    """Writes bytes and text as Python 2 wrote its strings, and globals under the names that they had then."""

    def save_global(self, obj: Any, name: str | None = None) -> None:
        self.write(pickle.GLOBAL + _NAMES[obj].replace(" ", "\n").encode() + b"\n")
        self.memoize(obj)

    def save_string(self, text: bytes | str) -> None:
        stored = text.encode("latin1") if isinstance(text, str) else text
        self.write(pickle.BINSTRING + struct.pack("<i", len(stored)) + stored)
        self.memoize(text)

    dispatch = pickle._Pickler.dispatch | {
        bytes: save_string,
        str: save_string,
        FunctionType: save_global,
        type: save_global,
    }


def save_pickle(path: Path, arrays: dict[str, Any], protocol: int = 2) -> Path:
    """The arrays as SMPL is published: a pickle of Python 2 with chumpy's and scipy's objects in it."""
    wrapped = arrays | {
        "shapedirs": Ch(arrays["shapedirs"]),
        "v_template": Ch(arrays["v_template"]),
        "J_regressor": CscMatrix(arrays["J_regressor"]),
    }
    with path.open("wb") as file:
        _Python2Pickler(file, protocol).dump(wrapped)
    return path


def save_npz(path: Path, arrays: dict[str, Any]) -> Path:
    """The arrays as users convert them, dense."""
    np.savez(path, **arrays)
    return path
