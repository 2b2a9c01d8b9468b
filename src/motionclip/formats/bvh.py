"""BVH, read and written. A BVH file has no unit, no up axis and no rest pose beyond its offsets.

- Axes and unit are found out from the body (``motion.conventions``), unless they are given.
- A joint's position channels *replace* its OFFSET (as in MotionBuilder and Blender), and its rotation
  channels multiply in the order in which they are listed.
- Files are written in centimetres unless another unit is asked for, channels ZXY, with the rest pose of the
  motion's skeleton as offsets.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.bvh_hierarchy import BvhJoint, find_body, parse_hierarchy, skeleton_of, with_joints_at_tips
from motionclip.formats.decimal_commas import with_points
from motionclip.formats.files import decode_names, read_lines, replacing
from motionclip.formats.number_lines import Line, line_number, read_blocks
from motionclip.motion import Motion, Skeleton
from motionclip.motion.conventions import Known, Recording, interpret, read_skeleton, warn_of
from motionclip.motion.retarget.humanoid import way_to_body
from motionclip.motion.rotations import matrix_to_zxy
from motionclip.motion.units import UNITS, longest_chain

Doubles = NDArray[np.float64]

_MOTION = re.compile(rb"^[ \t]*MOTION[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_FRAMES = re.compile(rb"\s*Frames\s*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_FRAME_TIME = re.compile(rb"\s*Frame\s+Time\s*:[ \t]*([^\r\n]*)", re.IGNORECASE)
#: By how much a joint's distance from its parent may vary without a warning: a part of the body, 1 cm of an adult.
_TOLERANCE = 0.0045


def read_bvh(
    path: str | Path,
    *,
    fps: float | None = None,
    up: str | None = None,
    unit: str | float | None = None,
    facing: str | None = None,
    joints: Mapping[str, str] | None = None,
) -> Motion:
    """A BVH file on its own skeleton; metres, Y up, right-handed. Tips of bones are the skeleton's end sites.

    A root that only carries one joint with positions of its own (``joint_Root`` over ``Hips``) is merged
    into that joint, whose world path is kept; so is whatever carries a whole body that travels on it, and what else
    hangs there, such as targets of hands and feet, is left out. The bones of a motion are rigid: other joints with
    position channels get their mean local position as offset, with a warning if that changes the motion.

    Args:
        path: the file.
        fps: frames per second instead of those of the file's Frame Time.
        up: the file's axis that points up; what is not given is found out, with a warning where it is unusual.
        unit: of lengths: one of ``units.UNITS`` by name, or a number of metres.
        facing: the file's axis that becomes +Z.
        joints: role to joint name, of body parts that would not be recognised.

    Raises:
        FormatError: naming the line, if the file is damaged or is no BVH.
        MotionError: if an axis or a unit that is given is none.
        SkeletonError: if a joint that is given does not exist.
    """
    motion, conventions = interpret(record_bvh(path, fps), Known(fps, up, unit, facing, joints or {}))
    warn_of(path, conventions)
    return motion


def read_known_bvh(path: str | Path, unit: float, fps: float | None = None) -> Motion:
    """A BVH file of a data set whose axes are known to be Y up and right-handed: nothing is judged from the body.

    Args:
        path: the file.
        unit: metres of one unit of lengths.
        fps: frames per second instead of those of the file's Frame Time.

    Raises:
        FormatError: naming the line, if the file is damaged or is no BVH.
    """
    return interpret(replace(record_bvh(path, fps), up="+y", unit=unit))[0]


def record_bvh(path: str | Path, fps: float | None = None) -> Recording:
    """A BVH file in its own axes and unit.

    Args:
        path: the file.
        fps: frames per second instead of those of the file's Frame Time.

    Raises:
        FormatError: naming the line, if the file is damaged or is no BVH.
    """
    joints, values, file_fps = _parse(path, _content(path))
    joints = with_joints_at_tips(joints)
    rotations, locations = _local_transforms(joints, values)
    joints, rotations, locations = _merge_bare_root(joints, rotations, locations)
    joints, rotations, locations = _without_carriers(joints, rotations, locations)
    skeleton = skeleton_of(joints, locations.mean(axis=0))
    _warn_of_loose_bones(path, joints, locations, longest_chain(skeleton))
    motion = Motion(
        torch.from_numpy(rotations.astype(np.float32)),
        torch.from_numpy(locations[:, 0].astype(np.float32)),
        file_fps if fps is None else fps,
        skeleton,
    )
    return Recording(motion)


def read_bvh_skeleton(path: str | Path, known: Known | None = None) -> tuple[Skeleton, float]:
    """All joints of a BVH file with their OFFSETs, and its metres per unit; its frames, if any, are not read.

    Args:
        path: the file.
        known: what is known of its axes, unit and joints. Axes stay as they are unless ``up`` is given.

    Raises:
        FormatError: naming the line, if the hierarchy is damaged or the file is no BVH.
    """
    content = _content(path)
    motion = _MOTION.search(content)
    end = len(content) if motion is None else motion.start()
    joints, _ = parse_hierarchy(path, decode_names(content[:end]))
    return read_skeleton(skeleton_of(joints, np.array([joint.offset for joint in joints], dtype=float)), known)


def write_bvh(motion: Motion, path: str | Path, *, unit: float = UNITS["cm"]) -> None:
    """Writes a motion on its own skeleton: root channels XYZ then ZXY, others ZXY.

    `read_bvh` gives the same motion back to below 1e-4 mm per bone. Angles run on over 180 degrees rather
    than jump, so that programs may interpolate them. Leaves without a tip get an End Site at zero.

    Args:
        motion: on any skeleton.
        path: the file; it appears whole or not at all.
        unit: metres per unit of the file.

    Raises:
        FormatError: if a joint has a name that a BVH file cannot hold.
    """
    angles = matrix_to_zxy(motion.rotations.double().numpy(force=True))  # (T, J, 3)
    angles = np.unwrap(angles, period=360.0, axis=0)
    root = motion.root.double().numpy(force=True) / unit
    order = _depth_first(motion.skeleton)
    values = np.concatenate([root, angles[:, order].reshape(len(root), -1)], axis=1)
    row = " ".join(["%.6f"] * values.shape[1])
    lines = [
        "HIERARCHY",
        *_hierarchy_lines(path, motion.skeleton, unit),
        "MOTION",
        f"Frames: {motion.num_frames}",
        f"Frame Time: {1 / motion.fps:.10f}",
        *(row % tuple(frame) for frame in values.tolist()),
    ]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _depth_first(skeleton: Skeleton) -> list[int]:
    """Joints in the order in which a BVH file names them."""
    order, waiting = [], [0]
    while waiting:
        joint = waiting.pop()
        order.append(joint)
        waiting.extend(reversed(skeleton.children[joint]))
    return order


def _hierarchy_lines(path: str | Path, skeleton: Skeleton, unit: float) -> list[str]:
    lines: list[str] = []
    depths = [0] * skeleton.num_joints
    order = _depth_first(skeleton)
    for place, joint in enumerate(order):
        name, parent = skeleton.names[joint], skeleton.parents[joint]
        if not name or name != " ".join(name.split()) or set("{}") & set(name):
            raise FormatError(path, f"joint name {name!r}", "a name without braces, line breaks and double blanks")
        depths[joint] = depth = depths[parent] + 1 if parent >= 0 else 0
        positions, count = ("Xposition Yposition Zposition ", 6) if parent < 0 else ("", 3)
        offset = (0.0, 0.0, 0.0) if parent < 0 else tuple(skeleton.offsets[joint].tolist())
        block = [f"{'ROOT' if parent < 0 else 'JOINT'} {name}", "{", f"\t{_offset(offset, unit)}"]
        block.append(f"\tCHANNELS {count} {positions}Zrotation Xrotation Yrotation")
        for tip in _tips(skeleton, joint):
            block += ["\tEnd Site", "\t{", f"\t\t{_offset(tip, unit)}", "\t}"]
        following = depths[skeleton.parents[order[place + 1]]] + 1 if place + 1 < len(order) else 0
        lines += ["\t" * depth + line for line in block]
        lines += ["\t" * level + "}" for level in range(depth, following - 1, -1)]
    return lines


def _tips(skeleton: Skeleton, joint: int) -> list[tuple[float, float, float]]:
    tips = [tip for owner, tip in skeleton.end_sites if owner == joint]
    return tips or ([] if skeleton.children[joint] else [(0.0, 0.0, 0.0)])


def _offset(metres: tuple[float, ...], unit: float) -> str:
    return "OFFSET " + " ".join(f"{value / unit:.6f}" for value in metres)


def _content(path: str | Path) -> bytes:
    content = read_lines(path)
    if not content.lstrip()[:9].upper() == b"HIERARCHY":
        raise FormatError(path, "the file does not begin with HIERARCHY", "a BVH file", 1)
    return with_points(path, content)


def _parse(path: str | Path, content: bytes) -> tuple[list[BvhJoint], Doubles, float]:
    """Joints, channel values (T, C) and frames per second."""
    motion = _MOTION.search(content)
    if motion is None:
        raise FormatError(path, "there is no line MOTION", "HIERARCHY, then MOTION")
    joints, columns = parse_hierarchy(path, decode_names(content[: motion.start()]))
    if columns == 0:
        raise FormatError(path, "no joint has channels", "CHANNELS in the hierarchy")
    count, fps, start = _motion_header(path, content, motion.end())
    values = read_blocks(path, content, start, [Line(b"", columns)], count)
    if len(values) < count:
        line = line_number(content.rstrip(), len(content))
        raise FormatError(
            path,
            f"the file ends after {len(values)} of {count} frames",
            f"{count} lines of values, or 'Frames: {len(values)}' if that is all",
            line,
        )
    return joints, values, fps


def _motion_header(path: str | Path, content: bytes, at: int) -> tuple[int, float, int]:
    """Number of frames, frames per second, and the byte at which the values begin."""
    frames = _FRAMES.match(content, at)
    if frames is None:
        raise FormatError(
            path, "no line 'Frames:' after MOTION", "'Frames: ' and a number", line_number(content, at) + 1
        )
    line, word = line_number(content, frames.end()), frames[1].strip().decode("latin-1")
    if not word.isdecimal() or int(word) == 0:
        raise FormatError(path, f"Frames: {word}", "a whole number of frames, at least 1", line)
    time = _FRAME_TIME.match(content, frames.end())
    if time is None:
        raise FormatError(path, "no line 'Frame Time:' after Frames", "'Frame Time: ' and seconds", line + 1)
    fps = _frame_rate(path, time[1].strip().decode("latin-1"), line_number(content, time.end()))
    return int(word), fps, time.end()


def _frame_rate(path: str | Path, word: str, line: int) -> float:
    """Frames per second of a Frame Time: a whole number where the digits allow it (0.0333 is 1/30)."""
    try:
        seconds = Decimal(word)
    except InvalidOperation:
        seconds = Decimal("NaN")
    if not (seconds.is_finite() and Decimal("1e-6") < seconds < Decimal("1e6")):
        raise FormatError(path, f"Frame Time: {word}", "a positive number of seconds", line)
    rate = 1 / float(seconds)
    whole, half_digit = max(round(rate), 1), 0.5 * 10.0 ** int(seconds.as_tuple().exponent)
    return float(whole) if abs(1 / whole - float(seconds)) <= half_digit * (1 + 1e-6) else rate


def _local_transforms(joints: Sequence[BvhJoint], values: Doubles) -> tuple[Doubles, Doubles]:
    """Local rotations (T, J, 3, 3) and positions (T, J, 3) relative to the parent, file units."""
    from motionclip.motion.channels import channels_to_matrices  # writing does without

    channels = [channel for joint in joints for channel in joint.rotations]
    axes, columns = np.array(channels, dtype=np.int64).reshape(-1, 2).T
    starts = np.cumsum([0] + [len(joint.rotations) for joint in joints])
    rotations = channels_to_matrices(values, np.ascontiguousarray(columns), np.ascontiguousarray(axes), starts)
    locations = np.tile(np.array([joint.offset for joint in joints], dtype=float), (len(values), 1, 1))
    for index, joint in enumerate(joints):
        for axis, column in joint.positions:
            locations[:, index, axis] = values[:, column]
    return rotations, locations


def _merge_bare_root(
    joints: list[BvhJoint], rotations: Doubles, locations: Doubles
) -> tuple[list[BvhJoint], Doubles, Doubles]:
    """Without the roots that only place one joint: that stand still, or under which the joint itself travels."""
    while len(joints) > 1 and joints[1].positions and _is_alone(joints) and _is_bare(rotations, locations):
        locations[:, 1] = locations[:, 0] + (rotations[:, 0] @ locations[:, 1, :, None])[..., 0]
        rotations[:, 1] = rotations[:, 0] @ rotations[:, 1]
        rotations, locations = rotations[:, 1:], locations[:, 1:]
        joints = [replace(joint, parent=joint.parent - 1) for joint in joints[1:]]
    return joints, rotations, locations


def _is_alone(joints: Sequence[BvhJoint]) -> bool:
    """Whether the second joint is all that the root carries."""
    return not joints[0].end_sites and all(joint.parent > 0 for joint in joints[2:])


def _is_bare(rotations: Doubles, locations: Doubles) -> bool:
    """Whether the root never moves, or the joint that it carries moves on it: a rigid bone to it would be wrong."""
    turns, travels, child_travels = (
        float(np.ptp(path, axis=0).max()) for path in (rotations[:, 0], locations[:, 0], locations[:, 1])
    )
    return max(turns, travels) < 1e-6 or child_travels > 0.01 * np.linalg.norm(locations, axis=-1).mean(axis=0).max()


def _without_carriers(
    joints: list[BvhJoint], rotations: Doubles, locations: Doubles
) -> tuple[list[BvhJoint], Doubles, Doubles]:
    """The joints from that one on which travels beneath the root, and a whole body with it.

    Games hang the hips on a root that stands on the floor, beside targets of hands and feet; bones are rigid.
    """
    drift, size = np.ptp(locations, axis=0).max(axis=-1), longest_chain(skeleton_of(joints, locations.mean(axis=0)))
    travel = [joint.parent >= 0 and far for joint, far in zip(joints, drift > _TOLERANCE * size, strict=True)]
    body = find_body(joints) if any(travel) else None
    way = way_to_body(body) if body else []
    heirs = [number for number in way if travel[number]]
    if not heirs:
        return joints, rotations, locations
    turned, place = rotations[:, 0], locations[:, 0]
    for number in way[1 : way.index(heirs[-1]) + 1]:
        place = place + (turned @ locations[:, number, :, None])[..., 0]
        turned = turned @ rotations[:, number]
    kept = {heirs[-1]: 0}  # joints and their new numbers
    for number, joint in enumerate(joints):
        if joint.parent in kept:
            kept[number] = len(kept)
    rotations, locations = rotations[:, list(kept)], locations[:, list(kept)]
    rotations[:, 0], locations[:, 0] = turned, place
    return [replace(joints[each], parent=kept.get(joints[each].parent, -1)) for each in kept], rotations, locations


def _warn_of_loose_bones(path: str | Path, joints: Sequence[BvhJoint], locations: Doubles, size: float) -> None:
    """Warns of joints whose local positions (T, J, 3) are not constant, beside a body of some size."""
    drift = np.ptp(locations, axis=0).max(axis=-1)  # (J,)
    far = drift > _TOLERANCE * size
    loose = [joint.name for joint, is_far in zip(joints, far, strict=True) if joint.parent >= 0 and is_far]
    if loose:
        warnings.warn(
            f"{path}: the bones to {', '.join(loose[:8])}{', ...' if len(loose) > 8 else ''} change in length or "
            f"direction by up to {100 * drift[1:].max() / size:.1f} % of the body; their mean is used",
            stacklevel=3,
        )
