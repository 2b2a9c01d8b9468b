"""The height of the floor under a motion, from the soles of its feet."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from motionclip.motion.motion import Motion
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

# Points of the sole as (joint, offset from it in metres, in the joint's own frame): heel and ball. Toe
# tips are not measured in most recordings.
_SOLE = (
    ("ankle", (0.0, -ANKLE_HEIGHT, -0.04)),
    ("foot", (0.0, -FOOT_HEIGHT, 0.0)),
)
# The floor is first sought where the lowest sole point is in this share of the frames or lower ...
_LOW_SHARE = 0.1
# ... and then among sole points that rest (m/s) near that height (m): this share of them is lower.
_RESTING_SPEED, _BAND, _RESTING_SHARE = 0.2, 0.06, 0.3

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
    world, positions = motion.world
    points = []
    for side in ("left", "right"):
        for joint, offset in _SOLE:
            index = motion.skeleton.index(f"{side}_{joint}")
            points.append(positions[:, index] + world[:, index] @ world.new_tensor(offset))
    return torch.stack(points, dim=1)


def floor_height(motion: Motion) -> float:
    """Height in metres of the level floor under a motion, from where its feet rest.

    One height for the whole motion, robust against single bad frames: jumps keep their height, stairs
    theirs above the lowest step that is stood on for a tenth of the time.
    """
    return _floor(sole_points(motion), motion.fps)


def put_on_floor(motion: Motion) -> Motion:
    """The motion raised or lowered so that y = 0 is its floor; a slightly tilted floor is made level.

    Only heights change: by a constant, or by a plane over the ground where the floor is tilted.
    """
    points = sole_points(motion)
    tilt, centre = _tilt(_resting(points, motion.fps, _TILT_BAND)[1])
    drop = (motion.root[:, ::2] - centre) @ tilt  # (T,)
    up = motion.root.new_tensor([0.0, 1.0, 0.0])
    drop = drop + _floor(points - drop[:, None, None] * up, motion.fps)
    return replace(motion, root=motion.root - drop[:, None] * up)


def _floor(points: Tensor, fps: float) -> float:
    """Height in metres of the level floor under sole points (T, 4, 3)."""
    floor, resting = _resting(points, fps, _BAND)
    if len(resting) == 0:
        return floor
    return float(resting[:, 1].kthvalue(int(_RESTING_SHARE * (len(resting) - 1)) + 1).values)


def _resting(points: Tensor, fps: float, band: float) -> tuple[float, Tensor]:
    """A first floor height in metres, and the sole points (N, 3) that rest within ``band`` of it."""
    heights = points[..., 1]
    lowest = heights.min(dim=-1).values
    floor = lowest.kthvalue(int(_LOW_SHARE * (len(lowest) - 1)) + 1).values
    speed = torch.zeros_like(heights)
    speed[1:] = (points[1:] - points[:-1]).norm(dim=-1) * fps
    return float(floor), points[(speed < _RESTING_SPEED) & ((heights - floor).abs() < band)]


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
