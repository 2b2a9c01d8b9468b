"""Facts of posture: sitting, crouching, kneeling, crawling, lying, bending, the ways down and up, heights climbed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from motionclip.data.kinematics.facts import Fact
from motionclip.data.kinematics.signals import SIDES, Array, Mask, Signals, spans
from motionclip.data.kinematics.travel import direction

#: Joints this low, in metres, touch the floor; clear of it they are higher than the second height.
_KNEE_DOWN, _KNEE_UP, _HAND_DOWN = 0.15, 0.3, 0.17


def postures(signals: Signals) -> Iterator[Fact]:
    """Yields low postures, each held, gone down to, got up from, or both, and repeated squats."""
    masks = _masks(signals)
    low = ~signals.upright & (signals.pelvis < 0.75)
    told = False
    for start, stop in spans(low, least=signals.frames(0.4)):
        inside = _inside(masks, start, stop, signals.frames(0.3))
        if not inside:
            continue
        told = True
        before, after = bool(signals.upright[:start].any()), bool(signals.upright[stop:].any())
        deepest = max(inside, key=lambda span: span[2] - span[1])
        if before and after:
            yield Fact(deepest[0], start, stop, _side(signals, deepest), "down and up")
        elif before:
            yield Fact(inside[-1][0], start, stop, _side(signals, inside[-1]), "down")
        elif after:
            yield Fact(inside[0][0], start, stop, _side(signals, inside[0]), "up")
        else:
            for what, first, last in inside:
                moved = np.ptp(signals.joint("pelvis")[first:last], axis=0).max()
                if last - first > 0.75 * (stop - start) and moved < 0.3:
                    yield Fact(what, first, last, _side(signals, (what, first, last)), "held")
    if not told:
        yield from _bends(signals)


def _masks(signals: Signals) -> dict[str, Mask]:
    """Returns in which frames the body is certainly in each low posture."""
    up, pelvis = signals.trunk[:, 1], signals.pelvis
    knees = np.stack([signals.joint(f"{side}_knee")[:, 1] for side in SIDES], 1)
    hands = np.stack(
        [np.minimum(signals.joint(f"{side}_hand")[:, 1], signals.joint(f"{side}_wrist")[:, 1]) for side in SIDES], 1
    )
    neck, hand_low, hand_high = signals.joint("neck")[:, 1], hands.min(1), hands.max(1)
    down = (knees < _KNEE_DOWN).sum(1)
    feet = signals.soles
    level = (pelvis < 0.32) & (neck < 0.42) & (np.abs(up) < 0.5)
    over = _beyond_feet(signals)
    free = hand_low > 0.2
    return {
        "lie on the back": level & (signals.chest > 0.6),
        "lie on the stomach": level & (signals.chest < -0.6) & (neck < 0.32) & (knees.max(1) < 0.25),
        "lie on the side": level & (np.abs(signals.chest) < 0.35),
        "all fours": (down == 2) & (hand_low < _HAND_DOWN) & (hand_high < 0.4) & (np.abs(up) < 0.65) & (pelvis > 0.25),
        "kneel": (down == 2) & (up > 0.75) & (pelvis > 0.3) & (pelvis < 0.65) & free,
        "kneel on one knee": (down == 1) & (knees.max(1) > _KNEE_UP) & (up > 0.65) & (pelvis < 0.65) & free,
        "sit on the floor": (pelvis < 0.25) & (up > 0.7) & (over > 0.2) & (feet.max(1) < 0.25),
        "sit": (pelvis > 0.3) & (pelvis < 0.7) & (up > 0.75) & (over > 0.14) & (knees.min(1) > _KNEE_UP) & free,
        "squat": (pelvis < 0.62) & (up > 0.55) & (over < 0.09) & (knees.min(1) > 0.22) & (feet.max(1) < 0.12) & free,
        "hands and feet": (knees.min(1) > 0.2) & (hand_high < 0.2) & (np.abs(up) < 0.75) & (pelvis > 0.25),
    }


def _beyond_feet(signals: Signals) -> Array:
    """Returns (T,) metres by which the centre of mass lies behind what the feet can carry: then something else does."""
    ankles = np.stack([signals.joint(f"{side}_ankle") for side in SIDES], 1)
    back = np.stack([signals.local(signals.mass - ankles[:, side])[:, 2] for side in (0, 1)], 1).max(1)
    return -back


def _inside(masks: dict[str, Mask], start: int, stop: int, least: int) -> list[tuple[str, int, int]]:
    """Returns the postures (name, start, stop) between two frames in the order of time."""
    found = [
        (name, start + a, start + b) for name, mask in masks.items() for a, b in spans(mask[start:stop], least=least)
    ]
    return sorted(found, key=lambda span: span[1:])


def _side(signals: Signals, span: tuple[str, int, int]) -> str:
    """Returns the side of the knee that is down, or that lies below, if the posture has one."""
    what, start, stop = span
    pairs = {"kneel on one knee": "knee", "lie on the side": "shoulder"}
    if what not in pairs:
        return ""
    heights = [float(signals.joint(f"{side}_{pairs[what]}")[start:stop, 1].mean()) for side in SIDES]
    return SIDES[int(np.argmin(heights))]


def crawls(signals: Signals) -> Iterator[Fact]:
    """Yields travel on hands and knees, or flat on the floor."""
    masks = _masks(signals)
    along = signals.local(signals.rate(signals.smooth(signals.joint("pelvis"), 0.8)))
    pace = np.hypot(along[:, 0], along[:, 2])
    for what, mask in (("crawl", masks["all fours"]), ("crawl on the stomach", masks["lie on the stomach"])):
        if mask.mean() < 0.6 or (along[:, [0, 2]].sum(0) ** 2).sum() ** 0.5 / signals.fps < 0.4:
            continue
        moving = spans(pace > 0.08, pace > 0.15, signals.frames(0.8))
        if moving:
            gone = along.sum(0)
            way = direction(gone) if what == "crawl" else ""
            yield Fact(what, moving[0][0], moving[-1][1], way=way)


def _bends(signals: Signals) -> Iterator[Fact]:
    """Yields bending of the trunk over standing legs, forward, back or to a side."""
    left, up, forward = signals.trunk.T
    tall = signals.pelvis - signals.soles.min(1) > 0.65
    limits = (
        ("forward", (forward > 0.5) & (np.abs(left) < 0.35), forward > 0.65),
        ("back", (forward < -0.28) & (np.abs(left) < 0.2), forward < -0.42),
        ("left", (left > 0.25) & (np.abs(forward) < 0.3), left > 0.35),
        ("right", (left < -0.25) & (np.abs(forward) < 0.3), left < -0.35),
    )
    straight = up > 0.93
    for way, loose, strict in limits:
        for start, stop in spans(loose & tall, strict & tall, signals.frames(0.3)):
            before, after = bool(straight[:start].any()), bool(straight[stop:].any())
            side = way if way in SIDES else ""
            manner = f"{way} again" if before and after else way if before or after else f"{way} held"
            yield Fact("bend" if before or not after else "straighten", start, stop, side, manner)


def climbs(signals: Signals) -> Iterator[Fact]:
    """Yields walking up or down over footholds: the lower foot ends far above or below where it began, step by step."""
    ground = signals.smooth(signals.soles.min(1), 0.5)
    tall = signals.pelvis - signals.soles.min(1) > 0.68
    rise = float(ground[-1] - ground[0])
    steps = np.diff(signals.smooth(signals.pelvis, 0.8))
    steady = float(np.clip(np.sign(rise) * steps, 0, None).sum()) > 0.9 * np.abs(steps).sum()
    lifted = float(signals.pelvis[-1] - signals.pelvis[0])
    if abs(rise) < 0.25 or abs(lifted - rise) > 0.15 or not tall.all() or not steady or signals.flight.any():
        return
    gone = signals.velocity.sum(0) / signals.fps
    way = "up" if rise > 0 else "down"
    walks = gone[2] > 1.1 * abs(rise) and gone[2] > 0.4
    yield Fact("walk up or down" if walks else "climb", 0, signals.num_frames, way=way)


def leans(signals: Signals) -> Iterator[Fact]:
    """Yields shifting the weight to a side, the feet planted."""
    if not signals.upright.all() or np.quantile(signals.soles, 0.98) > 0.06:
        return
    feet = (signals.joint("left_foot") + signals.joint("right_foot")) / 2
    if np.ptp(feet[:, [0, 2]], axis=0).max() > 0.08:
        return
    aside = signals.smooth(signals.local(signals.joint("pelvis") - feet)[:, 0], 0.3)
    if np.ptp(aside) < 0.1:
        return
    low, high = int(np.argmin(aside)), int(np.argmax(aside))
    yield Fact("shift weight", min(low, high), max(low, high) + 1, "left" if high > low else "right")


def twists(signals: Signals) -> Iterator[Fact]:
    """Yields twisting of the shoulders against the hips, and how often it goes to and fro."""
    yaws = []
    for joint in ("hip", "shoulder"):
        across = signals.joint(f"left_{joint}") - signals.joint(f"right_{joint}")
        yaws.append(np.unwrap(np.arctan2(-across[:, 2], across[:, 0])))
    if not signals.facing_known or signals.trunk[:, 1].min() < 0.85:
        return
    twist = np.degrees((yaws[1] - yaws[0] + np.pi) % (2 * np.pi) - np.pi)
    ends = [np.flatnonzero(twist > 35), np.flatnonzero(twist < -35)]
    sides = [side for side, frames in zip(SIDES, ends, strict=True) if len(frames) >= signals.frames(0.1)]
    if len(sides) == 2:
        every = np.concatenate(ends)
        yield Fact("twist", int(every.min()), int(every.max()) + 1, "both")
    elif sides:
        frames = ends[SIDES.index(sides[0])]
        if np.abs(twist).min() < 12:
            yield Fact("twist", int(frames.min()), int(frames.max()) + 1, sides[0])
