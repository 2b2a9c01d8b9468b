"""The floor under a motion, from whatever touches it: feet as a rule, and hands, knees, back or head where feet do not.

A body is seen as spheres about its joints beside the soles of its feet. Where it is on its feet, the floor is where
soles rest, and where it never is, what is lowest of it rests on the floor. Bodies differ in thickness: one that lies
where a thinner one lay, or that walks on longer hands, would be in the floor, and is lifted out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d, max_pool1d, pad

from motionclip.motion.motion import Motion
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

_SIDES = (("left", 1.0), ("right", -1.0))
# Points of the sole as (joint, offset from it in metres, in the joint's own frame): heel and ball. Toe
# tips are not measured in most recordings.
_SOLE = (
    ("ankle", (0.0, -ANKLE_HEIGHT, -0.04)),
    ("foot", (0.0, -FOOT_HEIGHT, 0.0)),
)
# Spheres that fill the default body, as (joint, centre in the joint's own frame, radius), metres; x is mirrored for
# the right side.
_SPHERES_OF_A_SIDE = (
    ("ankle", (0.0, -0.040, -0.025), 0.034),  # heel
    ("foot", (0.0, 0.0, 0.0), FOOT_HEIGHT),
    ("knee", (0.0, 0.0, -0.010), 0.052),
    ("hip", (0.0, -0.150, 0.010), 0.085),  # thigh
    ("shoulder", (0.0, -0.010, 0.0), 0.060),
    ("elbow", (0.0, 0.0, 0.0), 0.038),
    ("wrist", (0.0, 0.0, 0.0), 0.010),  # hands give way where our arms are longer than those that they follow
    ("hand", (0.0, 0.0, 0.0), -0.010),
)
_SPHERES_ACROSS = (
    ("pelvis", (0.065, -0.035, -0.015), 0.098),
    ("spine2", (0.065, 0.0, 0.035), 0.095),
    ("spine3", (0.055, 0.050, 0.060), 0.105),
)
_HEAD = (("head", (0.0, 0.115, 0.018), 0.093), ("head", (0.0, 0.050, 0.050), 0.075))

# The floor is first sought where the lowest point is in this share of the frames or lower ...
_LOW_SHARE, _RESTED_SHARE = 0.1, 0.2
# (of those in which it rests, if they are at least _RESTED_SHARE of all) ...
# ... and then among points that rest (m/s) near that height (m): this share of them is lower.
_RESTING_SPEED, _BAND, _RESTING_SHARE = 0.2, 0.06, 0.3
# A body is on its feet in frames in which nothing of it is this far (m) below its soles. Its floor is that of the
# soles if it is so in this share of the frames.
_BELOW_SOLES, _ON_FEET_SHARE = 0.04, 0.1
# Flesh gives way by this (m); a body deeper in the floor is lifted, gently over this many seconds before and after.
# Feet may be deeper, as they are in many recordings of steps; what is deeper than the last is a broken frame.
_SOFT, _LIFT_S, _SOFT_FEET, _BROKEN = 0.015, 0.25, 0.05, 0.4

# A tilt is sought among resting points in a wider band (m). It counts if the distance to the floor is
# typically more than _LEVEL (m) without it and at most the share _BETTER of that with it, and if it is
# at most _STEEPEST: some recordings' floors are tilted by up to 3 %, stairs and hills must stay.
_TILT_BAND, _LEVEL, _BETTER, _STEEPEST = 0.12, 0.008, 0.6, 0.04
# Scale (m) beyond which a point counts little, and prior (m squared) against tilts across a narrow path.
_OUTLIER, _PRIOR = 0.015, 0.1
# Fewest points, and rounds of reweighted least squares.
_FEWEST, _ROUNDS = 30, 15


def sole_points(motion: Motion) -> Tensor:
    """World positions (T, 4, 3) in metres of heel and ball of the left, then the right foot.

    Expects the canonical joint names.
    """
    return _carried(motion, [(f"{side}_{joint}", offset) for side, _ in _SIDES for joint, offset in _SOLE])


def body_points(motion: Motion) -> Tensor:
    """World positions (T, K, 3) in metres of the lowest points of the spheres that fill a body, soles left out.

    Expects the canonical joint names.
    """
    spheres = [*_HEAD]
    for side, sign in _SIDES:
        spheres += [(f"{side}_{joint}", (sign * x, y, z), radius) for joint, (x, y, z), radius in _SPHERES_OF_A_SIDE]
        spheres += [(joint, (sign * x, y, z), radius) for joint, (x, y, z), radius in _SPHERES_ACROSS]
    points = _carried(motion, [(joint, centre) for joint, centre, _ in spheres])
    down = points.new_tensor([[0.0, radius, 0.0] for *_, radius in spheres])
    return points - down


def floor_height(motion: Motion) -> float:
    """Height in metres of the level floor under a motion, from where what touches it rests.

    One height for the whole motion, robust against single bad frames: jumps keep their height, stairs
    theirs above the lowest step that is stood on for a tenth of the time.
    """
    points, rests, _ = _touching(sole_points(motion), body_points(motion), motion.fps)
    return _floor(points, rests)


def put_on_floor(motion: Motion) -> Motion:
    """The motion raised or lowered so that y = 0 is its floor; a slightly tilted floor is made level.

    Only heights change: by a constant, by a plane over the ground where the floor is tilted, and where a part other
    than the feet is in the floor, by what lifts it out.
    """
    soles, body = sole_points(motion), body_points(motion)
    points, rests, frames = _touching(soles, body, motion.fps)
    tilt, centre = _tilt(_resting(points, rests, _TILT_BAND)[1])
    drop = (motion.root[:, ::2] - centre) @ tilt  # (T,)
    up = motion.root.new_tensor([0.0, 1.0, 0.0])
    drop = drop + _floor(points - drop[frames][:, None, None] * up, rests)
    drop = drop - _lift(_depth(soles, body, drop, motion.fps), motion.fps)
    return replace(motion, root=motion.root - drop[:, None] * up)


def _carried(motion: Motion, offsets: Sequence[tuple[str, tuple[float, float, float]]]) -> Tensor:
    """World positions (T, K, 3) of points that are fixed to joints, given as (joint, offset in its frame)."""
    world, positions = motion.world
    joints = motion.skeleton.indices([joint for joint, _ in offsets])
    fixed = world.new_tensor([offset for _, offset in offsets])
    return positions[:, joints] + (world[:, joints] @ fixed[..., None])[..., 0]


def _touching(soles: Tensor, body: Tensor, fps: float) -> tuple[Tensor, Tensor, Tensor]:
    """What may touch the floor: points (N, K, 3), whether they rest (N, K), and of which N of the frames they are.

    Those of the soles in the frames in which the body is on its feet, and the lowest of the body in all frames if it
    hardly ever is.
    """
    on_feet, rest = _on_feet(soles, body), _rests(soles, fps)
    lowest = soles[..., 1].min(dim=1, keepdim=True).values
    bears = on_feet & (rest & (soles[..., 1] < lowest + _BAND)).any(dim=1)
    if bears.float().mean() >= _ON_FEET_SHARE or on_feet.all():
        frames = on_feet.nonzero()[:, 0]
        return soles[frames], rest[frames], frames
    points = torch.cat([soles, body], dim=1)
    points = points.gather(1, points[..., 1:2].argmin(dim=1, keepdim=True).expand(-1, -1, 3))
    return points, _rests(points, fps), torch.arange(len(points))


def _rests(points: Tensor, fps: float) -> Tensor:
    """Whether points (T, K, 3) are where they were a frame before, or nearly so, (T, K)."""
    speed = points.new_zeros(points.shape[:2])
    speed[1:] = (points[1:] - points[:-1]).norm(dim=-1) * fps
    return speed < _RESTING_SPEED


def _floor(points: Tensor, rests: Tensor) -> float:
    """Height in metres of the level floor under points (N, K, 3)."""
    floor, resting = _resting(points, rests, _BAND)
    if len(resting) == 0:
        return floor
    return float(resting[:, 1].kthvalue(int(_RESTING_SHARE * (len(resting) - 1)) + 1).values)


def _resting(points: Tensor, rests: Tensor, band: float) -> tuple[float, Tensor]:
    """A first floor height in metres, and the points (M, 3) that rest within ``band`` of it."""
    heights = points[..., 1]
    lowest, which = heights.min(dim=-1)
    rested = rests.gather(1, which[:, None])[:, 0]
    if rested.float().mean() >= _RESTED_SHARE:  # what moves swings over the floor, or is drawn badly
        lowest = lowest[rested]
    floor = lowest.kthvalue(int(_LOW_SHARE * (len(lowest) - 1)) + 1).values
    return float(floor), points[rests & ((heights - floor).abs() < band)]


def _depth(soles: Tensor, body: Tensor, floor: Tensor, fps: float) -> Tensor:
    """How many metres (T,) a body is deeper in a floor at heights (T,) than it may be; 0 where it stands on a step."""
    lowest = torch.cat([soles, body], dim=1)[..., 1].min(dim=1).values
    depth = (floor - lowest - _SOFT).clamp(min=0)
    stands = _on_feet(soles, body) & (_rests(soles, fps).any(dim=1) | (depth < _SOFT_FEET))
    return depth.masked_fill(stands | (depth > _BROKEN), 0.0)


def _on_feet(soles: Tensor, body: Tensor) -> Tensor:
    """The frames (T,) in which nothing of the body is much below the soles."""
    return body[..., 1].min(dim=1).values > soles[..., 1].min(dim=1).values - _BELOW_SOLES


def _lift(depth: Tensor, fps: float) -> Tensor:
    """Metres (T,) by which to lift a body that is in the floor by depths (T,): at least those, and without steps."""
    half = round(_LIFT_S * fps)
    if half == 0 or not depth.any():
        return depth
    reach = 2 * half + 1
    # the greatest depth around each frame, averaged over as many frames
    highest = max_pool1d(depth[None, None], reach, stride=1, padding=half)
    return avg_pool1d(pad(highest, (half, half), mode="replicate"), reach, stride=1)[0, 0]


def _tilt(resting: Tensor) -> tuple[Tensor, Tensor]:
    """Slope (2,) of the floor along x and z, zero where it is level, and the point (2,) it turns about."""
    level = resting.new_zeros(2)
    ground, heights = resting[:, ::2], resting[:, 1]
    if len(resting) < _FEWEST or (spread := (heights - heights.median()).abs().median()) <= _LEVEL:
        return level, level
    slope, centre, error = level, level, heights - heights.median()
    for _ in range(_ROUNDS):
        weights = 1 / (1 + (error / _OUTLIER) ** 2)  # Cauchy's
        weights = weights / weights.sum()
        centre, height = weights @ ground, weights @ heights
        away, above = ground - centre, heights - height
        normal = away.T @ (weights[:, None] * away) + _PRIOR * torch.eye(2)
        slope = torch.linalg.solve(normal, away.T @ (weights * above))
        error = above - away @ slope
    counts = error.abs().median() < _BETTER * spread and slope.norm() < _STEEPEST
    return (slope, centre) if counts else (level, level)
