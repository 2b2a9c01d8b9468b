"""What a file without a stated convention means: which axis is up, how long a unit is, which hand its axes make.

A BVH file says none of it. What is assumed is judged from the body: from the rest pose where that is one of a body that
stands, and from the joint positions of the motion where it is not. Everything that is assumed is said, with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.errors import MotionError
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.humanoid import SIDES, Humanoid
from motionclip.motion.retarget.rest_pose import stands_at_rest
from motionclip.motion.skeleton import Skeleton

#: Names of units, and metres of each; MikuMikuDance's is 8 cm, that of CMU's published files an inch through 0.45.
UNITS: Mapping[str, float] = {
    "m": 1.0,
    "cm": 0.01,
    "mm": 0.001,
    "inch": 0.0254,
    "foot": 0.3048,
    "mmd": 0.08,
    "cmu": 0.0254 / 0.45,
}
AXES: Mapping[str, tuple[float, float, float]] = {
    "+x": (1.0, 0.0, 0.0),
    "-x": (-1.0, 0.0, 0.0),
    "+y": (0.0, 1.0, 0.0),
    "-y": (0.0, -1.0, 0.0),
    "+z": (0.0, 0.0, 1.0),
    "-z": (0.0, 0.0, -1.0),
}
_ADULT = 1.7
#: Statures, metres, at which the common units are believed, and at which the others are.
_COMMON, _OTHERS = (0.85, 2.4), (1.25, 2.3)
_OTHER_UNITS = ("inch", "mmd", "cmu", "foot")


@dataclass(frozen=True)
class Conventions:
    """How a file's numbers are meant.

    Attributes:
        up: the file's axis that points up, such as "+z".
        facing: the axis that points to where the body faces at rest; None to leave the heading as it is.
        unit: metres of one unit.
        mirrored: whether the axes are left-handed, so that the body is seen in a mirror.
        reasons: what was assumed and why, a line each.
    """

    up: str = "+y"
    facing: str | None = None
    unit: float = 1.0
    mirrored: bool = False
    reasons: tuple[str, ...] = ()


def detect_conventions(
    motion: Motion, humanoid: Humanoid, *, up: str | None = None, unit: float | None = None
) -> Conventions:
    """Returns how a file's numbers are meant, judged from the body.

    Args:
        motion: in the file's units and axes.
        humanoid: the body parts of its skeleton.
        up: the axis that is known to point up, if it is.
        unit: metres of a unit, if they are known.
    """
    positions = motion.positions
    axis, why_up = (up, "given") if up else _detect_up(positions, humanoid)
    if unit is None:
        unit, why_unit = detect_unit(stature(humanoid), humanoid.skeleton.names)
    else:
        why_unit = "given"
    mirrored, why_hand = _detect_mirror(positions, humanoid)
    reasons = (
        f"up: {axis} ({why_up})",
        f"unit: {_unit_name(unit)} ({why_unit})",
        f"handedness: {'left, mirrored' if mirrored else 'right'} ({why_hand})",
    )
    return Conventions(axis, None, unit, mirrored, reasons)


def standardise(motion: Motion, conventions: Conventions) -> Motion:
    """Returns the motion in metres, Y up, right-handed, rest pose and all.

    Raises:
        MotionError: if ``up`` and ``facing`` are no axes, or lie along one another.
    """
    basis = _basis(conventions).to(motion.root)
    skeleton = motion.skeleton
    turned = _carried(skeleton, basis, conventions.unit)
    rotations = basis @ motion.rotations @ basis.mT
    return Motion(rotations, conventions.unit * motion.root @ basis.mT, motion.fps, turned)


def _carried(skeleton: Skeleton, basis: Tensor, unit: float) -> Skeleton:
    """The skeleton with offsets and tips carried over by a matrix (3, 3) and scaled."""
    turned = basis.to(skeleton.offsets) * unit
    tips = tuple((joint, tuple((turned @ turned.new_tensor(tip)).tolist())) for joint, tip in skeleton.end_sites)
    return Skeleton(skeleton.names, skeleton.parents, skeleton.offsets @ turned.mT, tips)


def _basis(conventions: Conventions) -> Tensor:
    """The matrix (3, 3) that carries the file's axes to ours; a reflection for left-handed files."""
    if conventions.up not in AXES or conventions.facing not in (None, *AXES):
        raise MotionError(
            f"up {conventions.up!r} and facing {conventions.facing!r}; expected axes, some of {', '.join(AXES)}"
        )
    up = torch.tensor(AXES[conventions.up])
    if conventions.facing is not None:
        forward = torch.tensor(AXES[conventions.facing])
        if abs(float(up @ forward)) > 0.5:
            raise MotionError(f"up {conventions.up} and facing {conventions.facing} lie along one another")
        turn = torch.stack([torch.linalg.cross(up, forward), up, forward])
    else:
        turn = turn_upright(conventions.up)
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0])) if conventions.mirrored else torch.eye(3)
    return mirror @ turn


