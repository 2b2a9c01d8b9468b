"""Which axis of a file points up, and which hand its axes make: judged from the body, whose size is told, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.motion.retarget.humanoid import SIDES, Humanoid
from motionclip.motion.retarget.rest_pose import stands_at_rest
from motionclip.motion.skeleton import Skeleton

#: Axes by name, as directions.
AXES: Mapping[str, tuple[float, float, float]] = {
    "+x": (1.0, 0.0, 0.0),
    "-x": (-1.0, 0.0, 0.0),
    "+y": (0.0, 1.0, 0.0),
    "-y": (0.0, -1.0, 0.0),
    "+z": (0.0, 0.0, 1.0),
    "-z": (0.0, 0.0, -1.0),
}
# In the order of how many files have them up.
_LIKELY = ("+y", "+z", "-y", "-z", "+x", "-x")
#: How high the pelvis of a body is at least that lies on a floor, as a part of its stature.
_THICK = 0.03
#: Frames that a motion needs at least to overrule the rest pose.
_FEWEST = 10


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


def rest_axis(humanoid: Humanoid) -> str | None:
    """Returns the axis along which the rest pose stands; None if it does not stand."""
    if not stands_at_rest(humanoid):
        return None
    rest, joints = humanoid.skeleton.rest_positions, humanoid.joints
    return _nearest(rest[joints["head"]] - (rest[joints["left_ankle"]] + rest[joints["right_ankle"]]) / 2)


def detect_up(positions: Tensor, humanoid: Humanoid) -> tuple[str, str]:
    """Returns the axis that points up, and why.

    Args:
        positions: (T, J, 3) joint positions in any unit.
        humanoid: the body parts of their skeleton.
    """
    joints = humanoid.joints
    feet = (positions[:, joints["left_ankle"]] + positions[:, joints["right_ankle"]]) / 2
    along = normalize(positions[:, joints["head"]] - feet, dim=-1)
    body = along.mean(dim=0)
    moving, resting = _nearest(body), rest_axis(humanoid)
    upright = float(body.abs().max()) > 0.6 and _on_feet(positions, humanoid, moving)
    upright = upright and not _lies(positions, humanoid, resting or "+y")
    if resting is None:
        if upright:
            return moving, "the body stands along it"
        floor = next(iter(_floors(positions, humanoid)), "+y")
        return floor, "not to be told otherwise" if floor == "+y" else "the body is on a floor across it, at 0"
    never = len(positions) >= _FEWEST and float(_standing(positions, joints, resting).mean()) < 0.02
    if never and upright and moving != resting and _is_up(positions, humanoid, moving):
        return moving, f"the body stands along it, and never along {resting}"
    if never and _under_floor(positions, humanoid, resting):
        floors = _floors(positions, humanoid)
        if floors and resting not in floors:
            return floors[0], f"the body is on a floor across it, at 0, and never stands along {resting}"
    return resting, "the rest pose stands along it"


def _is_up(positions: Tensor, humanoid: Humanoid, axis: str) -> bool:
    """Whether a body stands along an axis most of the time; if most files' up, it may sit there on the floor at 0."""
    if float(_standing(positions, humanoid.joints, axis).mean()) > 0.6:
        return True
    sits = float(_standing(positions, humanoid.joints, axis, legs_too=False).mean()) > 0.9
    return axis == "+y" and sits and _on_floor(positions, humanoid, axis)


def _standing(positions: Tensor, joints: Mapping[str, int], up: str, legs_too: bool = True) -> Tensor:
    """Where (T,) a body stands if an axis points up: 1 where legs and trunk are upright, and hips level; else 0.

    Without the legs, one that sits upright does, too.
    """
    hips, feet = (
        positions[:, [joints[f"left_{name}"], joints[f"right_{name}"]]].mean(dim=1) for name in ("hip", "ankle")
    )
    across = positions[:, joints["left_hip"]] - positions[:, joints["right_hip"]]
    parts = torch.stack([hips - feet, positions[:, joints["head"]] - hips, across])
    legs, trunk, level = normalize(parts, dim=-1) @ torch.tensor(AXES[up])
    return (((legs > 0.7) | (not legs_too)) & (trunk > 0.7) & (level.abs() < 0.5)).float()


def _on_feet(positions: Tensor, humanoid: Humanoid, axis: str) -> bool:
    """Whether a motion is that of a body on its feet if an axis points up: on one floor, which is at 0, or travelling.

    A body that lies or crawls is stretched along an axis, too, but not away from a floor across it.
    """
    joints, size, up = humanoid.joints, stature(humanoid), torch.tensor(AXES[axis])
    lowest = _lowest(positions, axis)
    low, high = lowest.quantile(0.05), lowest.quantile(0.95)
    if abs(float(lowest.median())) < 0.1 * size and float(high - low) < 0.25 * size:
        return True
    left = positions[:, joints["left_hip"]] - positions[:, joints["right_hip"]]
    front = normalize(torch.linalg.cross(left, up.expand_as(left)), dim=-1)
    pelvis = positions[:, joints["pelvis"]]
    travelled = float((pelvis.diff(dim=0) * front[:-1]).sum())
    return abs(travelled) > 0.5 * size and float(high - low) < 0.25 * size


