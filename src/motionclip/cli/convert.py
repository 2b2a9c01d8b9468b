"""`motionclip convert` and `motionclip info`: motion files between formats, and what is in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from motionclip.motion import Motion


def convert(
    source: Annotated[Path, tyro.conf.Positional],
    target: Annotated[Path, tyro.conf.Positional],
    /,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    scale: float | None = None,
    asf: Path | None = None,
    retarget: bool = False,
    rig: str | None = None,
) -> None:
    """Turn a motion file into another format; the suffixes say which.

    Args:
        source: a .bvh, .amc or .npz file (ours or AMASS).
        target: a .bvh, .glb, .usd (.usda, .usdc, .usdz), .csv, .npz, .amass.npz, .mp4, .gif, .webp or .png file, or
            .npy for HumanML3D's 263 features at 20 fps; docs/formats.md says what opens which.
        fps: frames per second of the target, by interpolation; the source's own rate if none.
        start: first second to keep.
        end: last second to keep; up to the end if none.
        scale: metres per unit of a .bvh source; found from its size if none.
        asf: skeleton of an .amc source; the one beside it if none.
        retarget: put the motion on the canonical skeleton of 24 joints, feet on the ground.
        rig: put it on another skeleton: blender, mixamo, unreal or unity, or that of a .bvh or .glb file of your own.
    """
    from motionclip.cli.console import save_motion, say
    from motionclip.formats import load_rig
    from motionclip.io import check_writable
    from motionclip.motion import crop, resample
    from motionclip.motion.retarget import retarget as to_canonical

    worn = None if rig is None else load_rig(rig)
    check_writable(target, worn)
    motion = crop(_read(source, scale, asf), start, end)
    motion = to_canonical(motion) if retarget else motion
    motion = motion if fps is None else resample(motion, fps)
    save_motion(motion, target, worn)
    say(f"{target}: {motion.num_frames} frames, {motion.duration:.2f} s at {motion.fps:g} fps")


def info(
    file: Annotated[Path, tyro.conf.Positional],
    /,
    scale: float | None = None,
    asf: Path | None = None,
) -> None:
    """Show what is in a motion file: length, skeleton, size and travel.

    Args:
        file: a .bvh, .amc or .npz file (ours or AMASS).
        scale: metres per unit of a .bvh file; found from its size if none.
        asf: skeleton of an .amc file; the one beside it if none.
    """
    from rich.table import Table

    from motionclip.cli.console import say

    table = Table(show_header=False, box=None)
    for name, value in _facts(_read(file, scale, asf)):
        table.add_row(name, value)
    say(table)


def _read(path: Path, scale: float | None, asf: Path | None) -> Motion:
    """Any file that can be read; options that its format does not have are refused."""
    from motionclip.errors import FormatError
    from motionclip.io import read_motion

    suffix = path.suffix.lower()
    if scale is not None and suffix != ".bvh":
        raise FormatError(path, "--scale was given", "a .bvh file, the only format without a unit")
    if asf is not None and suffix != ".amc":
        raise FormatError(path, "--asf was given", "an .amc file")
    if suffix == ".bvh":
        from motionclip.formats.bvh import read_bvh

        return read_bvh(path, scale=scale)
    if suffix == ".amc":
        from motionclip.formats.asf_amc import read_amc

        return read_amc(path, asf)
    return read_motion(path)


def _facts(motion: Motion) -> list[tuple[str, str]]:
    """Names and values of what there is to say about a motion."""
    skeleton, positions = motion.skeleton, motion.positions
    size = (positions.amax(dim=(0, 1)) - positions.amin(dim=(0, 1))).tolist()
    path = motion.root[:, [0, 2]].diff(dim=0).norm(dim=-1).sum().item()
    floor = positions[..., 1].min().item()
    return [
        ("frames", f"{motion.num_frames}"),
        ("rate", f"{motion.fps:g} frames/s"),
        ("length", f"{motion.duration:.2f} s"),
        ("joints", f"{skeleton.num_joints} and {len(skeleton.end_sites)} tips"),
        ("family", _family(motion)),
        ("space taken", f"{size[0]:.2f} x {size[1]:.2f} x {size[2]:.2f} m (x, y up, z)"),
        ("root path", f"{path:.2f} m over the ground"),
        ("lowest joint", f"{floor:.3f} m"),
        ("names", ", ".join(skeleton.names)),
    ]


def _family(motion: Motion) -> str:
    from motionclip.errors import SkeletonError
    from motionclip.motion.retarget import detect_family

    try:
        family, joints = detect_family(motion.skeleton)
    except SkeletonError:
        return "unknown: this skeleton cannot be retargeted"
    return f"{family.name}, {len(joints)} of the 24 canonical joints"
