"""Parameters of SMPL bodies as programs write them that estimate or generate motions: .npz, .pkl, .pt.

==================================  =============================================================================
written by                          arrays of T frames
==================================  =============================================================================
GVHMR, smplx                        global_orient, body_pose, transl: rotation vectors or matrices
WHAM                                pose_world (T, 72), trans_world (T, 3), one dictionary for each person
AIST++                              smpl_poses (T, 72), smpl_trans (T, 3) to be divided by smpl_scaling
EasyMocap                           poses (T, 72 or more) without the pelvis, which Rh (T, 3) and Th (T, 3) place
TRAM                                pred_rotmat (T, 24, 3, 3), pred_trans (T, 1, 3)
many others                         all rotations in one array (`_WHOLE`), the pelvis first; `_TRANSLATIONS`
4D-Humans (PHALP)                   one dictionary for each image: smpl[person] with global_orient, body_pose; camera
HY-Motion                           rot6d (T, 22 or 52, 6), the first two columns interleaved, and transl
kimodo                              local_rot_mats (T, J, 3, 3) and posed_joints (T, J, 3); J is 22, or 77 or 30 of SOMA
==================================  =============================================================================

They are read without the body model: SMPL's get the canonical skeleton, and the pelvis is put at the translation (see
`formats.amass`). kimodo's have their joint positions beside, and with them their own proportions. Which axis is up is
judged from how the body stands (`upright`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.errors import FormatError
from motionclip.formats.nodes import choose_take, rigid_offsets
from motionclip.formats.soma import SOMA
from motionclip.gate.arrays import Arrays, rotation_error
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion import rotations as rot
from motionclip.motion.body_axes import AXES
from motionclip.motion.conventions import Recording, turn_upright
from motionclip.motion.motion import MAX_FPS, MIN_FPS
from motionclip.pickles import read_pickle, read_torch

Doubles = NDArray[np.float64]

#: Why +Y is up in what is read here.
TURNED = "turned so that the body stands along it"
RATES = ("mocap_framerate", "mocap_frame_rate", "fps", "frame_rate", "framerate")
#: GVHMR converts every video to this rate before it looks at it; HY-Motion and kimodo know no other. AIST++ was filmed
#: at the second one.
_USUAL_FPS, _AIST_FPS = 30.0, 60.0
#: A quarter of an hour at 100 frames per second, for which reading takes less than 1 GB.
MOST_FRAMES = 100_000
_BODY = 22  # joints that SMPL, SMPL-H and SMPL-X share, in the order of the canonical skeleton
# Names of arrays, those in the world before those in the axes of a camera: all rotations in one, or the pelvis' and the
# others', and the translation.
_WHOLE = ("pose_world", "smpl_poses", "poses", "pose", "full_pose", "fullpose", "thetas", "pred_rotmat")
_PARTS = (("global_orient", "body_pose"), ("root_orient", "pose_body"))
_TRANSLATIONS = (
    *("trans_world", "transl", "trans", "smpl_trans", "root_positions"),
    *("root_trans", "translation", "pred_trans", "Th", "camera"),
)
#: Heights over the floor, metres, at which the pelvis of someone who stands may be, wherever the model has its origin.
_STANDING = (0.55, 1.5)
# EasyMocap turns a posed body about the model's origin; its pelvis is about here, metres, of SMPL's mean shape.
_PELVIS = (0.0, -0.22, 0.03)
_MOST_REPEATED = 16 << 20
_EXPECTED = (
    "SMPL parameters: global_orient, body_pose and transl; pose_world and trans_world; rot6d and transl; or "
    "local_rot_mats and posed_joints"
)


def is_parameters(names: Collection[str]) -> bool:
    """Whether arrays of these names are parameters that are read here."""
    known = set(names)
    if known & set(_WHOLE) and known & set(_TRANSLATIONS):
        return True
    return any(set(needed) <= known for needed in (*_PARTS, ("rot6d",), ("local_rot_mats",), ("pose_world",)))


def read_smpl_parameters(
    path: str | Path, *, take: str | None = None, fps: float | None = None, up: str | None = None
) -> Motion:
    """Returns the motion of a file of SMPL parameters; metres, Y up.

    Args:
        path: a .pkl of dictionaries and arrays, or a .pt of tensors; nothing that it asks for is run.
        take: whose motion, if it shows several people; see `smpl_takes`.
        fps: frames per second; needed where the file has none.
        up: the axis that points up, such as "-y"; judged from the body if not given.

    Raises:
        FormatError: if it is damaged, holds other things, shows several people and none is named, or has no rate.
    """
    return record_smpl_parameters(path, take=take, fps=fps, up=up).motion


def record_smpl_parameters(
    path: str | Path, *, take: str | None = None, fps: float | None = None, up: str | None = None
) -> Recording:
    """As `read_smpl_parameters`, with the rate that was assumed."""
    people = _people(Path(path))
    chosen = list(people)[choose_take(path, list(people), take)]
    return parameters_recording(Arrays(path, people[chosen]), fps=fps, up=up)


def smpl_takes(path: str | Path) -> list[str]:
    """Returns the people of a file of SMPL parameters, as it numbers or names them.

    Raises:
        FormatError: if it is damaged, or holds other things.
    """
    return list(_people(Path(path)))


def parameters_recording(arrays: Arrays, *, fps: float | None = None, up: str | None = None) -> Recording:
    """As `parameters_motion`, with the rate that was assumed."""
    stated = fps is not None or bool(set(RATES) & arrays.names)
    return Recording(
        parameters_motion(arrays, fps=fps, up=up),
        up="+y",
        unit=1.0,
        why_up=TURNED,
        assumed_rate=None if stated else "assumed, as such files do not state it",
    )


def parameters_motion(arrays: Arrays, *, fps: float | None = None, up: str | None = None) -> Motion:
    """Returns the motion of the parameters of one person; metres, Y up.

    Raises:
        FormatError: if they are of another shape, no rotations, or without a rate.
    """
    usual: float | None = _AIST_FPS if "smpl_poses" in arrays.names else _USUAL_FPS
    usual = None if {"pose_world", "camera"} & arrays.names else usual
    rate = frame_rate(arrays, usual) if fps is None else fps
    if "local_rot_mats" in arrays.names:
        return _kimodo(arrays, rate)
    rotations = _rotations(arrays)
    name = next((name for name in _TRANSLATIONS if name in arrays.names), None)
    root = np.zeros((len(rotations), 3)) if name is None else frames_of(arrays, name, (3,), (1, 3)).reshape(-1, 3)
    if "smpl_scaling" in arrays.names:
        root = root / _scaling(arrays)
    if len(root) != len(rotations):
        raise arrays.error(f"{len(rotations)} frames of rotations and {len(root)} of {name!r}", "as many of both")
    path = torch.from_numpy(root)
    if "Rh" in arrays.names:
        path = path + rotations[:, 0] @ path.new_tensor(_PELVIS)
    rotations[:, 0], places = upright(rotations[:, 0], path, up=up)
    return Motion(rotations.float(), places.float(), rate, CANONICAL)


def upright(
    turns: Tensor, root: Tensor, *, default: str = "+y", up: str | None = None, pelvis: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Rotations (T, 3, 3) of the pelvis and its path (T, 3), turned to Y up.

    An SMPL body stands along its own Y. Where it stands along another axis than the usual one, with the pelvis as high
    along it as legs are long, that axis is up; one that lies is low, or along any.

    Args:
        turns: world rotations of the pelvis.
        root: its world positions, metres.
        default: the axis that usually points up in such files.
        up: the axis that does point up, if it is known.
        pelvis: what the model adds to the positions (3,), in the file's axes.
    """
    axis = up or _standing_axis(turns, root, default)
    basis = turn_upright(axis).to(turns)
    return basis @ turns, (root if pelvis is None else root + pelvis.to(root)) @ basis.T


