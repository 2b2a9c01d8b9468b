"""Soles and the floor."""

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
    floor, resting = _resting(motion, _BAND)
    heights = resting[:, 1]
    return float(heights.kthvalue(int(_RESTING_SHARE * (len(heights) - 1)) + 1).values) if len(heights) else floor


def put_on_floor(motion: Motion) -> Motion:
    """The motion raised or lowered so that y = 0 is its floor; a slightly tilted floor is made level.

    Only heights change: by a constant, or by a plane over the ground where the floor is tilted.
    """
    _, resting = _resting(motion, _TILT_BAND)
    tilt, centre = _tilt(resting)
    up = motion.root.new_tensor([0.0, 1.0, 0.0])
    level = replace(motion, root=motion.root - ((motion.root[:, ::2] - centre) @ tilt)[:, None] * up)
    return replace(level, root=level.root - floor_height(level) * up)


def _resting(motion: Motion, band: float) -> tuple[float, Tensor]:
    """A first floor height in metres, and the sole points (N, 3) that rest within ``band`` of it."""
    points = sole_points(motion)
    heights = points[..., 1]
    floor = torch.quantile(heights.min(dim=-1).values, _LOW_SHARE)
    speed = torch.zeros_like(heights)
    speed[1:] = (points[1:] - points[:-1]).norm(dim=-1) * motion.fps
    return float(floor), points[(speed < _RESTING_SPEED) & ((heights - floor).abs() < band)]


def _tilt(resting: Tensor) -> tuple[Tensor, Tensor]:
    """Slope (2,) of the floor along x and z, zero where it is level, and the point (2,) it turns about."""
    level = resting.new_zeros(2)
    if len(resting) < 30:
        return level, level
    ground, heights = resting[:, ::2], resting[:, 1]
    slope, centre, height = level, ground.mean(dim=0), heights.median()
    spread = (heights - height).abs().median()
    error = heights - height
    for _ in range(15):  # reweighted least squares, Cauchy weights
        weights = 1 / (1 + (error / _OUTLIER) ** 2)
        weights = weights / weights.sum()
        centre, height = weights @ ground, weights @ heights
        away = ground - centre
        slope = torch.linalg.solve(
            away.T @ (weights[:, None] * away) + _PRIOR * torch.eye(2), away.T @ (weights * (heights - height))
        )
        error = heights - height - away @ slope
    helps = spread > _LEVEL and error.abs().median() < _BETTER * spread and slope.norm() < _STEEPEST
    return (slope, centre) if helps else (level, level)