def _lies(positions: Tensor, humanoid: Humanoid, axis: str) -> bool:
    """Whether a body lies on a floor at 0 if an axis points up: low all the time, and nothing of it below."""
    highest, size = (positions @ torch.tensor(AXES[axis])).quantile(0.95), stature(humanoid)
    low = float(highest) < 0.4 * size and -0.03 * size < float(_lowest(positions, axis).median()) < 0.1 * size
    return low and _pelvis_above(positions, humanoid, axis)


def _floors(positions: Tensor, humanoid: Humanoid) -> list[str]:
    """The axes that point up from a floor at 0 that a body is on, the likely ones first."""
    return [axis for axis in _LIKELY if _on_floor(positions, humanoid, axis)]


def _on_floor(positions: Tensor, humanoid: Humanoid, axis: str) -> bool:
    """Whether a body touches a floor at 0 in nearly every frame if an axis points up, be it with hands or knees."""
    lowest, size = _lowest(positions, axis), stature(humanoid)
    within = (lowest > -0.02 * size) & (lowest < 0.08 * size)
    return float(within.float().mean()) > 0.95 and _pelvis_above(positions, humanoid, axis)


def _pelvis_above(positions: Tensor, humanoid: Humanoid, axis: str) -> bool:
    """Whether the pelvis is above a floor at 0 by at least what a body that lies is thick.

    At 0 is the pelvis of one that stands at the origin, seen from another side.
    """
    heights = positions[:, humanoid.joints["pelvis"]] @ torch.tensor(AXES[axis])
    return float(heights.median()) > _THICK * stature(humanoid)


def _under_floor(positions: Tensor, humanoid: Humanoid, axis: str) -> bool:
    """Whether a body would be under a floor at 0 for a while if an axis pointed up."""
    return float(_lowest(positions, axis).quantile(0.05)) < -0.05 * stature(humanoid)


def _lowest(positions: Tensor, axis: str) -> Tensor:
    """The height (T,) of the lowest joint in each frame if an axis points up."""
    return (positions @ torch.tensor(AXES[axis])).min(dim=1).values


def detect_mirror(positions: Tensor, humanoid: Humanoid) -> tuple[bool, str]:
    """Returns whether the axes are left-handed, so that left and right are exchanged, and why.

    A rest pose that stands and whose toes point ahead tells; another one may be drawn wrongly, and the motion tells.

    Args:
        positions: (T, J, 3) joint positions in any unit.
        humanoid: the body parts of their skeleton.
    """
    joints = humanoid.joints
    if stands_at_rest(humanoid):
        rest = humanoid.skeleton.rest_positions[None]
        ahead = _toes_ahead(rest, joints, _front(rest, joints))
        if ahead and min(ahead) > 0.2:
            return False, "toes of the rest pose point to where the body faces"
    front = _front(positions, joints)
    ahead = _toes_ahead(positions, joints, front)
    knees = float(torch.stack([_knee_ahead(positions, joints, side, front) for side in SIDES]).mean())
    if ahead and max(ahead) < -0.3 and knees < 0.02:
        return True, "toes point away from where the body would face"
    if not ahead and knees < -0.08:
        return True, "knees bend away from where the body would face"
    return False, "toes and knees point to where the body faces" if ahead else "knees bend to where the body faces"


def _front(positions: Tensor, joints: Mapping[str, int]) -> Tensor:
    """Directions (T, 3) to the front of bodies (T, J, 3) in right-handed axes."""
    left = positions[:, joints["left_hip"]] - positions[:, joints["right_hip"]]
    trunk = positions[:, joints["head"]] - positions[:, joints["left_hip"]]
    return normalize(torch.linalg.cross(left, trunk), dim=-1)


def _toes_ahead(positions: Tensor, joints: Mapping[str, int], front: Tensor) -> list[float]:
    """How far each foot that is known points to the front, from -1 to 1, on average."""
    toes = [
        normalize(positions[:, joints[f"{side}_foot"]] - positions[:, joints[f"{side}_ankle"]], dim=-1)
        for side in SIDES
        if f"{side}_foot" in joints
    ]
    return [float((toe * front).sum(dim=-1).mean()) for toe in toes]


def _knee_ahead(positions: Tensor, joints: Mapping[str, int], side: str, front: Tensor) -> Tensor:
    """How far a knee lies in front of the line from hip to ankle, as a part of the leg, on average."""
    hip, knee, ankle = (positions[:, joints[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
    length = (knee - hip).norm(dim=-1) + (ankle - knee).norm(dim=-1)
    return (((knee - (hip + ankle) / 2) * front).sum(dim=-1) / length).mean()


def _nearest(direction: Tensor) -> str:
    index = int(direction.abs().argmax())
    return ("+" if float(direction[index]) > 0 else "-") + "xyz"[index]