def turn_upright(axis: str) -> Tensor:
    """The rotation (3, 3) by quarters that takes an axis to +Y: about X for Z, so that Blender's -Y faces +Z."""
    up = torch.tensor(AXES[axis])
    if float(up[1]) > 0.5:
        return torch.eye(3)
    if float(up[1]) < -0.5:
        return torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    third = torch.linalg.cross(up, torch.tensor([0.0, 1.0, 0.0]))
    # rows are where our X, Y and Z lie in the file: Y is the file's up, and what was Y points away from us
    z = torch.tensor([0.0, -1.0, 0.0])
    return torch.stack([torch.linalg.cross(up, z), up, z]) if float(third.norm()) > 0.5 else torch.eye(3)


def stature(humanoid: Humanoid) -> float:
    """Returns the height of a body from its bones, ankles to head and a little more, in the skeleton's units."""
    joints = humanoid.joints
    legs = [
        _length(humanoid.skeleton, [joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle")]) for side in SIDES
    ]
    trunk = _length(humanoid.skeleton, [joints["pelvis"], *humanoid.spine, *humanoid.necks, joints["head"]])
    return 1.17 * (sum(legs) / 2 + trunk)  # of the canonical body, ankles to head joint are 1.45 of 1.7 m


def _length(skeleton: Skeleton, joints: Sequence[int]) -> float:
    """Length of the line through joints at rest."""
    return float(skeleton.rest_positions[list(joints)].diff(dim=0).norm(dim=-1).sum())


def detect_unit(height: float, names: Sequence[str] = ()) -> tuple[float, str]:
    """Returns metres per unit for a body of some height in units, and why.

    CMU's files, whose unit nobody else has, are known by the names of their hip joints.
    """
    if not height > 0 or not math.isfinite(height):
        return 1.0, "a body without height"
    for name in ("m", "cm", "mm"):
        if _COMMON[0] <= height * UNITS[name] <= _COMMON[1]:
            return UNITS[name], f"a body of {height * UNITS[name]:.2f} m"
    others = ("cmu",) if any(name.lower() == "lhipjoint" for name in names) else _OTHER_UNITS
    fitting = [name for name in others if _OTHERS[0] <= height * UNITS[name] <= _OTHERS[1]]
    name = min(fitting or UNITS, key=lambda each: abs(math.log(height * UNITS[each] / _ADULT)))
    return UNITS[name], f"a body of {height * UNITS[name]:.2f} m, which in centimetres were {height / 100:.2f} m"


def _unit_name(unit: float) -> str:
    return next((f"1 {name}" for name, metres in UNITS.items() if abs(metres - unit) < 1e-9), f"{unit:g} m")


def _detect_up(positions: Tensor, humanoid: Humanoid) -> tuple[str, str]:
    joints = humanoid.joints
    feet = (positions[:, joints["left_ankle"]] + positions[:, joints["right_ankle"]]) / 2
    body = normalize(positions[:, joints["head"]] - feet, dim=-1).mean(dim=0)
    moving = _nearest(body)
    stands = stands_at_rest(humanoid)
    rest = humanoid.skeleton.rest_positions
    resting = _nearest(rest[joints["head"]] - (rest[joints["left_ankle"]] + rest[joints["right_ankle"]]) / 2)
    upright = float(body.abs().max()) > 0.6 and _on_feet(positions, humanoid, torch.tensor(AXES[moving]))
    lies = _lies(positions, humanoid, torch.tensor(AXES[resting if stands else "+y"]))
    if not stands:
        return (moving, "the body stands along it") if upright and not lies else ("+y", "not to be told otherwise")
    standing = (
        (normalize(positions[:, joints["head"]] - feet, dim=-1) @ torch.tensor(AXES[resting]) > 0.8).float().mean()
    )
    if upright and moving != resting and not lies and float(standing) < 0.02:
        return moving, f"the body stands along it, though its rest pose stands along {resting}"
    return resting, "the rest pose stands along it"


def _on_feet(positions: Tensor, humanoid: Humanoid, up: Tensor) -> bool:
    """Whether a motion is that of a body on its feet if an axis points up: on one floor, which is at 0, or travelling.

    A body that lies or crawls is stretched along an axis, too, but not away from a floor across it.
    """
    joints, size = humanoid.joints, stature(humanoid)
    lowest = (positions @ up).min(dim=1).values
    low, high = lowest.quantile(0.05), lowest.quantile(0.95)
    if abs(float(lowest.median())) < 0.1 * size and float(high - low) < 0.25 * size:
        return True
    left = positions[:, joints["left_hip"]] - positions[:, joints["right_hip"]]
    front = normalize(torch.linalg.cross(left, up.expand_as(left)), dim=-1)
    pelvis = positions[:, joints["pelvis"]]
    travelled = float((pelvis.diff(dim=0) * front[:-1]).sum())
    return abs(travelled) > 0.5 * size and float(high - low) < 0.25 * size


def _lies(positions: Tensor, humanoid: Humanoid, up: Tensor) -> bool:
    """Whether a body lies on a floor at 0: low all the time, and nothing of it below."""
    heights, size = positions @ up, stature(humanoid)
    lowest = heights.min(dim=1).values.median()
    return -0.03 * size < float(lowest) < 0.1 * size and float(heights.quantile(0.95)) < 0.4 * size


def _detect_mirror(positions: Tensor, humanoid: Humanoid) -> tuple[bool, str]:
    joints = humanoid.joints
    left = positions[:, joints["left_hip"]] - positions[:, joints["right_hip"]]
    trunk = positions[:, joints["head"]] - positions[:, joints["left_hip"]]
    front = normalize(torch.linalg.cross(left, trunk), dim=-1)
    toes = [
        normalize(positions[:, joints[f"{side}_foot"]] - positions[:, joints[f"{side}_ankle"]], dim=-1)
        for side in SIDES
        if f"{side}_foot" in joints
    ]
    ahead = [float((toe * front).sum(dim=-1).mean()) for toe in toes]
    knees = float(torch.stack([_knee_ahead(positions, joints, side, front) for side in SIDES]).mean())
    if toes and max(ahead) < -0.3 and knees < 0.02:
        return True, "toes point away from where the body would face"
    if not toes and knees < -0.08:
        return True, "knees bend away from where the body would face"
    return False, "toes and knees point to where the body faces" if toes else "knees bend to where the body faces"


def _knee_ahead(positions: Tensor, joints: Mapping[str, int], side: str, front: Tensor) -> Tensor:
    """How far a knee lies in front of the line from hip to ankle, as a part of the leg, on average."""
    hip, knee, ankle = (positions[:, joints[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
    length = (knee - hip).norm(dim=-1) + (ankle - knee).norm(dim=-1)
    return (((knee - (hip + ankle) / 2) * front).sum(dim=-1) / length).mean()


def _nearest(direction: Tensor) -> str:
    index = int(direction.abs().argmax())
    return ("+" if float(direction[index]) > 0 else "-") + "xyz"[index]