def _standing_axis(turns: Tensor, root: Tensor, default: str) -> str:
    body = turns[:, :, 1].mean(dim=0)
    index = int(body.abs().argmax())
    found = ("+" if float(body[index]) > 0 else "-") + "xyz"[index]
    if found == default or float(body.abs().max()) < 0.7:
        return default
    height = float((root @ root.new_tensor(AXES[found])).median())
    if _STANDING[0] <= height <= _STANDING[1]:
        return found
    # in the axes of a camera Y points down, and heights count from the camera
    return found if default == "+y" and found in ("-y", "+z") else default


def frame_rate(arrays: Arrays, usual: float | None = None) -> float:
    """The rate of an archive, or the usual one where it has none.

    Raises:
        FormatError: if there is neither, or it is out of range.
    """
    name = next((name for name in RATES if name in arrays.names), None)
    if name is None and usual is None:
        given = "or the rate given: --source-fps 30 (in Python fps=30)"
        raise arrays.error("no frame rate", f"{' or '.join(RATES[:2])}, {given}")
    rate = usual if name is None else _single(arrays, name)
    assert rate is not None
    if not MIN_FPS <= rate <= MAX_FPS:
        raise arrays.error(f"a frame rate of {rate:g}", f"a number from {MIN_FPS:g} to {MAX_FPS:,.0f}")
    return rate


