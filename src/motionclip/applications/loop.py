"""Loops: a cycle of a motion whose last frame runs into its first, in pose, speed and step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from motionclip.applications.transitions import blend_motions, body_features
from motionclip.errors import MotionError
from motionclip.motion import Motion, canonicalize_heading, heading, turn
from motionclip.motion.retarget import on_canonical

#: Seconds of a cycle, at least, and of what is blended at its end.
_LEAST, _BLEND = 0.8, 0.3
#: Share of the least difference by which a cycle may be worse for being longer.
_LONGER = 1.2


@dataclass(frozen=True, eq=False)
class Loop:
    """A cycle.

    Attributes:
        motion: its frames, from above the origin and facing +Z; after the last comes the first again.
        displacement: (x, z) metres from the first frame to where the first frame comes again.
        turn: radians by which it faces elsewhere then.
        gap_cm: mean distance of joints, seen from the body, between the first frame and where the last two lead.
    """

    motion: Motion
    displacement: tuple[float, float]
    turn: float
    gap_cm: float


def make_loop(motion: Motion, *, least: float = _LEAST) -> Loop:
    """Returns the cycle of a motion that closes best, of several nearly as good the longest.

    Args:
        motion: on any human-like skeleton; a walk needs two steps and a half.
        least: seconds of the cycle.

    Raises:
        MotionError: if the motion is too short.
        SkeletonError: if no human body is found in its skeleton.
    """
    body = on_canonical(motion)
    width = max(round(_BLEND * body.fps), 2)
    shortest = max(round(least * body.fps), width)
    last = body.num_frames - width
    if last < shortest or not math.isfinite(least):
        raise MotionError(
            f"a loop of {least:g} s or more in a motion of {motion.duration:.2f} s; expected a motion of "
            f"{least + _BLEND:.2g} s or more"
        )
    features = body_features(body).unfold(0, width, 1).flatten(1)  # (T - width + 1, C)
    costs = torch.cdist(features, features).square() / features.shape[1]
    length = torch.arange(len(costs)) - torch.arange(len(costs))[:, None]
    costs = torch.where(length >= shortest, costs, torch.inf)
    good = (costs <= _LONGER * costs.min()) * length
    first, again = divmod(int(good.argmax()), len(costs))
    cycle = blend_motions(body.frames(first + width, again + width), body.frames(first, first + width), width)
    cycle = canonicalize_heading(cycle)
    # where the first frame comes again: the step from the last frame of what was blended in to the one after it
    step = body.frames(first + width - 1, first + width + 1)
    turned = heading(cycle)[-1] - heading(step)[0]
    cos, sin = math.cos(turned.item()), math.sin(turned.item())
    dx, dz = (step.root[1] - step.root[0])[[0, 2]].tolist()
    x, z = cycle.root[-1, [0, 2]].tolist()
    displacement = (x + cos * dx + sin * dz, z - sin * dx + cos * dz)
    facing = (turned + heading(step)[1] - heading(cycle)[0]).item()
    return Loop(cycle, displacement, math.remainder(facing, 2 * math.pi), _gap(cycle))


def _gap(cycle: Motion) -> float:
    places = body_features(cycle)[:, : 3 * cycle.skeleton.num_joints].unflatten(1, (-1, 3))
    led = 2 * places[-1] - places[-2]
    return 100 * (led - places[0]).norm(dim=-1).mean().item()


def repeat(loop: Loop, times: int) -> Motion:
    """Returns a loop several times, each from where the last one ended.

    Raises:
        MotionError: if ``times`` is not positive.
    """
    if times < 1:
        raise MotionError(f"a loop {times} times; expected at least once")
    x, z, facing = 0.0, 0.0, 0.0
    parts = []
    for _ in range(times):
        part = turn(loop.motion, torch.tensor(facing))
        parts.append((part.rotations, part.root + torch.tensor([x, 0.0, z])))
        dx, dz = loop.displacement
        x, z = x + math.cos(facing) * dx + math.sin(facing) * dz, z - math.sin(facing) * dx + math.cos(facing) * dz
        facing += loop.turn
    rotations, roots = (torch.cat(values) for values in zip(*parts, strict=True))
    return Motion(rotations, roots, loop.motion.fps, loop.motion.skeleton)
