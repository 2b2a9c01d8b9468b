"""Facts of arms and legs: where hands are, what they do again and again, kicks and lifted feet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from motionclip.data.kinematics.facts import Fact
from motionclip.data.kinematics.signals import SIDES, Array, Mask, Signals, spans, swings, turning_points


def hands(signals: Signals) -> Iterator[Fact]:
    """Yields where hands are held or brought: above or to the head, to the sides, to the front, on the hips."""
    found = [fact for side in SIDES for fact in _places(signals, side)]
    yield from _paired(found, signals.frames(0.5))


def _places(signals: Signals, side: str) -> Iterator[Fact]:
    shoulder, wrist = signals.joint(f"{side}_shoulder"), signals.joint(f"{side}_wrist")
    head, hip = signals.joint("head"), signals.joint(f"{side}_hip")
    reach = signals.local(wrist - shoulder)
    outward = reach[:, 0] * (1 if side == "left" else -1)
    length = np.linalg.norm(reach, axis=1)
    long, level = length > 0.44, np.abs(reach[:, 1]) < 0.15
    upright = signals.trunk[:, 1] > 0.85
    skull = head + 0.1 * (head - signals.joint("spine3")) / 0.24
    near = np.linalg.norm(wrist - skull, axis=1)
    waist = np.linalg.norm(wrist - hip - np.array([0, 0.1, 0]), axis=1)
    elbow = signals.local(signals.joint(f"{side}_elbow") - shoulder)[:, 0] * (1 if side == "left" else -1)
    akimbo = (np.linalg.norm(signals.rate(wrist - shoulder), axis=1) < 0.5) & (elbow > 0.12) & (length < 0.43)
    top = wrist[:, 1] - head[:, 1]
    masks: tuple[tuple[str, Mask, Mask, float], ...] = (
        ("above the head", (top > 0.12) & upright, top > 0.22, 0.25),
        ("to the side", long & level & (outward > 0.8 * length) & upright, outward > 0.9 * length, 0.3),
        ("to the front", long & level & (reach[:, 2] > 0.8 * length) & upright, reach[:, 2] > 0.88 * length, 0.3),
        ("to the head", (near < 0.24) & (reach[:, 1] > -0.1), near < 0.2, 0.4),
        ("on the hip", (waist < 0.17) & akimbo & upright, waist < 0.14, 0.6),
    )
    low = reach[:, 1] < -0.3
    for where, loose, strict, least in masks:
        for start, stop in spans(loose, strict, signals.frames(least)):
            before = bool(low[:start].any()) or (where == "on the hip" and start > signals.frames(0.5))
            phase = "raise" if before else "hold"
            if phase == "hold" and stop - start < 0.8 * signals.num_frames:
                if low[stop:].any():
                    yield Fact("lower", stop - 1, min(stop + signals.frames(0.5), signals.num_frames), side, where)
                continue
            yield Fact(phase, start, stop, side, where)


def _paired(facts: list[Fact], slack: int) -> Iterator[Fact]:
    """Yields the facts, those of both sides at about the same time as one, and of several alike the first."""
    left, right = ([fact for fact in facts if fact.side == side] for side in SIDES)
    used: set[int] = set()
    for fact in left:
        twin = next(
            (
                n
                for n, other in enumerate(right)
                if n not in used and (other.what, other.way) == (fact.what, fact.way) and _together(fact, other, slack)
            ),
            None,
        )
        if twin is None:
            yield fact
        else:
            used.add(twin)
            other = right[twin]
            yield replace(fact, side="both", start=min(fact.start, other.start), stop=max(fact.stop, other.stop))
    yield from (fact for n, fact in enumerate(right) if n not in used)


def _together(a: Fact, b: Fact, slack: int) -> bool:
    return abs(a.start - b.start) <= slack and min(a.stop, b.stop) > max(a.start, b.start)


# What hands do


def strokes(signals: Signals) -> Iterator[Fact]:
    """Yields claps, waves, arms swung to and fro, thrusts of a fist and overhead throws."""
    yield from _claps(signals)
    waves = [fact for side in SIDES for fact in _waves(signals, side)]
    yield from _paired(waves, signals.frames(0.7))
    for side in SIDES:
        yield from _thrusts(signals, side)
        yield from _throws(signals, side)


def _claps(signals: Signals) -> Iterator[Fact]:
    left, right = signals.joint("left_hand"), signals.joint("right_hand")
    between = signals.local(left - right)
    apart = np.linalg.norm(between, axis=1)
    meets = [point for point in turning_points(apart, 0.1)[1:-1] if apart[point] < 0.17]
    uncrossed = (between[:, 0] > -0.04) & (np.abs(between[:, 1]) < 0.1)
    raised = np.minimum(left[:, 1], right[:, 1]) - signals.pelvis > 0.05
    if len(meets) >= 3 and max(np.diff(meets)) < signals.frames(1.0) and (uncrossed & raised)[meets].all():
        yield Fact("clap", meets[0], meets[-1] + 1, "both", count=len(meets))
        return
    for start, stop in spans((apart < 0.15) & raised, apart < 0.11, signals.frames(0.6)):
        yield Fact("join hands", start, stop, "both")


def _waves(signals: Signals, side: str) -> Iterator[Fact]:
    """Yields a raised hand that goes to and fro across the body."""
    reach = signals.local(signals.joint(f"{side}_wrist") - signals.joint(f"{side}_shoulder"))
    elbow = signals.local(signals.joint(f"{side}_elbow") - signals.joint(f"{side}_shoulder"))
    up = reach[:, 1] - elbow[:, 1]
    for start, stop in spans((reach[:, 1] > -0.12) & (up > 0.05), reach[:, 1] > 0.05, signals.frames(0.8)):
        across = reach[start:stop, 0]
        count = swings(across, 0.08)
        still = np.ptp(elbow[start:stop], axis=0).max() < 0.8 * np.ptp(across)
        if (
            count >= 4
            and still
            and count > (stop - start) / signals.frames(0.7)
            and signals.speed[start:stop].mean() < 0.3
        ):
            yield Fact("wave", start, stop, side, count=count // 2)


def _thrusts(signals: Signals, side: str) -> Iterator[Fact]:
    """Yields a fist that shoots out to the front and stretches the arm."""
    reach = signals.local(signals.joint(f"{side}_wrist") - signals.joint(f"{side}_shoulder"))
    length = np.linalg.norm(reach, axis=1)
    speed = signals.rate(reach)[:, 2]
    hits = []
    for start, stop in spans(speed > 0.5, speed > 1.5, 2):
        end = min(stop, signals.num_frames - 1)
        straight = length[end] > 0.44 and length[start] < 0.37 and abs(reach[end, 1]) < 0.2
        if straight and reach[end, 2] > 0.75 * length[end] and signals.trunk[start, 1] > 0.85:
            hits.append((start, stop))
    if hits:
        yield Fact("punch", hits[0][0], hits[-1][1], side, count=len(hits))


def _throws(signals: Signals, side: str) -> Iterator[Fact]:
    """Yields an overhead stroke: the hand whips from behind and above the shoulder to the front and down."""
    reach = signals.local(signals.joint(f"{side}_wrist") - signals.joint(f"{side}_shoulder"))
    speed = np.linalg.norm(signals.rate(reach), axis=1)
    for start, stop in spans(speed > 3.0, speed > 5.0, signals.frames(0.1)):
        begin, end = reach[start], reach[min(stop, signals.num_frames - 1)]
        if begin[1] > 0.1 and begin[2] < 0.1 and end[2] > 0.2 and end[1] < begin[1] - 0.1:
            yield Fact("throw", start, stop, side)
            return


def reaches(signals: Signals) -> Iterator[Fact]:
    """Yields a hand that reaches down to the floor while the feet carry the body."""
    found = []
    for side in SIDES:
        low = np.minimum(signals.joint(f"{side}_wrist")[:, 1], signals.joint(f"{side}_hand")[:, 1])
        for start, stop in spans(low < 0.28, low < 0.2, signals.frames(0.15)):
            around = low[: start + 1].max() > 0.6 and (stop == signals.num_frames or low[stop - 1 :].max() > 0.45)
            knees = min(signals.joint(f"{s}_knee")[start:stop, 1].min() for s in SIDES)
            if around and stop - start < signals.frames(2) and knees > 0.2 and signals.soles[start:stop].max() < 0.15:
                found.append(Fact("reach down", start, stop, side))
    yield from _paired(found, signals.frames(0.4))


# Legs


def legs(signals: Signals) -> Iterator[Fact]:
    """Yields kicks, feet that are kept up, and knees that are lifted."""
    for side in (0, 1):
        yield from _kicks(signals, side)
        yield from _kept(signals, side)


def _foot(signals: Signals, side: int) -> tuple[Array, Array]:
    """Returns (T, 3) the ankle from the hip, as (left, up, forward), and (T,) its speed."""
    name = SIDES[side]
    reach = signals.local(signals.joint(f"{name}_ankle") - signals.joint(f"{name}_hip"))
    return reach, np.linalg.norm(signals.rate(reach), axis=1)


def _kicks(signals: Signals, side: int) -> Iterator[Fact]:
    """Yields a straight leg that swings fast and high, the other foot on the floor."""
    reach, speed = _foot(signals, side)
    high, other = signals.soles[:, side], signals.soles[:, 1 - side]
    length = np.linalg.norm(reach, axis=1)
    counted: list[tuple[int, int, str]] = []
    for start, stop in spans(high > 0.3, high > 0.42):
        peak = start + int(np.argmax(high[start:stop]))
        early = max(start - signals.frames(0.4), 0)
        if start == 0 or speed[early : peak + 1].max() < 3.0 or other[start:stop].max() > 0.15:
            continue
        if length[peak - 2 : peak + 3].max() < (0.68 if high[peak] < 0.6 else 0.55) or stop - start > signals.frames(
            1.1
        ):
            continue
        aside, _, ahead = reach[peak]
        outward = aside if side == 0 else -aside
        way = "forward" if ahead > 1.5 * abs(aside) else "side" if outward > 1.5 * abs(ahead) else ""
        way = "back" if ahead < -1.5 * abs(aside) else way
        if way != "back" or high[peak] > 0.6:
            counted.append((start, stop, way))
    if counted:
        ways = {way for *_, way in counted}
        yield Fact(
            "kick", counted[0][0], counted[-1][1], SIDES[side], ways.pop() if len(ways) == 1 else "", "", len(counted)
        )


def _kept(signals: Signals, side: int) -> Iterator[Fact]:
    """Yields a foot that is off the floor for long while the body stands on the other one."""
    high, other = signals.soles[:, side], signals.soles[:, 1 - side]
    calm = (other < 0.05) & (signals.speed < 0.35)
    for start, stop in spans((high > 0.1) & calm, high > 0.15, signals.frames(1.0)):
        knee = signals.joint(f"{SIDES[side]}_knee")[start:stop, 1] - signals.joint(f"{SIDES[side]}_hip")[start:stop, 1]
        whole = stop - start > 0.85 * signals.num_frames
        yield Fact("balance" if whole else "lift foot", start, stop, SIDES[side], "knee" if knee.max() > -0.08 else "")
