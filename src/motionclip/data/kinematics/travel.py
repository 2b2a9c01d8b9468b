"""Facts of the whole body over the ground: walking and running with their directions, turns, jumps, hops, stillness."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from motionclip.data.kinematics.facts import Fact
from motionclip.data.kinematics.signals import SIDES, Array, Signals, spans, swings, turning_points
from motionclip.motion.skeleton import CANONICAL

#: Metres per second: the pelvis certainly travels, and certainly has not stopped.
_TRAVELS, _CREEPS = 0.4, 0.2
#: Metres and seconds of the shortest travel that is told.
_LEAST_WAY, _LEAST_TIME = 0.5, 0.6
#: Degrees that a direction may be off the axis that names it, and off the diagonal.
_ON_AXIS, _ON_DIAGONAL = 25.0, 12.0
_WAYS = ("forward", "forward left", "left", "back left", "back", "back right", "right", "forward right")


def travel(signals: Signals) -> Iterator[Fact]:
    """Yields how the body travels on its feet: gait, direction by its own facing, pace, steps on the spot."""
    speed = signals.speed
    runs = spans(speed > _CREEPS, speed > _TRAVELS, signals.frames(_LEAST_TIME))
    for start, stop in runs:
        if signals.on_feet[start:stop].mean() > 0.95:
            yield from _gait(signals, start, stop)
    if not runs:
        yield from _on_the_spot(signals)


def _gait(signals: Signals, start: int, stop: int) -> Iterator[Fact]:
    part = slice(start, stop)
    seconds = (stop - start) / signals.fps
    gone = signals.velocity[part].sum(0) / signals.fps
    length = float(signals.speed[part].sum() / signals.fps)
    straight = float(np.hypot(gone[0], gone[2])) / max(length, 1e-6)
    if length < _LEAST_WAY:
        return
    way = direction(gone) if straight > 0.85 else ""
    pace, mean = "", length / seconds
    air = float(signals.flight[part].mean())
    stride = _strides(signals, start, stop)
    if stride < 1:
        return
    if air < 0.02 and mean < 2.0 and np.quantile(signals.speed[part], 0.9) < 2.15:
        what = "walk"
        pace = "slowly" if mean < 0.6 else "quickly" if mean > 1.4 else ""
    elif mean > (1.5 if air > 0.05 else 2.2) and (air == 0 or _alternates(signals, start, stop)):
        what = "run" if mean > 2.3 else "jog"
        pace = "quickly" if mean > 3.6 else ""
    else:
        return
    yield Fact(what, start, stop, way=way, pace=pace)
    yield from _starts_and_stops(signals, start, stop, what, way)


def _starts_and_stops(signals: Signals, start: int, stop: int, what: str, way: str) -> Iterator[Fact]:
    """Yields standing before and after a travel, where the body is upright and its pelvis stays."""
    least = signals.frames(0.5)
    if start >= least and signals.upright[:start].all() and signals.speed[: start - least // 2].max() < _CREEPS:
        yield Fact("start", 0, start + least, way=what)
    rest = signals.num_frames - stop
    if rest >= least and signals.upright[stop:].all() and signals.speed[stop + least // 2 :].max() < _CREEPS:
        yield Fact("stop", stop - least, signals.num_frames, way=what)


def direction(gone: Array) -> str:
    """Returns the name of a horizontal direction (left, up, forward), or nothing between two names."""
    angle = float(np.degrees(np.arctan2(gone[0], gone[2])))  # positive to the left
    eighth = round(angle / 45)
    off = abs(angle - 45 * eighth)
    return _WAYS[eighth % 8] if off < (_ON_DIAGONAL if eighth % 2 else min(_ON_AXIS, 22.5)) else ""


def _strides(signals: Signals, start: int, stop: int) -> int:
    """Returns how often one ankle passes the other by a fifth of a metre, along the travel."""
    part = slice(start, stop)
    apart = (signals.joint("left_ankle") - signals.joint("right_ankle"))[part][:, [0, 2]]
    path = signals.smooth(signals.joint("pelvis"), 0.5)[part][:, [0, 2]]
    along = np.gradient(path, axis=0)
    along = along / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-9)
    return swings((apart * along).sum(1), 0.2)


def _alternates(signals: Signals, start: int, stop: int) -> bool:
    """Returns whether each flight leads from one foot to the other, as in running but not in hopping or skipping."""
    changes = []
    lower = signals.soles.argmin(1)
    for first, last in spans(signals.flight[start:stop]):
        before, after = start + first - 1, start + last
        if before >= 0 and after < signals.num_frames:
            changes.append(lower[max(before - 1, 0)] != lower[min(after + 1, signals.num_frames - 1)])
    return bool(changes) and np.mean(changes) > 0.8


def _on_the_spot(signals: Signals) -> Iterator[Fact]:
    """Yields steps on the spot: both feet lifted in turn while the body stays."""
    if not signals.upright.mean() > 0.9 or signals.spread("pelvis") > 0.35:
        return
    lifts = [len(spans(signals.soles[:, side] > 0.06, least=3)) for side in (0, 1)]
    low = signals.soles.min(1)
    if min(lifts) >= 2 and abs(lifts[0] - lifts[1]) <= 1:
        air = len(spans(signals.flight))
        if air == 0 and np.quantile(low, 0.9) < 0.04 and abs(signals.yaw[-1] - signals.yaw[0]) < 0.7:
            yield Fact("march", 0, signals.num_frames)
        elif air >= 2 and np.corrcoef(signals.soles[:, 0], signals.soles[:, 1]).item(1) < -0.2:
            yield Fact("jog", 0, signals.num_frames, way="on the spot")


# Turns

#: Degrees: what is certainly a turn and not the sway of a step; and names of the angles from each to the next.
_LEAST_TURN = 55.0
_TURNS = ((60, 120, "quarter"), (150, 215, "around"), (315, 405, "full"), (540, 1800, "spin"))


def turns(signals: Signals) -> Iterator[Fact]:
    """Yields turns about the vertical: side, angle in words, on the spot or on the way; curves and circles of walks."""
    if not signals.facing_known:
        return
    yaw, feet = signals.smooth(np.degrees(signals.yaw), 0.5), np.degrees(signals.feet_yaw)
    for start, stop in itertools.pairwise(turning_points(yaw, 30.0)):
        angle = float(yaw[stop] - yaw[start])
        turned = float(feet[min(stop + 3, len(feet) - 1)] - feet[max(start - 3, 0)]) / (angle or 1.0)
        if abs(angle) < _LEAST_TURN or abs(turned - 1) > 0.35 or signals.upright[start : stop + 1].mean() < 0.8:
            continue
        start, stop = _core(yaw, start, stop)
        name = next((name for low, high, name in _TURNS if low <= abs(angle) <= high), "")
        side = "left" if angle > 0 else "right"
        way = float(signals.speed[start:stop].sum() / signals.fps)
        seconds = (stop - start) / signals.fps
        radius = way / np.radians(abs(angle))
        if radius > 0.45 and seconds > 1.4:
            yield Fact("circle" if abs(angle) > 300 else "curve", start, stop, side, name)
        elif signals.spread("pelvis", start, stop) < 0.28:
            yield Fact("turn", start, stop, side, name, count=round(abs(angle) / 360) if name == "spin" else 0)
        else:
            yield Fact("turn walking", start, stop, side, name)


def _core(yaw: Array, start: int, stop: int) -> tuple[int, int]:
    """Returns the frames in which a turn does all but the first and the last tenth of its angle."""
    share = (yaw[start : stop + 1] - yaw[start]) / (yaw[stop] - yaw[start])
    first, last = int(np.argmax(share > 0.1)), int(np.argmax(share > 0.9))
    return start + first, start + last + 1


# Jumps and hops


def jumps(signals: Signals) -> Iterator[Fact]:
    """Yields jumps off both feet and hops on one, with their direction and number."""
    found: list[tuple[str, str, str, int, int]] = []
    for start, stop in spans(signals.flight, least=signals.frames(0.13)):
        reach = signals.frames(0.17)
        if start < reach or stop + reach > signals.num_frames:
            continue
        off, on = signals.soles[start - reach : start].min(0), signals.soles[stop : stop + reach].min(0)
        seconds = (stop - start) / signals.fps
        both_off, both_on = abs(off[0] - off[1]) < 0.05, abs(on[0] - on[1]) < 0.06
        if both_off and both_on and seconds >= 0.2 and _leave_together(signals, start):
            found.append(("jump", "", _way(signals, start, stop), start, stop))
        elif max(off) - min(off) > 0.1 and max(on) - min(on) > 0.1 and off.argmin() == on.argmin():
            found.append(("hop", SIDES[off.argmin()], _way(signals, start, stop), start, stop))
    if {("hop", "left"), ("hop", "right")} <= {jump[:2] for jump in found}:
        hops = [jump for jump in found if jump[0] == "hop"]
        found = [jump for jump in found if jump[0] != "hop"]
        if len(hops) >= 2 and signals.speed.mean() > 0.8:
            yield Fact("skip", hops[0][3], hops[-1][4], way=hops[0][2] if len({jump[2] for jump in hops}) == 1 else "")
    for (what, side), group in itertools.groupby(found, key=lambda jump: jump[:2]):
        every = list(group)
        ways = {jump[2] for jump in every}
        way = ways.pop() if len(ways) == 1 else ""
        yield Fact(what, every[0][3], every[-1][4], side, way, count=len(every))


def _leave_together(signals: Signals, start: int) -> bool:
    """Returns whether both soles leave the floor at the same time, about."""
    before = signals.soles[max(start - signals.frames(0.17), 0) : start + 1]
    return bool(np.abs(before[:, 0] - before[:, 1]).max() < 0.12)


def _way(signals: Signals, start: int, stop: int) -> str:
    moved = signals.local(signals.rate(signals.mass))[start:stop].mean(0)
    pace = float(np.hypot(moved[0], moved[2]))
    return "up" if pace < 0.35 else direction(moved) if pace > 0.7 and signals.facing_known else ""


# Stillness


def stillness(signals: Signals) -> Iterator[Fact]:
    """Yields that nothing moves, or that the body stands on one spot."""
    ranges = np.ptp(signals.positions - signals.positions[:, :1], axis=0).max(1)
    moved = np.ptp(signals.joint("pelvis"), axis=0).max()
    if not signals.upright.all():
        return
    if max(ranges.max(), moved) < 0.07:
        yield Fact("still", 0, signals.num_frames)
    elif moved < 0.12 and np.quantile(signals.soles, 0.99) < 0.06:
        hands = [ranges[CANONICAL.index(f"{side}_wrist")] for side in SIDES]
        busy = [side for side, reach in zip(SIDES, hands, strict=True) if reach > 0.25]
        side = "both" if len(busy) == 2 else busy[0] if busy and min(hands) < 0.12 else ""
        yield Fact("stand", 0, signals.num_frames, side)
