"""Single arrays and dictionaries of numpy (.npy), as data sets and generators of motion write them.

=====================  =============================================================================================
written by             what the file holds
=====================  =============================================================================================
HumanML3D              an array (T, 263) of features, or joints (T, 22, 3) or (T, 24, 3): `formats.humanml3d`
Motion-X               an array (T, 322): SMPL-X parameters, 30 frames per second
MDM (``results.npy``)  a dictionary: motion (N, 22 or 24, 3, T), text, lengths; 20 frames per second
EasyMocap              a dictionary: poses, Rh, Th: `formats.smpl_parameters`
=====================  =============================================================================================

A dictionary is a pickle, of which nothing is run (`pickles`). Sources: sample/generate.py of
https://github.com/GuyTevet/motion-diffusion-model and the README of https://github.com/IDEA-Research/Motion-X.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motionclip.errors import FormatError
from motionclip.formats.humanml3d import FPS, LAYOUTS, MOST_FRAMES, humanml3d_motion
from motionclip.formats.joint_table import fitted
from motionclip.formats.nodes import choose_take
from motionclip.formats.smpl_parameters import is_parameters, parameters_recording
from motionclip.gate.arrays import Arrays, holds_objects, npy_header, read_array
from motionclip.motion import CANONICAL
from motionclip.motion.conventions import Known, Recording, interpret
from motionclip.pickles import unpickled

_EXPECTED = "results of MDM (motion, text, lengths), or SMPL parameters (poses, Rh, Th)"
#: Numbers of a frame of Motion-X, and where those are that are used.
_MOTION_X, _COLUMNS = 322, {"root_orient": slice(0, 3), "pose_body": slice(3, 66), "trans": slice(309, 312)}
#: Joints of MDM's motions: of HumanML3D, and all of SMPL.
_JOINTS = (22, CANONICAL.num_joints)


def record_npy(
    path: str | Path, *, take: str | None = None, fps: float | None = None, up: str | None = None
) -> Recording:
    """Returns the motion of a file of one of the layouts of this module, on the canonical skeleton; metres, Y up.

    Args:
        path: the file.
        take: which motion of several, by its text or its number from 1; see `npy_takes`.
        fps: frames per second, which the file does not say; if not given, those of the layout.
        up: the axis that points up, if it is known.

    Raises:
        FormatError: if it is damaged, holds other things, shows no body, or several motions and none is named.
    """
    if _is_boxed(path):
        stored = Arrays(path, _dictionary(path))
        if "motion" not in stored.names:
            return parameters_recording(_parameters(stored), fps=fps, up=up)
        results = _results(path, stored)
        points = results.points(choose_take(path, results.names, take))
        return _turned(Recording(fitted(path, points, CANONICAL.names[: points.shape[1]], fps or FPS)), up)
    if take is not None:
        raise FormatError(path, f"it has no motion called {take!r}, for it is one array", "the name of the file alone")
    values = read_array(path, {(_MOTION_X,): "Motion-X", **LAYOUTS}, MOST_FRAMES)
    if values.shape[1:] == (_MOTION_X,):
        arrays = {name: values[:, columns] for name, columns in _COLUMNS.items()}
        return parameters_recording(Arrays(path, arrays), fps=fps, up=up)
    return _turned(Recording(humanml3d_motion(path, torch.from_numpy(values), fps)), up)


def npy_takes(path: str | Path) -> list[str]:
    """Returns the texts of the motions of a file of results; their numbers where it has none; none for one array.

    Raises:
        FormatError: if it is damaged, or holds other things.
    """
    if not _is_boxed(path):
        return []
    stored = Arrays(path, _dictionary(path))
    return _results(path, stored).names if "motion" in stored.names else []


@dataclass(frozen=True)
class _Results:
    """The motions of a file of MDM's results.

    Attributes:
        names: N texts or numbers.
        motion: (N, J, 3, T) joint positions, metres, Y up.
        lengths: N numbers of frames; what is behind them is padding.
    """

    names: list[str]
    motion: Tensor
    lengths: list[int]

    def points(self, number: int) -> Tensor:
        """Joint positions (T, J, 3) of one motion."""
        return self.motion[number, :, :, : self.lengths[number]].permute(2, 0, 1)


def _results(path: str | Path, stored: Arrays) -> _Results:
    motion = stored.numbers("motion", (None, None, 3, None))
    count, joints, _, frames = motion.shape
    if not count or joints not in _JOINTS or not 0 < frames <= MOST_FRAMES:
        raise stored.error(
            f"array 'motion' has shape {motion.shape}",
            f"(N, 22 or 24, 3, T) joint positions, T at most {MOST_FRAMES:,}",
        )
    lengths = (
        stored.numbers("lengths", (count,)).astype(int).tolist() if "lengths" in stored.names else [frames] * count
    )
    if not all(0 < length <= frames for length in lengths):
        raise stored.error(f"lengths from {min(lengths)} to {max(lengths)}", f"numbers of frames from 1 to {frames}")
    return _Results(_names(stored, count), torch.from_numpy(motion), lengths)


def _names(stored: Arrays, count: int) -> list[str]:
    """The texts of the motions, or their numbers where a file has no text for each."""
    try:
        texts = stored.words("text")
    except FormatError:
        texts = ()
    numbers = [str(number) for number in range(1, count + 1)]
    return [" ".join(text.split()) for text in texts] if len(texts) == count else numbers


def _parameters(stored: Arrays) -> Arrays:
    if not is_parameters(stored.names):
        raise stored.error(f"it holds {', '.join(sorted(map(str, stored.names))[:8]) or 'nothing'}", _EXPECTED)
    return stored


def _turned(recording: Recording, up: str | None) -> Recording:
    """The motion, whose axes are ours unless another one is told to point up."""
    told = interpret(Recording(recording.motion, up="+y", unit=1.0), Known(up=up))[0]
    return Recording(
        told, up="+y", unit=1.0, why_up="as its format has it" if up is None else f"{up} in the file, given"
    )


def _dictionary(path: str | Path) -> dict[Any, Any]:
    """The dictionary of a file that holds one, as ``numpy.save`` writes it."""
    try:
        with Path(path).open("rb") as file:
            shape = npy_header(file)[0]
            box = unpickled(file.read())
        stored = box.item() if isinstance(box, np.ndarray) and shape == box.shape == () else box
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise FormatError(path, f"it cannot be read ({error})", _EXPECTED) from error
    if not isinstance(stored, dict):
        raise FormatError(path, f"it holds {type(stored).__name__}", _EXPECTED)
    return stored


def _is_boxed(path: str | Path) -> bool:
    """Whether a file holds a Python object; one that cannot be opened does not, and is refused when it is read."""
    try:
        with Path(path).open("rb") as file:
            return holds_objects(file)
    except OSError:
        return False
