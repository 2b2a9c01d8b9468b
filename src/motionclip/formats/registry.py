"""Which function reads or writes which suffix."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from motionclip.errors import FormatError
from motionclip.formats.rigs import Rig
from motionclip.motion import Motion
from motionclip.progress import OnStep

#: Suffix to "module:function" of this package; a module is imported when its format is first used.
READERS = {
    ".bvh": "bvh:read_bvh",
    ".amc": "asf_amc:read_amc",
    ".npz": "npz:read_npz",
}
_FILMS = "video:write_video"
WRITERS = {
    ".bvh": "bvh:write_bvh",
    ".npz": "npz:write_npz",
    ".amass.npz": "amass:write_amass",
    ".npy": "humanml3d:write_humanml3d",
    ".csv": "joint_table:write_csv",
    ".glb": "gltf:write_glb",
    ".usd": "usd:write_usd",
    ".usda": "usd:write_usd",
    ".usdc": "usd:write_usd",
    ".usdz": "usd:write_usd",
    ".mp4": _FILMS,
    ".gif": _FILMS,
    ".webp": _FILMS,
    ".png": "picture:write_picture",
}


def read_motion(path: str | Path) -> Motion:
    """A motion on the file's own skeleton, at its own rate; metres, Y up.

    Reads .bvh, .amc (with its .asf beside it) and .npz, ours or AMASS.

    Raises:
        FormatError: if the file is missing or damaged, or its suffix is of no format that can be read.
    """
    return _function(READERS, path, "read")(path)


def write_motion(motion: Motion, path: str | Path, rig: Rig | None = None, progress: OnStep | None = None) -> None:
    """Writes a motion in the format of the suffix: a key of `WRITERS`.

    Args:
        motion: on any skeleton that can be retargeted.
        path: the file; it appears whole or not at all.
        rig: on whose skeleton to write it, from `load_rig`; for formats that hold a skeleton.
        progress: told how many pictures of a film are done, and of how many; other formats are written at once.

    Raises:
        FormatError: if the suffix is of no format that can be written, or of none that can hold the rig.
        SkeletonError: for formats with a body and for rigs, if the skeleton cannot be retargeted.
    """
    check_writable(path, rig)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if rig is not None:
        rig.write(motion, path)
    elif WRITERS[_suffix(WRITERS, path, "written")] == _FILMS:
        _function(WRITERS, path, "written")(motion, path, progress)
    else:
        _function(WRITERS, path, "written")(motion, path)


def check_writable(path: str | Path, rig: Rig | None = None) -> None:
    """Says early whether `write_motion` knows the suffix, may use the place and can write the rig to it.

    Raises:
        FormatError: if not.
    """
    suffix = _suffix(WRITERS, path, "written")
    if Path(path).is_dir():
        raise FormatError(path, "this is a folder", "the name of a file")
    if rig is not None and suffix not in rig.suffixes:
        raise FormatError(path, f"{suffix} cannot hold the rig {rig.name}", f"one of {', '.join(rig.suffixes)}")


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