def _single(arrays: Arrays, name: str) -> float:
    """An array of one number."""
    return float(arrays.numbers(name, (1,) if arrays.shape(name) == (1,) else ()).reshape(()))


def frames_of(arrays: Arrays, name: str, *shapes: tuple[int | None, ...]) -> Doubles:
    """An array of finite numbers (T, *shape) of one of some shapes; a leading batch of one is taken off.

    Raises:
        FormatError: if it is missing, damaged, not numeric, of another shape, not finite, or empty.
    """
    stored = arrays.shape(name)
    if max(stored[:2], default=0) > MOST_FRAMES:
        raise arrays.error(f"array {name!r} has shape {stored}", f"at most {MOST_FRAMES:,} frames: cut the motion")
    fitting = [shape for shape in shapes if _fits(stored, shape)]
    batch = [shape for shape in shapes if stored[:1] == (1,) and _fits(stored[1:], shape)]
    if not (fitting or batch):
        wanted = " or ".join(f"(T, {', '.join('any' if n is None else str(n) for n in shape)})" for shape in shapes)
        raise arrays.error(f"array {name!r} has shape {stored}", wanted)
    shape = (None, *(fitting or batch)[0])
    values = arrays.numbers(name, shape if fitting else (1, *shape))
    values = values if fitting else values[0]
    if not len(values):
        raise arrays.error(f"array {name!r} has no frames", "at least one")
    return values


