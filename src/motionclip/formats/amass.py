"""AMASS archives (.npz): poses of SMPL, SMPL-H or SMPL-X as rotation vectors, Z up.

Read without the body model, whose files are licensed. Two things follow. The motion gets the canonical
skeleton's proportions whatever the ``betas``. And the pelvis is put at ``trans``, which in these models
is not quite the pelvis: they add its rest position, the same vector in all frames of a file. So paths and
speeds are right and the whole body stands a few decimetres beside and a few centimetres above or below
its true place, unless ``pelvis`` says what that vector is (the first joint of the user's model, about
(0, -0.2, 0)).

Sources: https://amass.is.tue.mpg.de and the layouts of the joints in https://github.com/vchoutas/smplx.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.formats.files import save_arrays
from motionclip.formats.smpl_parameters import MOST_FRAMES, RATES, frame_rate, upright
from motionclip.gate.arrays import Arrays
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import retarget

Doubles = NDArray[np.float64]
Layout = Literal["smpl", "smplh", "smplx"]

_WIDTHS: dict[str, int] = {"smpl": 72, "smplh": 156, "smplx": 165}
_BODY = 22  # joints that all three share, in the order of the canonical skeleton; then SMPL has the two hands
_BETAS = 16
# Z up to Y up, a quarter turn about x: (x, y, z) becomes (x, z, -y).
_TO_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def is_amass(names: Collection[str]) -> bool:
    """Whether an archive with arrays of these names is one of AMASS."""
    return "trans" in names and bool({"poses", "root_orient"} & set(names))


def read_amass(
    path: str | Path,
    *,
    fps: float | None = None,
    up: str | None = None,
    pelvis: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Motion:
    """An AMASS file on the canonical skeleton; metres, turned to Y up.

    Files of the same arrays with Y up are known by how the body stands (`smpl_parameters.upright`).

    Takes ``poses`` of 66, 72, 156 or 165 numbers, also as three for each joint, or ``root_orient`` with ``pose_body``
    of 63 or 69. SMPL's two hand joints are kept; of SMPL-H and SMPL-X, which have fingers instead, hands are in line
    with the wrist.

    Args:
        path: the file.
        fps: frames per second, if the file's own rate is missing or wrong.
        up: the axis that points up, such as "+y", if it is known.
        pelvis: position of the pelvis in the rest pose of the body model, metres, in the model's axes.

    Raises:
        FormatError: if the file is damaged, or is no motion of AMASS.
    """
    with Arrays(path) as arrays:
        rotvecs = _rotation_vectors(arrays)
        trans = arrays.numbers("trans", (len(rotvecs), 3))
        rate = frame_rate(arrays) if fps is None else fps
    rotations = rot.rotvec_to_matrix(torch.from_numpy(rotvecs))
    rotations[:, 0], root = upright(
        rotations[:, 0], torch.from_numpy(trans), default="+z", up=up, pelvis=torch.tensor(pelvis)
    )
    return Motion(rotations.float(), root.float(), rate, CANONICAL)


def write_amass(
    motion: Motion,
    path: str | Path,
    *,
    layout: Layout = "smplh",
    pelvis: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> None:
    """Writes an AMASS file: Z up, neutral gender, mean shape (``betas`` zero), fingers at rest.

    ``read_amass`` gives the motion back, but for the rotation of hands in the layouts with fingers.

    Args:
        motion: retargeted to the canonical skeleton unless it is on its joints already.
        path: the file; it appears whole or not at all.
        layout: whose joints to write: 24 of SMPL, 52 of SMPL-H (as most of AMASS), 55 of SMPL-X.
        pelvis: as in `read_amass`.

    Raises:
        SkeletonError: if the skeleton is of no family that can be retargeted.
    """
    if motion.skeleton.names != CANONICAL.names:
        motion = retarget(motion)
    rotations = motion.rotations.double().cpu().clone()  # the motion itself stays as it is
    rotations[:, 0] = torch.from_numpy(_TO_Y_UP.T) @ rotations[:, 0]
    rotvecs = rot.matrix_to_rotvec(rotations).numpy().reshape(motion.num_frames, -1)
    poses = np.zeros((motion.num_frames, _WIDTHS[layout]))
    kept = poses.shape[1] if layout == "smpl" else 3 * _BODY
    poses[:, :kept] = rotvecs[:, :kept]
    common = {
        "trans": motion.root.double().numpy(force=True) @ _TO_Y_UP - np.array(pelvis),
        "poses": poses,
        "betas": np.zeros(_BETAS),
        "gender": "neutral",
    }
    save_arrays(path, common | _layout_arrays(layout, poses, motion))


def _layout_arrays(layout: Layout, poses: Doubles, motion: Motion) -> dict[str, object]:
    """What the files of a layout hold besides; SMPL-X files spell the rate in three words and split the pose."""
    if layout != "smplx":
        return {RATES[0]: motion.fps}
    return {
        RATES[1]: motion.fps,
        "mocap_time_length": motion.duration,
        "surface_model_type": "smplx",
        "num_betas": _BETAS,
        "root_orient": poses[:, :3],
        "pose_body": poses[:, 3:66],
        "pose_jaw": poses[:, 66:69],
        "pose_eye": poses[:, 69:75],
        "pose_hand": poses[:, 75:],
    }


def _rotation_vectors(arrays: Arrays) -> Doubles:
    """Rotation vectors (T, 24, 3) of the canonical joints."""
    longest = max(arrays.shape(name)[:1] for name in ("poses", "root_orient") if name in arrays.names)
    if longest > (MOST_FRAMES,):
        raise arrays.error(f"{longest[0]:,} frames", f"at most {MOST_FRAMES:,}: cut the motion")
    if "poses" in arrays.names:
        by_joint = len(arrays.shape("poses")) == 3
        poses = arrays.numbers("poses", (None, None, 3) if by_joint else (None, None))
        poses = poses.reshape(len(poses), -1) if len(poses) else poses.reshape(0, 3 * _BODY)
        if poses.shape[1] not in (3 * _BODY, *_WIDTHS.values()):
            known = ", ".join((f"{3 * _BODY} (the body)", *(f"{width} ({name})" for name, width in _WIDTHS.items())))
            raise arrays.error(f"'poses' have {poses.shape[1]} numbers a frame", known)
        kept = 72 if poses.shape[1] == _WIDTHS["smpl"] else 3 * _BODY
        poses = poses[:, :kept]
    else:
        orient, body = arrays.numbers("root_orient", (None, 3)), arrays.numbers("pose_body", (None, None))
        if len(orient) != len(body) or body.shape[1] not in (63, 69):
            shapes = f"'root_orient' {orient.shape} and 'pose_body' {body.shape}"
            raise arrays.error(shapes, "(T, 3) and (T, 63) or (T, 69)")
        poses = np.concatenate([orient, body], axis=1)
    if len(poses) == 0:
        raise arrays.error("no frames", "at least one")
    rotvecs = np.zeros((len(poses), CANONICAL.num_joints, 3))
    rotvecs.reshape(len(poses), -1)[:, : poses.shape[1]] = poses
    return rotvecs
