"""Our own archive, version 1: a motion as it is, in one .npz file without pickle.

version      ()            1
rotations    (T, J, 3, 3)  local rotation matrices, float32
root         (T, 3)        root path, metres, float32
fps          ()            frames per second
names        (J,)          joint names
parents      (J,)          index of the parent, -1 for the root
offsets      (J, 3)        rest offsets, metres, float32
end_joints   (E,)          joints that carry the tips
end_offsets  (E, 3)        tips relative to them, metres
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from motionclip.errors import FormatError, SkeletonError
from motionclip.formats.amass import is_amass, read_amass
from motionclip.formats.files import save_arrays
from motionclip.formats.smpl_parameters import (
    TURNED,
    frame_rate,
    is_parameters,
    parameters_motion,
    parameters_recording,
)
from motionclip.gate.arrays import Arrays, rotation_error
from motionclip.motion import Motion, Skeleton
from motionclip.motion.conventions import Recording
from motionclip.motion.skeleton import MOST_JOINTS

VERSION = 1


def read_npz(path: str | Path, *, fps: float | None = None, up: str | None = None) -> Motion:
    """A motion from our own archive, from one of AMASS, or from SMPL parameters, told apart by their arrays.

    Args:
        path: the file.
        fps: frames per second, if the file's own rate is missing or wrong.
        up: the axis that points up in files of others, if it is known.

    Raises:
        FormatError: if it is none of them, or damaged.
    """
    with Arrays(path) as arrays:
        if is_amass(arrays.names):
            return read_amass(path, fps=fps, up=up)
        if is_parameters(arrays.names):
            return parameters_motion(arrays, fps=fps, up=up)
        if not {"version", "rotations"} & arrays.names:
            raise _unknown(arrays)
        version = int(arrays.numbers("version", ()))
        if version != VERSION:
            raise arrays.error(
                f"version {version} of the format", f"version {VERSION}: use the motionclip that wrote it"
            )
        skeleton = _read_skeleton(arrays)
        rotations = arrays.numbers("rotations", (None, skeleton.num_joints, 3, 3))
        if len(rotations) == 0 or rotation_error(rotations) > 1e-3:
            raise arrays.error("'rotations' are empty or no rotation matrices", "rotations of at least one frame")
        root = arrays.numbers("root", (len(rotations), 3))
        rate = fps or frame_rate(arrays)
        return Motion(torch.from_numpy(rotations).float(), torch.from_numpy(root).float(), rate, skeleton)


def record_npz(path: str | Path, *, fps: float | None = None, up: str | None = None) -> Recording:
    """As `read_npz`, with the rate that was assumed."""
    with Arrays(path) as arrays:
        if is_parameters(arrays.names) and not is_amass(arrays.names):
            return parameters_recording(arrays, fps=fps, up=up)
    return Recording(read_npz(path, fps=fps, up=up), up="+y", unit=1.0, why_up=TURNED)


def _unknown(arrays: Arrays) -> FormatError:
    """The error for an archive of other things."""
    expected = "poses or root_orient + pose_body, trans and mocap_frame_rate; or global_orient, body_pose and transl"
    if "betas" in arrays.names and not {"trans", "transl", "poses"} & arrays.names:
        return arrays.error("this is the shape of a body (an AMASS stagei file), and no motion", expected)
    found = ", ".join(sorted(arrays.names)[:8]) or "nothing"
    return arrays.error(f"neither this package's archive nor SMPL parameters: it has {found}", expected)


def write_npz(motion: Motion, path: str | Path) -> None:
    """Writes our own archive; `read_npz` gives exactly the same motion back."""
    skeleton = motion.skeleton
    save_arrays(
        path,
        {
            "version": VERSION,
            "rotations": motion.rotations.float().numpy(force=True),
            "root": motion.root.float().numpy(force=True),
            "fps": motion.fps,
            "names": np.array(skeleton.names),
            "parents": np.array(skeleton.parents),
            "offsets": skeleton.offsets.numpy(force=True),
            "end_joints": np.array([joint for joint, _ in skeleton.end_sites], dtype=int),
            "end_offsets": np.array([tip for _, tip in skeleton.end_sites], dtype=float).reshape(-1, 3),
        },
    )


def _read_skeleton(arrays: Arrays) -> Skeleton:
    if math.prod(arrays.shape("names")) > MOST_JOINTS:
        raise arrays.error(f"'names' have shape {arrays.shape('names')}", f"a skeleton of at most {MOST_JOINTS} joints")
    names = arrays.words("names")
    count = len(names)
    if math.prod(arrays.shape("end_joints")) > MOST_JOINTS:
        raise arrays.error(f"'end_joints' have shape {arrays.shape('end_joints')}", f"at most {MOST_JOINTS} tips")
    end_joints = arrays.numbers("end_joints", (None,)).astype(int).tolist()
    end_offsets = arrays.numbers("end_offsets", (len(end_joints), 3)).tolist()
    if not all(0 <= joint < count for joint in end_joints):
        raise arrays.error(f"'end_joints' name joints beyond the {count}", f"indices from 0 to {count - 1}")
    try:
        return Skeleton(
            names=names,
            parents=tuple(arrays.numbers("parents", (count,)).astype(int).tolist()),
            offsets=torch.from_numpy(arrays.numbers("offsets", (count, 3))).float(),
            end_sites=tuple((joint, (x, y, z)) for joint, (x, y, z) in zip(end_joints, end_offsets, strict=True)),
        )
    except SkeletonError as error:
        raise arrays.error(f"a broken skeleton: {error}", "a tree of joints") from error
