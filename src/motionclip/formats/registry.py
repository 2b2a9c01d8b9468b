"""Which function reads or writes which suffix."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from motionclip.errors import FormatError
from motionclip.motion import Motion

#: Suffix to "module:function" of this package; a module is imported when its format is first used.
READERS = {
    ".bvh": "bvh:read_bvh",
    ".amc": "asf_amc:read_amc",
    ".npz": "npz:read_npz",
}
WRITERS = {
    ".bvh": "bvh:write_bvh",
    ".npz": "npz:write_npz",
    ".amass.npz": "amass:write_amass",
    ".glb": "gltf:write_glb",
    ".mp4": "video:write_video",
    ".gif": "video:write_video",
    ".png": "picture:write_picture",
}


def read_motion(path: str | Path) -> Motion:
    """A motion on the file's own skeleton, at its own rate; metres, Y up.

    Reads .bvh, .amc (with its .asf beside it) and .npz, ours or AMASS.

    Raises:
        FormatError: if the file is missing or damaged, or its suffix is of no format that can be read.
    """
    return _function(READERS, path, "read")(path)


def write_motion(motion: Motion, path: str | Path) -> None:
    """Writes .bvh, .npz, .amass.npz, .glb, .mp4, .gif or .png.

    Raises:
        FormatError: if the suffix is of no format that can be written.
        SkeletonError: for formats with a body, if the skeleton cannot be retargeted to it.
    """
    check_writable(path)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    _function(WRITERS, path, "written")(motion, path)


def check_writable(path: str | Path) -> None:
    """Says early whether `write_motion` knows the suffix and may use the place.

    Raises:
        FormatError: if not.
    """
    _suffix(WRITERS, path, "written")
    if Path(path).is_dir():
        raise FormatError(path, "this is a folder", "the name of a file")


def _function(table: dict[str, str], path: str | Path, verb: str) -> Callable[..., Motion]:
    module, name = table[_suffix(table, path, verb)].split(":")
    function: Callable[..., Motion] = getattr(import_module(f"motionclip.formats.{module}"), name)
    return function


def _suffix(table: dict[str, str], path: str | Path, verb: str) -> str:
    """The longest suffix of the table that the file's name ends in."""
    name = Path(path).name.lower()
    fitting = [suffix for suffix in table if name.endswith(suffix)]
    if not fitting:
        known = ", ".join(sorted(table))
        raise FormatError(path, f"a file with suffix {Path(path).suffix!r} cannot be {verb}", f"one of {known}")
    return max(fitting, key=len)
