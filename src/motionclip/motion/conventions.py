"""What the numbers of a file mean: which axis is up, how long a unit is, which hand the axes make.

A BVH file says none of it. What is assumed is judged from the body: from the rest pose where that is one of a body that
stands, and from the joint positions of the motion where it is not. Everything that is assumed is said, with its reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from motionclip.errors import MotionError, SkeletonError
from motionclip.motion.body_axes import AXES, detect_mirror, detect_up, rest_axis, stature
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.humanoid import Humanoid, find_humanoid
from motionclip.motion.retarget.posed import find_in_poses
from motionclip.motion.skeleton import Skeleton
from motionclip.motion.units import is_common, metres_of, unit_name, unit_of_body, unit_of_bones

#: Frames of a motion that are looked at.
_MOST_FRAMES = 1000
#: Metres that bodies are tall, small children to giants of tales; beyond them a unit is doubted, but kept.
_PEOPLE = (0.3, 5.0)


@dataclass(frozen=True)
class Known:
    """What whoever reads a file knows of it; None is found out, or taken as the file says.

    Attributes:
        fps: frames per second.
        up: the file's axis that points up: "z", "+z", "-y", ...
        unit: one of ``units.UNITS`` by name, or metres of one unit.
        facing: the file's axis that becomes +Z, to which a body looks.
        joints: role (``retarget.humanoid.ROLES``) to joint name, of body parts that would not be recognised.
    """

    fps: float | None = None
    up: str | None = None
    unit: str | float | None = None
    facing: str | None = None
    joints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Recording:
    """A motion in its file's axes and unit, with what the file, or its format, says about them.

    Attributes:
        motion: as the numbers are.
        up: the axis that points up by definition of the format; None if that is open, as is the hand of the axes.
        unit: metres of one unit; None if that is open.
        why_up: how ``up`` is known.
        assumed_rate: why the frame rate is what it is, if the file does not state it.
    """

    motion: Motion
    up: str | None = None
    unit: float | None = None
    why_up: str = "as its format has it"
    assumed_rate: str | None = None


@dataclass(frozen=True)
class Conventions:
    """How the numbers of a file are meant.

    Attributes:
        up: the file's axis that points up, such as "+z".
        facing: the axis that becomes +Z; None to leave the heading as it is.
        unit: metres of one unit.
        mirrored: whether the axes are left-handed, so that the body is seen in a mirror.
        rest_up: the axis along which the rest pose stands, if it is another one than ``up``.
        reasons: for "rate", "up", "unit" and "handedness", what was chosen and why.
        unusual: the choices that somebody should look at, each in words with the option that changes it.
    """

    up: str = "+y"
    facing: str | None = None
    unit: float = 1.0
    mirrored: bool = False
    rest_up: str | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    unusual: tuple[str, ...] = ()


def axis_of(name: str) -> str:
    """Returns the axis that a name stands for: "+z" for "z", "Z" and "+Z".

    Raises:
        MotionError: if it is none.
    """
    axis = name.lower() if name[:1] in "+-" else f"+{name.lower()}"
    if axis not in AXES:
        raise MotionError(f"an axis {name!r}; expected x, y, z, -x, -y or -z")
    return axis


def interpret(recording: Recording, known: Known | None = None) -> tuple[Motion, Conventions]:
    """Returns a motion in metres, Y up, right-handed, and how the numbers of its file were understood.

    Args:
        recording: as it was read.
        known: what is known about it, which is believed.

    Raises:
        MotionError: if an axis or a unit is none, or ``up`` and ``facing`` lie along one another.
        SkeletonError: if a joint that is given does not exist.
    """
    known = known or Known()
    skeleton, humanoid = recording.motion.skeleton, None
    if known.joints:
        skeleton = replace(skeleton, roles=dict(known.joints))
        recording = replace(recording, motion=replace(recording.motion, skeleton=skeleton))
    try:
        humanoid = find_in_poses(recording.motion, find_humanoid(skeleton))
        recording = replace(recording, motion=replace(recording.motion, skeleton=humanoid.skeleton))
    except SkeletonError:
        if known.joints:
            raise
    conventions = _conventions(recording, known, humanoid)
    return standardise(recording.motion, conventions), conventions


def warn_of(path: str | Path, conventions: Conventions) -> None:
    """Warns of what was assumed about a file and is unusual."""
    for line in conventions.unusual:
        warnings.warn(f"{path}: {line}", stacklevel=3)


def _conventions(recording: Recording, known: Known, humanoid: Humanoid | None) -> Conventions:
    up, mirrored, reasons = _axes(recording, known, humanoid)
    unit, reasons["unit"] = _unit(recording, known, humanoid)
    given = f"{recording.motion.fps:g} frames/s"
    reasons["rate"] = f"{given} ({'given' if known.fps is not None else recording.assumed_rate or 'of the file'})"
    unusual = []
    if recording.assumed_rate and known.fps is None:
        unusual.append(f"{reasons['rate']}; --source-fps tells another one")
    if not known.up and up != (recording.up or "+y"):
        unusual.append(f"{up} is taken for up ({reasons['up'].partition('(')[2]}; --up tells another axis")
    if mirrored:
        unusual.append(f"a left-handed file, which is mirrored ({reasons['handedness'].partition('(')[2]}")
    if known.unit is None and recording.unit is None and not is_common(unit):
        unusual.append(f"a unit of {reasons['unit']}; --unit tells another one")
    if known.unit is None and recording.unit is not None and humanoid is not None:
        height = unit * stature(humanoid)
        if not _PEOPLE[0] < height < _PEOPLE[1]:
            unusual.append(f"a body of {height:.3g} m by the unit of its format; --unit tells another one")
    judged = bool(known.joints) or recording.up is None or recording.unit is None
    rest = rest_axis(humanoid) if humanoid is not None and judged else None
    facing = axis_of(known.facing) if known.facing else None
    return Conventions(up, facing, unit, mirrored, rest if rest != up else None, reasons, tuple(unusual))


def _axes(recording: Recording, known: Known, humanoid: Humanoid | None) -> tuple[str, bool, dict[str, str]]:
    """The axis that points up, whether the axes are left-handed, and reasons for both."""
    up, why = recording.up or "+y", recording.why_up
    mirrored, why_hand = False, "as its format has it"
    if recording.up is None and humanoid is None:
        why = why_hand = "as in most files, for no body was recognised"
    elif recording.up is None and humanoid is not None:
        positions = _some_frames(recording.motion).positions
        up, why = detect_up(positions, humanoid)
        mirrored, why_hand = detect_mirror(positions, humanoid)
    if known.up:
        up, why = axis_of(known.up), "given"
    hand = "left, mirrored" if mirrored else "right"
    return up, mirrored, {"up": f"{up} ({why})", "handedness": f"{hand} ({why_hand})"}


def _unit(recording: Recording, known: Known, humanoid: Humanoid | None) -> tuple[float, str]:
    """Metres of one unit, and its name with the reason."""
    if known.unit is not None:
        unit, why = metres_of(known.unit), "given"
    elif recording.unit is not None:
        unit, why = recording.unit, "as its format has it"
    elif humanoid is None:
        unit, why = unit_of_bones(recording.motion.skeleton)
    else:
        unit, why = unit_of_body(stature(humanoid), humanoid.skeleton.names)
    return unit, f"{unit_name(unit)} ({why})"


def _some_frames(motion: Motion) -> Motion:
    """At most ``_MOST_FRAMES`` frames, evenly spaced."""
    step = -(-motion.num_frames // _MOST_FRAMES)
    return replace(motion, rotations=motion.rotations[::step], root=motion.root[::step])


def standardise(motion: Motion, conventions: Conventions) -> Motion:
    """Returns the motion in metres, Y up, right-handed, rest pose and all.

    World positions are carried over by one matrix B. The rest pose is carried over by another one, C, if it stands
    along another axis than the motion does, so that it stands in the result, too: rotations R become C R C^T, the
    root's B R C^T.

    Raises:
        MotionError: if ``up`` and ``facing`` are no axes, or lie along one another.
    """
    basis, unit = _basis(conventions), conventions.unit
    if conventions.rest_up is None or torch.equal(basis, torch.eye(3)):  # a file that is right keeps its rest pose
        rest = basis
    else:
        rest = _basis(replace(conventions, up=conventions.rest_up, facing=None))
    skeleton = _carried(motion.skeleton, rest, unit)
    if skeleton is motion.skeleton and torch.equal(basis, rest):
        return motion
    basis, rest = basis.to(motion.root), rest.to(motion.root)
    rotations = rest @ motion.rotations @ rest.mT
    rotations[:, 0] = basis @ motion.rotations[:, 0] @ rest.mT
    return Motion(rotations, unit * motion.root @ basis.mT, motion.fps, skeleton)


def read_skeleton(skeleton: Skeleton, known: Known | None = None) -> tuple[Skeleton, float]:
    """Returns a skeleton without a motion in metres, and the metres of its unit.

    Its axes stay as they are unless ``up`` or ``facing`` is known: a rest pose is all that there is to turn.

    Args:
        skeleton: in its file's axes and unit.
        known: what is known about it, which is believed.

    Raises:
        MotionError, SkeletonError: as `interpret`.
    """
    known = known or Known()
    skeleton = replace(skeleton, roles=dict(known.joints))
    try:
        humanoid = find_humanoid(skeleton)
    except SkeletonError:
        if known.joints:
            raise
        unit = unit_of_bones(skeleton)[0]
    else:
        unit = unit_of_body(stature(humanoid), skeleton.names)[0]
    unit = metres_of(known.unit) if known.unit is not None else unit
    return _carried(skeleton, _basis(Conventions(up=known.up or "+y", facing=known.facing)), unit), unit


def _carried(skeleton: Skeleton, basis: Tensor, unit: float) -> Skeleton:
    """The skeleton with offsets and tips carried over by a matrix (3, 3) and scaled."""
    if unit == 1 and torch.equal(basis, torch.eye(3)):
        return skeleton
    turned = basis.to(skeleton.offsets) * unit
    tips = tuple((joint, tuple((turned @ turned.new_tensor(tip)).tolist())) for joint, tip in skeleton.end_sites)
    return replace(skeleton, offsets=skeleton.offsets @ turned.mT, end_sites=tips)


def _basis(conventions: Conventions) -> Tensor:
    """The matrix (3, 3) that carries the file's axes to ours; a reflection for left-handed files."""
    up = torch.tensor(AXES[axis_of(conventions.up)])
    if conventions.facing is None:
        turn = turn_upright(conventions.up)
    else:
        forward = torch.tensor(AXES[axis_of(conventions.facing)])
        if abs(float(up @ forward)) > 0.5:
            raise MotionError(f"up {conventions.up} and facing {conventions.facing} lie along one another")
        turn = torch.stack([torch.linalg.cross(up, forward), up, forward])
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0])) if conventions.mirrored else torch.eye(3)
    return mirror @ turn


def turn_upright(axis: str) -> Tensor:
    """The rotation (3, 3) by quarters that takes an axis to +Y: about X for Z, so that Blender's -Y faces +Z."""
    up = torch.tensor(AXES[axis])
    if float(up[1]) > 0.5:
        return torch.eye(3)
    if float(up[1]) < -0.5:
        return torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    # rows are where our X, Y and Z lie in the file: Y is the file's up, and what was Y points away from us
    z = torch.tensor([0.0, -1.0, 0.0])
    return torch.stack([torch.linalg.cross(up, z), up, z])
