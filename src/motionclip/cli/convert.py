"""`motionclip convert` and `motionclip info`: motion files between formats, and what is in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

import motionclip
from motionclip.cli.console import save_motion, say
from motionclip.cli.options import WRITABLE, MotionFile, RigName, optional
from motionclip.errors import FormatError, SkeletonError
from motionclip.io import check_writable

if TYPE_CHECKING:
    from motionclip.motion import Motion

Scale = Annotated[
    float | None,
    optional(float, "METRES", "Metres per unit of a .bvh file, which does not say it.", "found from the body's size"),
]
Skeleton = Annotated[Path | None, optional(Path, "FILE.asf", "Skeleton of an .amc file.", "the .asf beside it")]


def convert(
    source: MotionFile,
    target: Annotated[
        Path,
        Positional,
        arg(
            metavar="TARGET",
            help=f"File to write; its suffix chooses the format ({WRITABLE}). .npy are HumanML3D's 263 features at "
            "20 frames/s; docs/formats.md says what opens which.",
        ),
    ],
    /,
    *,
    fps: Annotated[float | None, optional(float, "FPS", default="the source's own rate")] = None,
    start: Annotated[float, arg(metavar="SECONDS")] = 0.0,
    end: Annotated[float | None, optional(float, "SECONDS", default="the end of the source")] = None,
    scale: Scale = None,
    asf: Skeleton = None,
    retarget: bool = False,
    rig: RigName = None,
) -> None:
    """Convert a motion file to another format, rate, span or skeleton.

    Args:
        fps: Frames per second to resample to.
        start: First second to keep.
        end: Last second to keep.
        retarget: Put the motion on the canonical skeleton of 24 joints, feet on the ground.
    """
    from motionclip.motion import crop, resample
    from motionclip.motion.retarget import retarget as to_canonical

    target_rig = None if rig is None else motionclip.load_rig(rig)
    check_writable(target, target_rig)
    motion = crop(_read(source, scale, asf), start, end)
    motion = to_canonical(motion) if retarget else motion
    motion = motion if fps is None else resample(motion, fps)
    save_motion(motion, target, target_rig)
    say(f"{target}: {motion.num_frames} frames, {motion.duration:.2f} s at {motion.fps:g} fps")


def info(file: MotionFile, /, *, scale: Scale = None, asf: Skeleton = None) -> None:
    """Show what is in a motion file: length, skeleton, size and travel."""
    for name, value in _facts(_read(file, scale, asf)):
        say(f"{name:<14}{value}")


def _read(path: Path, scale: float | None, asf: Path | None) -> Motion:
    """Returns the motion of a file; refuses options that its format does not have."""
    suffix = path.suffix.lower()
    if scale is not None and suffix != ".bvh":
        raise FormatError(path, "--scale was given", "a .bvh file, the only format without a unit")
    if asf is not None and suffix != ".amc":
        raise FormatError(path, "--asf was given", "an .amc file")
    if scale is not None:
        from motionclip.formats.bvh import read_bvh

        return read_bvh(path, unit=scale)
    if asf is not None:
        from motionclip.formats.asf_amc import read_amc

        return read_amc(path, asf)
    return motionclip.read_motion(path)


def _facts(motion: Motion) -> list[tuple[str, str]]:
    """Returns names and values of what `info` shows."""
    from motionclip.motion.retarget import find_humanoid

    try:
        found = find_humanoid(motion.skeleton)
        body = f"{len(found.joints)} parts found, {100 * found.confidence:.0f} % of them by name"
    except SkeletonError:
        body = "not recognised: this skeleton cannot be retargeted"
    skeleton, positions = motion.skeleton, motion.positions
    size = (positions.amax(dim=(0, 1)) - positions.amin(dim=(0, 1))).tolist()
    path = motion.root[:, [0, 2]].diff(dim=0).norm(dim=-1).sum().item()
    floor = positions[..., 1].min().item()
    return [
        ("frames", f"{motion.num_frames}"),
        ("rate", f"{motion.fps:g} frames/s"),
        ("length", f"{motion.duration:.2f} s"),
        ("joints", f"{skeleton.num_joints} and {len(skeleton.end_sites)} end sites"),
        ("body", body),
        ("space taken", f"{size[0]:.2f} x {size[1]:.2f} x {size[2]:.2f} m (x, y up, z)"),
        ("root path", f"{path:.2f} m over the ground"),
        ("lowest joint", f"{floor:.3f} m"),
        ("names", ", ".join(skeleton.names)),
    ]
