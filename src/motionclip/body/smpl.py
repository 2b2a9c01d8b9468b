"""SMPL for users who have its files: the model is under a licence of its own and never shipped.

Reads SMPL's 24 joints, template, weights and faces; shape and pose blend shapes are left out. The
published .pkl files are pickles of Python 2 that name classes of `chumpy` and `scipy`: they are read, without
either, by an unpickler that builds numpy arrays, a stub in place of these classes, and nothing else.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body.body import Body
from motionclip.errors import FormatError
from motionclip.motion.skeleton import CANONICAL, Skeleton

_WANTED = ("v_template", "weights", "f", "J_regressor", "kintree_table")
_WHERE_FROM = (
    "the .pkl or .npz of an SMPL model, which its makers give to those who register at smpl.is.tue.mpg.de; "
    "the default body needs no file"
)
_ADMITTED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("_codecs", "encode"),  # how protocol 2 of Python 3 stores the bytes of an array
    ("__builtin__", "object"),
    ("__builtin__", "set"),  # of chumpy's state
}


class _Chumpy:
    """Stands for any chumpy object: keeps its state, of which only the array ``x`` is of use."""

    x: NDArray[np.float64]

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.x = np.asarray(state.get("x", np.empty(0)))


class _SparseColumns:
    """Stands for scipy's csc_matrix: becomes the dense array ``x`` of what it stores."""

    x: NDArray[np.float64]

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.x = np.zeros(state["_shape"])
        columns = np.repeat(np.arange(self.x.shape[1]), np.diff(state["indptr"]))
        np.add.at(self.x, (state["indices"], columns), state["data"])  # a place that is named twice adds up


def _reconstructor(kind: type, base: type, state: None) -> object:
    """How protocols 0 and 1 make an object before its state is set."""
    return object.__new__(kind)


class _SmplUnpickler(pickle.Unpickler):
    """Builds arrays and the stubs; any other global is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "chumpy":
            return _Chumpy
        if module.startswith("scipy.sparse") and name == "csc_matrix":
            return _SparseColumns
        if (module, name) == ("copy_reg", "_reconstructor"):
            return _reconstructor
        if (module, name) in _ADMITTED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no SMPL file needs")


def load_smpl(path: str | Path) -> Body:
    """An SMPL body from the user's own file.

    Args:
        path: the model's .npz or .pkl, with ``v_template``, ``weights``, ``f``, ``J_regressor`` and
            ``kintree_table`` of SMPL's 24 joints.

    Returns:
        The mean body; its root joint is at the origin and its joints carry the canonical names.

    Raises:
        FormatError: if the file is missing, damaged, asks for code to be run, or is not SMPL with 24 joints.
    """
    path = Path(path)
    readers: dict[str, Callable[[Path], Mapping[str, Any]]] = {".npz": _read_npz, ".pkl": _read_pickle}
    if path.suffix.lower() not in readers:
        raise FormatError(path, "this is not a file of an SMPL model", _WHERE_FROM)
    if not path.is_file():
        raise FormatError(path, "there is no such file", _WHERE_FROM)
    stored = readers[path.suffix.lower()](path)
    missing = [name for name in _WANTED if name not in stored]
    if missing:
        raise FormatError(path, f"it has no {', '.join(missing)}", f"an SMPL model with {', '.join(_WANTED)}")
    return _body(path, *(_array(path, name, stored[name]) for name in _WANTED))


def _read_npz(path: Path) -> Mapping[str, Any]:
    """The arrays of an .npz that need no pickle."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in _WANTED if name in stored}
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(path, f"it cannot be read ({error})", "an .npz of plain numeric arrays") from error


def _read_pickle(path: Path) -> Mapping[str, Any]:
    """The dictionary of a .pkl, by the restricted unpickler."""
    try:
        with path.open("rb") as file:
            stored = _SmplUnpickler(file, encoding="latin1").load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise FormatError(path, f"it cannot be read ({error})", "a pickle of arrays, as SMPL is published") from error
    if not isinstance(stored, dict):
        raise FormatError(path, f"it holds {type(stored).__name__}", "a dictionary of arrays, as SMPL is published")
    return stored


def _array(path: Path, name: str, value: Any) -> NDArray[np.float64]:
    """A stored value as a float array, whether it came as an array or as a stub of one."""
    array = np.asarray(value.x if isinstance(value, _Chumpy | _SparseColumns) else value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise FormatError(path, f"{name} is not an array of finite numbers", "the arrays as SMPL is published")
    return array.astype(np.float64)


def _body(
    path: Path,
    template: NDArray[np.float64],
    weights: NDArray[np.float64],
    faces: NDArray[np.float64],
    regressor: NDArray[np.float64],
    tree: NDArray[np.float64],
) -> Body:
    """The Body of SMPL's arrays."""
    count, joints = len(template), CANONICAL.num_joints
    shapes = [array.shape for array in (template, weights, regressor)] + [tree.shape[-1:], faces.shape[1:]]
    if shapes != [(count, 3), (count, joints), (joints, count), (joints,), (3,)]:
        raise FormatError(path, f"arrays of shapes {shapes}", f"SMPL with {joints} joints (not SMPL-H or SMPL-X)")
    if tuple(tree[0, 1:].astype(int)) != CANONICAL.parents[1:]:
        raise FormatError(path, "its joints form another tree", "SMPL's kintree_table")
    places = regressor @ template
    offsets = places - places[[0, *CANONICAL.parents[1:]]]
    skeleton = Skeleton(CANONICAL.names, CANONICAL.parents, torch.from_numpy(offsets).float())
    return Body(
        torch.from_numpy(template - places[0]).float(),
        torch.from_numpy(weights / weights.sum(1, keepdims=True)).float(),
        torch.from_numpy(faces.astype(np.int64)),
        skeleton,
    )