def _fits(stored: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    return len(stored) == len(shape) + 1 and all(n in (None, m) for n, m in zip(shape, stored[1:], strict=True))


def _rotations(arrays: Arrays) -> Tensor:
    """Local rotations (T, 24, 3, 3) of the canonical joints."""
    if "rot6d" in arrays.names:
        parts = [_sixd(arrays, frames_of(arrays, "rot6d", (22, 6), (24, 6), (52, 6), (55, 6)))]
    elif "Rh" in arrays.names:
        parts = [*_placed_by_rh(arrays)]
    elif two := next((names for names in _PARTS if set(names) <= arrays.names), None):
        parts = [_turns(arrays, two[0], 1), _turns(arrays, two[1])]
    else:
        parts = [_turns(arrays, next(name for name in _WHOLE if name in arrays.names))]
    if len({len(part) for part in parts}) > 1:
        raise arrays.error(f"{' and '.join(str(len(part)) for part in parts)} frames of rotations", "as many of all")
    found = torch.cat(parts, dim=1)
    if found.shape[1] < _BODY:
        raise arrays.error(f"rotations of {found.shape[1]} joints", f"those of SMPL's body, at least {_BODY}")
    kept = found.shape[1] if found.shape[1] == CANONICAL.num_joints else _BODY
    full = torch.eye(3, dtype=torch.float64).repeat(len(found), CANONICAL.num_joints, 1, 1)
    full[:, :kept] = found[:, :kept]
    return full


def _placed_by_rh(arrays: Arrays) -> tuple[Tensor, Tensor]:
    """Rotations (T, 1, 3, 3) of the pelvis and (T, J, 3, 3) of the other joints of EasyMocap's poses."""
    turned, poses = _turns(arrays, "Rh", 1), _turns(arrays, "poses")
    if poses.shape[1] in (_BODY - 1, CANONICAL.num_joints - 1):  # newer versions leave the pelvis out
        return turned, poses
    if len(poses) == len(turned):
        turned = turned @ poses[:, :1]  # no turn, in files of EasyMocap
    return turned, poses[:, 1:]


def _scaling(arrays: Arrays) -> float:
    """What the translations of AIST++ are multiplied by."""
    scaling = float(arrays.numbers("smpl_scaling", (1,))[0])
    if not 1e-3 <= abs(scaling) <= 1e5:
        raise arrays.error(f"'smpl_scaling' is {scaling:g}", "a number from 0.001 to 100,000")
    return scaling


def _turns(arrays: Arrays, name: str, joints: int | None = None) -> Tensor:
    """Rotations (T, J, 3, 3) of an array of rotation vectors (T, 3 J) or (T, J, 3), or of matrices (T, J, 3, 3)."""
    width = None if joints is None else 3 * joints
    values = frames_of(arrays, name, (joints, 3, 3), *([(3, 3)] if joints == 1 else []), (width,), (joints, 3))
    if values.shape[-2:] == (3, 3) and (values.ndim == 4 or (joints == 1 and values.ndim == 3)):
        return proper_rotations(arrays, name, values.reshape(len(values), -1, 3, 3))
    if values.ndim == 2 and values.shape[1] % 3:
        raise arrays.error(f"array {name!r} has shape {values.shape}", "three numbers for each joint")
    return rot.rotvec_to_matrix(torch.from_numpy(values.reshape(len(values), -1, 3)))


def proper_rotations(arrays: Arrays, name: str, matrices: Doubles) -> Tensor:
    """Matrices (..., 3, 3) as a tensor.

    Raises:
        FormatError: if they are no rotations.
    """
    if rotation_error(matrices) > 1e-2:
        raise arrays.error(f"array {name!r} holds matrices that turn nothing or mirror", "rotation matrices")
    left, _, right = np.linalg.svd(matrices)
    return torch.from_numpy(left @ right)


def _sixd(arrays: Arrays, values: Doubles) -> Tensor:
    """Rotations (T, J, 3, 3) of their first two columns, interleaved (T, J, 6): row by row."""
    columns = torch.from_numpy(np.concatenate([values[..., 0::2], values[..., 1::2]], axis=-1))
    if float(torch.linalg.cross(columns[..., :3], columns[..., 3:]).norm(dim=-1).min()) < 1e-6:
        raise arrays.error("array 'rot6d' holds vectors that are zero or parallel", "two columns of rotation matrices")
    return rot.sixd_to_matrix(columns)


def _kimodo(arrays: Arrays, rate: float) -> Motion:
    """Local rotation matrices with joint positions: the skeleton has the proportions that these show."""
    turns = frames_of(arrays, "local_rot_mats", (22, 3, 3), (77, 3, 3), (30, 3, 3))
    rotations = proper_rotations(arrays, "local_rot_mats", turns)
    places = frames_of(arrays, "posed_joints", (turns.shape[1], 3))
    if len(places) != len(turns):
        raise arrays.error(f"{len(turns)} frames of rotations and {len(places)} of positions", "as many of both")
    tree = SOMA.get(turns.shape[1])
    names = CANONICAL.names[:_BODY] if tree is None else tuple(name for name, _ in tree)
    parents = (
        CANONICAL.parents[:_BODY] if tree is None else tuple(-1 if up is None else names.index(up) for _, up in tree)
    )
    world = [rotations[:, 0]]
    for joint, parent in enumerate(parents[1:], start=1):
        world.append(world[parent] @ rotations[:, joint])
    offsets = rigid_offsets(torch.stack(world, dim=1).numpy(), places, parents)
    skeleton = Skeleton(names, parents, torch.from_numpy(offsets).float())
    return Motion(rotations.float(), torch.from_numpy(places[:, 0]).float(), rate, skeleton)


# Whose motions a file holds


def _people(path: Path) -> dict[str, Mapping[str, Any]]:
    """The parameters of each person of a .pkl or .pt, by name or number."""
    stored = _read_tensors(path) if path.suffix.lower() in (".pt", ".pth") else read_pickle(path, _EXPECTED)
    for name in ("smpl_params_global", "smpl_params"):  # GVHMR: in the world, not in the camera's axes
        if isinstance(stored.get(name), Mapping):
            stored = dict(stored[name])
    if _is_person(stored):
        return {"1": stored}
    people = {str(name): value for name, value in stored.items() if isinstance(value, Mapping) and _is_person(value)}
    if not people:
        people = _phalp(stored)
    if not people:
        found = ", ".join(sorted(map(str, stored))[:8]) or "nothing"
        raise FormatError(path, f"it holds {found}", _EXPECTED)
    return people


def _is_person(stored: Mapping[Any, Any]) -> bool:
    return is_parameters({name for name in stored if isinstance(name, str)})


def _phalp(stored: Mapping[Any, Any]) -> dict[str, Mapping[str, Any]]:
    """The tracks of PHALP: of each person, the images that show it."""
    tracks: dict[str, list[tuple[Any, Any, Any]]] = {}
    for frame in stored.values():
        if isinstance(frame, Mapping) and all(isinstance(frame.get(name), list) for name in ("tid", "smpl", "camera")):
            for track, body, camera in zip(frame["tid"], frame["smpl"], frame["camera"], strict=False):
                if isinstance(body, Mapping) and "global_orient" in body and "body_pose" in body:
                    tracks.setdefault(str(track), []).append((body["global_orient"], body["body_pose"], camera))
    return {
        track: dict(zip(("global_orient", "body_pose", "camera"), map(_stacked, zip(*rows, strict=True)), strict=True))
        for track, rows in tracks.items()
    }


def _stacked(rows: tuple[Any, ...]) -> NDArray[Any]:
    """Arrays of equal shapes as one; an empty one, which is refused later, if they differ."""
    arrays = [np.asarray(row) for row in rows]
    return np.stack(arrays) if len({array.shape for array in arrays}) == 1 else np.empty(0)


def _read_tensors(path: Path) -> dict[Any, Any]:
    """The dictionary of a .pt file, tensors as arrays."""
    stored = read_torch(path, _EXPECTED)
    if not isinstance(stored, dict):
        raise FormatError(path, f"it holds {type(stored).__name__}", _EXPECTED)
    return {name: _as_arrays(path, value) for name, value in stored.items()}


def _as_arrays(path: Path, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_arrays(path, each) for name, each in value.items()}
    if not isinstance(value, Tensor):
        return value
    repeated = value.nbytes > value.untyped_storage().nbytes()  # one row that stands for many, as betas often do
    if value.layout != torch.strided or (repeated and value.nbytes > _MOST_REPEATED):
        raise FormatError(path, f"a tensor of shape {tuple(value.shape)} without as many numbers", _EXPECTED)
    return value.float().numpy()
