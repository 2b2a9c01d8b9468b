"""SMPL, SMPL-H and SMPL-X bodies, for users who have their files, whose licences do not allow to ship them.

Read are template, weights, faces and joints; shape and pose blend shapes are left out. The fingers of SMPL-H and SMPL-X
move with the hands, jaw and eyes with the head. Nothing that a .pkl asks for is run (`motionclip.pickles`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body.body import Body, default_body
from motionclip.errors import FormatError
from motionclip.gate.arrays import Arrays
from motionclip.motion.skeleton import CANONICAL, Skeleton
from motionclip.pickles import read_pickle

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
    with Arrays(path) as stored:
        shapes = {name: stored.shape(name) for name in _WANTED if name in stored.names}
        return {name: stored.numbers(name, shape) for name, shape in shapes.items()}


def _read_pickle(path: Path) -> Mapping[str, Any]:
    """Returns the dictionary of a .pkl."""
    return read_pickle(path, "a pickle of a dictionary of arrays, as SMPL is published")


def _array(path: Path, name: str, value: Any) -> NDArray[np.float64]:
    """Returns a stored value as a float array."""
    array = np.asarray(value)
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
