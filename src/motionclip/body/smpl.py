"""SMPL, SMPL-H and SMPL-X bodies, for users who have their files, whose licences do not allow to ship them.

Read are template, weights, faces and joints; shape and pose blend shapes are left out. The fingers of SMPL-H and SMPL-X
move with the hands, jaw and eyes with the head. The published .pkl files are pickles of Python 2 that name classes
of `chumpy` and `scipy`: they are read, without either, by an unpickler that builds numpy arrays, a stub in place of
these classes, and nothing else.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body.body import Body, default_body
from motionclip.errors import FormatError
from motionclip.motion.skeleton import CANONICAL, Skeleton

_WANTED = ("v_template", "weights", "f", "J_regressor", "kintree_table")
_WHERE_FROM = (
    "the .pkl or .npz of an SMPL model, which its makers give to those who register at smpl.is.tue.mpg.de; "
    "the default body needs no file"
)
_HAND = [CANONICAL.index("left_hand")] * 15 + [CANONICAL.index("right_hand")] * 15
#: By number of joints in the file: the canonical joint that each moves with, and the two joints that are taken for the
#: hands, which in SMPL-H and SMPL-X are the first of the middle fingers.
_LAYOUTS = {
    24: ([*range(24)], (22, 23)),
    52: ([*range(22), *_HAND], (25, 40)),
    55: ([*range(22), *[CANONICAL.index("head")] * 3, *_HAND], (28, 43)),
}
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
        np.add.at(self.x, (state["indices"], columns), state["data"])  # an entry that is stored twice adds up


def _reconstructor(kind: type, base: type, state: None) -> object:
    """Makes an object before its state is set, in protocols 0 and 1."""
    return object.__new__(kind)


class _SmplUnpickler(pickle.Unpickler):
    """Builds arrays and the stubs, and refuses any other global."""

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


def load_body(path: str | Path | None = None) -> Body:
    """Returns the body of an SMPL, SMPL-H or SMPL-X file (:func:`load_smpl`), or the default body without one."""
    return default_body() if path is None else load_smpl(path)


def load_smpl(path: str | Path) -> Body:
    """Returns the mean body of an SMPL, SMPL-H or SMPL-X model, on the 24 canonical joints, the root at the origin.

    Args:
        path: the model's .npz or .pkl, with ``v_template``, ``weights``, ``f``, ``J_regressor`` and ``kintree_table``.

    Raises:
        FormatError: if the file is missing, damaged, asks for code to be run, or is of another model.
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
    """Returns the arrays of an .npz that need no pickle."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in _WANTED if name in stored}
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(path, f"it cannot be read ({error})", "an .npz of plain numeric arrays") from error


def _read_pickle(path: Path) -> Mapping[str, Any]:
    """Returns the dictionary of a .pkl, by the restricted unpickler."""
    try:
        with path.open("rb") as file:
            stored = _SmplUnpickler(file, encoding="latin1").load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise FormatError(path, f"it cannot be read ({error})", "a pickle of arrays, as SMPL is published") from error
    if not isinstance(stored, dict):
        raise FormatError(path, f"it holds {type(stored).__name__}", "a dictionary of arrays, as SMPL is published")
    return stored


def _array(path: Path, name: str, value: Any) -> NDArray[np.float64]:
    """Returns a stored value as a float array, whether it came as an array or as a stub of one."""
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
    count, joints = len(template), weights.shape[-1]
    shapes = [array.shape for array in (template, weights, regressor)] + [tree.shape[-1:], faces.shape[1:]]
    if joints not in _LAYOUTS or shapes != [(count, 3), (count, joints), (joints, count), (joints,), (3,)]:
        raise FormatError(path, f"arrays of shapes {shapes}", "those of SMPL (24 joints), SMPL-H (52) or SMPL-X (55)")
    moves_with, hands = _LAYOUTS[joints]
    above = [moves_with[int(parent)] if 0 <= parent < joints else -1 for parent in tree[0, 1:]]
    if any(up not in (own, CANONICAL.parents[own]) for own, up in zip(moves_with[1:], above, strict=True)):
        raise FormatError(path, "its joints form another tree", "the kintree_table of SMPL, SMPL-H or SMPL-X")
    rest = (regressor @ template)[[*range(22), *hands]]
    offsets = rest - rest[[0, *CANONICAL.parents[1:]]]
    skeleton = Skeleton(CANONICAL.names, CANONICAL.parents, torch.from_numpy(offsets).float())
    shares = np.stack([weights[:, np.equal(moves_with, joint)].sum(1) for joint in range(CANONICAL.num_joints)], axis=1)
    return Body(
        torch.from_numpy(template - rest[0]).float(),
        torch.from_numpy(shares / shares.sum(1, keepdims=True)).float(),
        torch.from_numpy(faces.astype(np.int64)),
        skeleton,
    )
