"""FBX files as motions, read by ufbx (the extra ``fbx``): animations of skinned characters and of bare skeletons."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.files import read_bytes
from motionclip.formats.nodes import Nodes, choose_take, nodes_to_motion
from motionclip.motion import Motion

Arrays = dict[str, NDArray[np.generic]]

_PROGRAM = Path(__file__).with_name("fbx_process.py")
_MOST_SECONDS = 300.0
_EXPECTED = "a whole FBX file of version 6 or 7 with an animated skeleton"


def read_fbx(path: str | Path, *, take: str | None = None, fps: float | None = None) -> Motion:
    """Returns an animation of an FBX file on the file's own skeleton; metres, Y up.

    Axes and units are those that the file states.

    Args:
        path: the file.
        take: the name of an animation, or its number from 1; needed if there are several.
        fps: frames per second at which the curves are sampled; the file's own rate if not given.

    Raises:
        FormatError: if ufbx is not installed, or the file is damaged or has no such animation or no moving skeleton.
    """
    number = choose_take(path, fbx_takes(path), take)
    found = _ask(Path(path), str(number), str(fps or 0.0))
    return nodes_to_motion(path, _nodes(found), float(found["rate"]))


def fbx_takes(path: str | Path) -> list[str]:
    """Returns the names of the animations of an FBX file.

    Raises:
        FormatError: if ufbx is not installed, or the file is damaged.
    """
    return [str(name) for name in _ask(Path(path), "names")["names"]]


def _ask(path: Path, *arguments: str) -> Arrays:
    """What `fbx_process` answers about a file."""
    content = read_bytes(path)
    if find_spec("ufbx") is None:
        raise FormatError(path, "FBX is read by ufbx, which is not installed", 'pip install "motionclip[fbx]"')
    command = [sys.executable, "-P", str(_PROGRAM), *arguments]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_MOST_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise FormatError(path, f"it was not read within {_MOST_SECONDS:.0f} s", _EXPECTED) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["ufbx broke off"]
        raise FormatError(path, f"the FBX file cannot be read ({said[0][:200]})", _EXPECTED)
    with np.load(io.BytesIO(done.stdout), allow_pickle=False) as stored:
        return dict(stored)


def _nodes(found: Arrays) -> Nodes:
    world = found["world"].astype(np.float64)
    rest = found["rest"].astype(np.float64)
    parents = [int(parent) for parent in found["parents"].astype(int)]
    names = [str(name) or f"node_{number}" for number, name in enumerate(found["node_names"])]
    moving = np.abs(world - world[:1]).max(axis=(0, 2, 3)) > 1e-6
    bones = {int(number) for number in np.flatnonzero(found["bones"])}
    joints = bones or {number for number, parent in enumerate(parents) if moving[number] and parent >= 0}
    return Nodes(names, parents, rest, world, frozenset(joints))
