"""How far motions do what words demand, as shares between 0 and 1 of K motions of one length.

The facts of ``data.kinematics`` say what is certain, and are silent on most of what is drawn, which is tamer than what
was recorded. For choosing among takes of the same words a measure has to rise all the way: the higher the jump, the
faster the fist, the nearer the turn to its angle, the more of the demand is met.

Metres, seconds, degrees; Y up, the floor at 0; left and right are the body's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import torch
from torch import Tensor

from motionclip.motion import CANONICAL, horizontal, seen_from_body
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

SIDES = ("left", "right")
#: Seconds over which the path of the pelvis is smoothed, so that the sway of steps is no travel.
_SWAY = 0.4
#: Share of a motion that its beginning and its end are.
_END = 1 / 16


@dataclass(frozen=True)
class Demand:
    """Something that words ask a body to do, and that can be measured.

    Attributes:
        what: a key of :data:`MEASURES`.
        side: of the body, or that it goes or turns to: ``left``, ``right``, ``both``, or "" for any.
        way: direction of travel: ``forward``, ``back``, ``left`` or ``right``; for ways down and up "down" or "up".
        count: how often, 0 if that is not said.
        degrees: of a turn, 0 if that is not said.
    """

    what: str
    side: str = ""
    way: str = ""
    count: int = 0
    degrees: float = 0.0


class Seen:
    """What is measured of K motions of T frames.

    Args:
        positions: (K, T, 24, 3) joint positions of the canonical skeleton.
        fps: frames per second.
    """

    def __init__(self, positions: Tensor, fps: float):
        self.positions, self.fps = positions, fps
        self.local, self.facing, turns = seen_from_body(positions)
        self.seconds = positions.shape[1] / fps
        self.turned = torch.rad2deg(turns.sum(dim=1))
        self._ends = max(round(_END * positions.shape[1]), 1)

    def height(self, name: str) -> Tensor:
        """Returns (K, T) the height of a joint."""
        return self.positions[:, :, CANONICAL.index(name), 1]

    def seen(self, name: str) -> Tensor:
        """Returns (K, T, 3) a joint from the ground under the pelvis as (left, up, forward)."""
        return self.local[:, :, CANONICAL.index(name)]

    def begins(self, values: Tensor) -> Tensor:
        """Returns the mean (K,) of the first frames of values (K, T)."""
        return values[:, : self._ends].mean(dim=1)

    def ends(self, values: Tensor) -> Tensor:
        """Returns the mean (K,) of the last frames of values (K, T)."""
        return values[:, -self._ends :].mean(dim=1)

    def speed(self, values: Tensor) -> Tensor:
        """Returns the speeds (K, T - 1) of points (K, T, 3)."""
        return torch.diff(values, dim=1).norm(dim=-1) * self.fps

    @cached_property
    def steps(self) -> Tensor:
        """(K, T', 3) steps of the pelvis over the ground as (left, 0, forward) of the body, without its sway."""
        ground = horizontal(self.positions[:, :, 0])
        width = min(2 * round(_SWAY * self.fps / 2) + 1, 2 * ((ground.shape[1] - 1) // 2) + 1)
        smooth = ground.unfold(1, width, 1).mean(dim=-1)
        facing = self.facing[:, width // 2 : width // 2 + smooth.shape[1] - 1]
        return (torch.diff(smooth, dim=1)[:, :, None] @ facing)[:, :, 0]

    @cached_property
    def path(self) -> Tensor:
        """(K,) length of the path of the pelvis over the ground."""
        return self.steps.norm(dim=-1).sum(dim=1)

    @cached_property
    def pelvis(self) -> Tensor:
        """(K, T) height of the pelvis."""
        return self.height("pelvis")

    @cached_property
    def soles(self) -> Mapping[str, Tensor]:
        """(K, T) of each side: height of the sole's lowest point."""
        return {
            side: torch.minimum(self.height(f"{side}_ankle") - ANKLE_HEIGHT, self.height(f"{side}_foot") - FOOT_HEIGHT)
            for side in SIDES
        }

    @cached_property
    def airborne(self) -> Tensor:
        """(K, T) height of the lower sole."""
        return torch.minimum(self.soles["left"], self.soles["right"])

    @cached_property
    def upright(self) -> Tensor:
        """(K, T) upward component of the unit vector from pelvis to neck."""
        trunk = self.seen("neck") - self.seen("pelvis")
        return trunk[..., 1] / trunk.norm(dim=-1)

    @cached_property
    def standing(self) -> Tensor:
        """(K, T) how far the body stands, 0 to 1."""
        return share(self.pelvis, 0.6, 0.85) * share(self.upright, 0.5, 0.85)

    @cached_property
    def between_hands(self) -> Tensor:
        """(K, T) distance of the hands."""
        return (self.seen("left_hand") - self.seen("right_hand")).norm(dim=-1)

    def over(self, side: str, joint: str) -> Tensor:
        """Returns (K, T) the height of a wrist over a joint."""
        return self.height(f"{side}_wrist") - self.height(joint)

    def arm(self, side: str) -> Tensor:
        """Returns (K, T, 3) a wrist from its shoulder as (left, up, forward)."""
        return self.seen(f"{side}_wrist") - self.seen(f"{side}_shoulder")


def share(value: Tensor, least: float, enough: float) -> Tensor:
    """Returns 0 for values up to ``least``, 1 from ``enough`` on, and rises or falls between them."""
    return ((value - least) / (enough - least)).clamp(0, 1)


def passes(values: Tensor, low: float, high: float) -> Tensor:
    """Returns how often (K,) values (K, T) rise from below ``low`` to above ``high``."""
    state = (values > high).int() - (values < low).int()
    frame = torch.arange(values.shape[1], device=values.device)
    told = torch.where(state != 0, frame, 0).cummax(dim=1).values  # the last frame that was certainly low or high
    state = state.gather(1, told)
    return ((state[:, 1:] > 0) & (state[:, :-1] < 0)).sum(dim=1).to(values)


def counted(number: Tensor, wanted: int) -> Tensor:
    """Returns the share (K,) of numbers that are as wanted, less for each too few or too many."""
    return (1 - (number - wanted).abs() / wanted).clamp(min=0)


def _sided(demand: Demand, measure: Callable[[str], Tensor]) -> Tensor:
    """Returns a measure of the side that is asked for, the lesser one of both, or the greater one of either."""
    if demand.side in SIDES:
        return measure(demand.side)
    sides = torch.stack([measure(side) for side in SIDES])
    return sides.amin(dim=0) if demand.side == "both" else sides.amax(dim=0)


def _other(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]


# Over the ground


def _travel(seen: Seen, demand: Demand) -> Tensor:
    left, _, forward = seen.steps.sum(dim=1).unbind(dim=-1)
    along = {"forward": forward, "back": -forward, "left": left, "right": -left}[demand.way]
    straight = share(along / seen.path.clamp(min=0.1), 0.2, 0.8)
    pace = 0.35 if demand.way == "forward" else 0.2
    return share(along / seen.seconds, 0, pace) * straight


def _signed(seen: Seen, side: str) -> Tensor:
    return {"left": seen.turned, "right": -seen.turned}.get(side, seen.turned.abs())


def _turn(seen: Seen, demand: Demand) -> Tensor:
    angle = _signed(seen, demand.side)
    if demand.degrees:
        return (1 - (angle - demand.degrees).abs() / (0.8 * demand.degrees)).clamp(min=0)
    return share(angle, 0, 75) * share(angle, 300, 200)


def _circle(seen: Seen, demand: Demand) -> Tensor:
    return share(_signed(seen, demand.side), 0, 300) * share(seen.path, 0.3, 1.5)


def _spot(seen: Seen, demand: Demand) -> Tensor:
    return share(seen.path / seen.seconds, 0.5, 0.1)


def _still(seen: Seen, demand: Demand) -> Tensor:
    speed = seen.positions.diff(dim=1).norm(dim=-1).mean(dim=(1, 2)) * seen.fps
    return share(speed, 0.4, 0.05)


def _steps(seen: Seen, demand: Demand) -> Tensor:
    lifts = [passes(seen.soles[side], 0.03, 0.07) / seen.seconds for side in SIDES]
    return share(torch.minimum(*lifts), 0, 0.8)


def _run(seen: Seen, demand: Demand) -> Tensor:
    return share(seen.path / seen.seconds, 0.8, 2.2)


def _slow(seen: Seen, demand: Demand) -> Tensor:
    return share(seen.path / seen.seconds, 1.3, 0.7)


def _climb(seen: Seen, demand: Demand) -> Tensor:
    risen = seen.ends(seen.airborne) - seen.begins(seen.airborne)
    return share(risen if demand.way == "up" else -risen, 0, 0.4)


# Off the ground


def _jump(seen: Seen, demand: Demand) -> Tensor:
    height = share(seen.airborne.amax(dim=1), 0, 0.25) * share(seen.ends(seen.airborne), 0.2, 0.05)
    if not demand.count:
        return height
    return (height + counted(passes(seen.airborne, 0.03, 0.08), demand.count)) / 2


def _hop(seen: Seen, demand: Demand) -> Tensor:
    def on(side: str) -> Tensor:
        hops = passes(seen.soles[side], 0.02, 0.04)
        often = counted(hops, demand.count) if demand.count else share(hops / seen.seconds, 0, 0.75)
        return often * share((seen.soles[_other(side)] > 0.1).float().mean(dim=1), 0, 0.7)

    return _sided(demand, on)


# Legs


def _kick(seen: Seen, demand: Demand) -> Tensor:
    def by(side: str) -> Tensor:
        fast = share(seen.speed(seen.seen(f"{side}_ankle")).amax(dim=1), 1, 5)
        planted = share(seen.soles[_other(side)].amax(dim=1), 0.35, 0.1)
        return share(seen.soles[side].amax(dim=1), 0.05, 0.6) * planted * fast

    return _sided(demand, by)


def _lift(seen: Seen, demand: Demand) -> Tensor:
    def of(side: str) -> Tensor:
        kept = (seen.soles[side] > 0.1) & (seen.soles[_other(side)] < 0.08)
        return share(kept.float().mean(dim=1), 0, 0.6)

    return _sided(demand, of)


# Hands


def _punch(seen: Seen, demand: Demand) -> Tensor:
    def by(side: str) -> Tensor:
        arm = seen.arm(side)
        ahead = torch.where(arm[..., 1] > -0.3, arm[..., 2], 0.0)  # of hands that hang, nothing
        forward = torch.diff(arm[..., 2], dim=1) * seen.fps
        stretches = torch.diff(arm.norm(dim=-1), dim=1) * seen.fps  # an arm that swings is straight all the time
        thrust = torch.minimum(forward, 1.5 * stretches) * (ahead[:, 1:] > 0)
        return share(thrust.amax(dim=1), 0.3, 4) * share(ahead.amax(dim=1), 0.1, 0.45)

    return _sided(demand, by)


def _throw(seen: Seen, demand: Demand) -> Tensor:
    def by(side: str) -> Tensor:
        fast = share(seen.speed(seen.seen(f"{side}_wrist") - seen.seen("pelvis")).amax(dim=1), 1, 7)
        return fast * share(seen.over(side, f"{side}_shoulder").amax(dim=1), -0.4, 0.1)

    return _sided(demand, by)


def _clap(seen: Seen, demand: Demand) -> Tensor:
    claps = passes(-seen.between_hands, -0.24, -0.16)
    return share(claps, 0, demand.count or 1.5 * seen.seconds)


def _wave(seen: Seen, demand: Demand) -> Tensor:
    def by(side: str) -> Tensor:
        high = seen.over(side, f"{side}_shoulder")
        across = seen.arm(side)[..., 0]
        middle = (across * (high > 0)).sum(dim=1) / (high > 0).sum(dim=1).clamp(min=1)
        swings = passes(torch.where(high > 0, across - middle[:, None], 0.0), -0.04, 0.04)
        return share(swings / seen.seconds, 0, 0.75) * share(high.amax(dim=1), -0.2, 0.1) * _free(seen, demand, side)

    return _sided(demand, by)


def _raise(seen: Seen, demand: Demand) -> Tensor:
    def up(side: str) -> Tensor:
        return share(seen.over(side, "head").amax(dim=1), -0.6, 0.2) * _free(seen, demand, side)

    return _sided(demand, up)


def _free(seen: Seen, demand: Demand, side: str) -> Tensor | float:
    """Returns how far the hand that is not asked for is down, where a single one is."""
    if demand.side not in SIDES:
        return 1.0
    other = _other(side)
    return share(seen.over(other, f"{other}_shoulder").amax(dim=1), 0.2, -0.1)


def _spread(seen: Seen, demand: Demand) -> Tensor:
    return share(seen.between_hands.amax(dim=1), 0.6, 1.5)


def _to_head(seen: Seen, demand: Demand) -> Tensor:
    return _sided(
        demand, lambda side: share((seen.seen(f"{side}_hand") - seen.seen("head")).norm(dim=-1).amin(dim=1), 0.6, 0.2)
    )


def _swing(seen: Seen, demand: Demand) -> Tensor:
    """Arms that go up and down again and again, as in jumping jacks."""
    return _sided(demand, lambda side: share(passes(seen.over(side, f"{side}_shoulder"), -0.1, 0.1), 0, 3))


def _reach_down(seen: Seen, demand: Demand) -> Tensor:
    return _sided(demand, lambda side: share(seen.height(f"{side}_hand").amin(dim=1), 0.7, 0.15))


# Postures


def _phase(seen: Seen, demand: Demand, low: Tensor) -> Tensor:
    """Returns how far a posture is come to from standing or left for it, or is there at all.

    Args:
        seen: the motions.
        demand: with the way.
        low: (K, T) how far each frame has the posture.
    """
    if demand.way == "down":
        return (2 * seen.ends(low) + seen.begins(seen.standing)) / 3
    if demand.way == "up":
        return (seen.begins(low) + seen.ends(seen.standing)) / 2
    return low.topk(max(low.shape[1] // 8, 1), dim=1).values.mean(dim=1)  # for an eighth of the time


def _sit(seen: Seen, demand: Demand) -> Tensor:
    return _phase(seen, demand, share(seen.pelvis, 0.85, 0.6) * share(seen.upright, 0.4, 0.8))


def _squat(seen: Seen, demand: Demand) -> Tensor:
    return _phase(seen, demand, share(seen.pelvis, 0.9, 0.5) * share(seen.upright, 0.2, 0.6))


def _kneel(seen: Seen, demand: Demand) -> Tensor:
    knee = torch.minimum(seen.height("left_knee"), seen.height("right_knee"))
    return _phase(seen, demand, share(knee, 0.45, 0.12) * share(seen.upright, 0.3, 0.75))


def _lie(seen: Seen, demand: Demand) -> Tensor:
    return _phase(seen, demand, share(seen.pelvis, 0.7, 0.25) * share(seen.upright.abs(), 0.9, 0.35))


def _low(seen: Seen, demand: Demand) -> Tensor:
    """On the floor in any way."""
    return _phase(seen, demand, share(seen.pelvis, 0.8, 0.35))


def _crawl(seen: Seen, demand: Demand) -> Tensor:
    hands = torch.maximum(seen.height("left_hand"), seen.height("right_hand")).mean(dim=1)
    return share(hands, 0.6, 0.15) * share(seen.path / seen.seconds, 0, 0.2)


def _bend(seen: Seen, demand: Demand) -> Tensor:
    return share(seen.upright.amin(dim=1), 0.98, 0.6)


def _bow(seen: Seen, demand: Demand) -> Tensor:
    return _bend(seen, demand) * share(seen.ends(seen.upright), 0.6, 0.95)


def _up_again(seen: Seen, demand: Demand) -> Tensor:
    return seen.ends(seen.standing)


#: By what a demand says.
MEASURES: Mapping[str, Callable[[Seen, Demand], Tensor]] = MappingProxyType(
    {
        "travel": _travel,
        "turn": _turn,
        "circle": _circle,
        "spot": _spot,
        "still": _still,
        "steps": _steps,
        "run": _run,
        "slow": _slow,
        "climb": _climb,
        "jump": _jump,
        "hop": _hop,
        "kick": _kick,
        "lift": _lift,
        "punch": _punch,
        "throw": _throw,
        "clap": _clap,
        "wave": _wave,
        "raise": _raise,
        "spread": _spread,
        "to head": _to_head,
        "swing": _swing,
        "reach down": _reach_down,
        "sit": _sit,
        "squat": _squat,
        "kneel": _kneel,
        "lie": _lie,
        "low": _low,
        "crawl": _crawl,
        "bend": _bend,
        "bow": _bow,
        "up again": _up_again,
    }
)


def met(demands: Sequence[Demand], positions: Tensor, fps: float) -> Tensor:
    """Returns how far motions meet demands, from 0 to 1: the mean (K,) over the demands, 0 without any.

    Args:
        demands: of one text.
        positions: (K, T, 24, 3) joint positions of the canonical skeleton, metres, Y up, the floor at 0.
        fps: frames per second.
    """
    if not demands:
        return positions.new_zeros(len(positions))
    seen = Seen(positions, fps)
    return torch.stack([MEASURES[demand.what](seen, demand) for demand in demands]).mean(dim=0)
