"""A procedural source: simple movements with words, for tests and first steps without a download.

Clip ``i`` depends on the seed and on ``i`` only. Of every ten clips of a movement eight are for
training, one is for validation and one for testing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from motionclip.data import procedural as move
from motionclip.data.clip import Caption, Clip
from motionclip.data.procedural import STAND, Track
from motionclip.data.source import Source
from motionclip.motion import CANONICAL

DATASET = "synthetic"

#: Names of three speeds, the factor of each, and the word that says it.
SPEEDS = (("normal", 1.0, ""), ("slow", 0.7, " slowly"), ("fast", 1.35, " quickly"))

_SIDES = {"left": (-1.0, "right"), "right": (1.0, "left")}


def _frames(rng: np.random.Generator, speed: float, seconds: float) -> int:
    return round(seconds * move.FPS / speed * rng.uniform(0.9, 1.1))


def _walk(rng: np.random.Generator, speed: float, way: float = 1.0, turn: float = 0.0) -> Track:
    frames = round(3 * move.FPS)
    track = move.gait(frames, way * 0.9 * speed * rng.uniform(0.95, 1.05), 24 * speed**0.5 * rng.uniform(0.9, 1.1))
    return replace(track, yaw=turn * rng.uniform(0.8, 1.1) * np.linspace(0, 1, frames))


def _run(rng: np.random.Generator, speed: float) -> Track:
    frames, cadence = round(2.5 * move.FPS), 1.4 * speed**0.5
    track = move.gait(frames, cadence, 36 * rng.uniform(0.9, 1.1), knee=95, arms=40, lean=10)
    for joint, y in (("left_elbow", -85), ("right_elbow", 85)):
        track.angles[:, CANONICAL.index(joint), 1] = y
    hop = np.sin(2 * np.pi * cadence * np.arange(frames) / move.FPS)
    return replace(track, air=0.07 * hop**2, glide=1.2)


def _turn(rng: np.random.Generator, speed: float, degrees: float) -> Track:
    frames = _frames(rng, speed, 2.5)
    track = move.gait(frames, 1.1 * speed, 4, knee=30, arms=6, lean=0)
    return replace(track, yaw=degrees * np.linspace(0, 1, frames))


def _arm(side: str, shoulder: tuple[float, float, float], elbow: tuple[float, float, float]) -> move.Pose:
    """An arm's pose given for the right side; y and z change sign on the left."""
    sign = _SIDES[side][0]
    return {
        f"{side}_shoulder": (shoulder[0], sign * shoulder[1], sign * shoulder[2]),
        f"{side}_elbow": (elbow[0], sign * elbow[1], sign * elbow[2]),
    }


def _wave(rng: np.random.Generator, speed: float, side: str) -> Track:
    up = {**STAND, **_arm(side, (0, 10, rng.uniform(-10, 5)), (0, 0, -75))}
    track = move.keyframes([(0, STAND), (0.2, up), (0.8, up), (1, STAND)], _frames(rng, 1, 3))
    return move.wave(track, f"{side}_elbow", 2, rng.uniform(20, 30), 1.6 * speed)


def _raise(rng: np.random.Generator, speed: float, *sides: str) -> Track:
    height = rng.uniform(-82, -70)
    up = dict(STAND)
    for side in sides:
        up.update(_arm(side, (0, 15, height), (0, 5, 0)))
    return move.keyframes([(0, STAND), (0.35, up), (0.65, up), (1, STAND)], _frames(rng, speed, 2.5))


def _bow(rng: np.random.Generator, speed: float) -> Track:
    deep = rng.uniform(25, 35)
    down = {**STAND, "pelvis": (deep, 0, 0), "left_hip": (-deep, 0, 0), "right_hip": (-deep, 0, 0)}
    down |= {"spine1": (12, 0, 0), "spine2": (10, 0, 0), "neck": (12, 0, 0)}
    return move.keyframes([(0, STAND), (0.4, down), (0.6, down), (1, STAND)], _frames(rng, speed, 2.5))


def _kick(rng: np.random.Generator, speed: float, side: str) -> Track:
    back = {**STAND, f"{side}_hip": (20, 0, 0), f"{side}_knee": (60, 0, 0)}
    front = {**STAND, f"{side}_hip": (-rng.uniform(70, 90), 0, 0), f"{side}_knee": (8, 0, 0), "spine1": (-8, 0, 0)}
    keys = [(0, STAND), (0.3, back), (0.5, front), (0.6, front), (1, STAND)]
    track = move.keyframes(keys, _frames(rng, speed, 2))
    return replace(track, stance=np.full(len(track.yaw), ("left", "right").index(_SIDES[side][1])))


def _punch(rng: np.random.Generator, speed: float, side: str) -> Track:
    guard = {**STAND, **_arm("left", (0, 10, 65), (0, 115, 0)), **_arm("right", (0, 10, 65), (0, 115, 0))}
    hit = {**guard, **_arm(side, (0, rng.uniform(80, 90), 5), (0, 5, 0)), "spine3": (0, _SIDES[side][0] * 20, 0)}
    keys = [(0, STAND), (0.25, guard), (0.45, hit), (0.55, hit), (0.75, guard), (1, STAND)]
    return move.keyframes(keys, _frames(rng, speed, 2))


def _squat(rng: np.random.Generator, speed: float) -> Track:
    down = {**STAND, **move.squat_pose(rng.uniform(0.8, 1.0))}
    down |= {**_arm("left", (0, 80, 10), (0, 5, 0)), **_arm("right", (0, 80, 10), (0, 5, 0))}
    return move.keyframes([(0, STAND), (0.45, down), (0.55, down), (1, STAND)], _frames(rng, speed, 2.5))


def _jump(rng: np.random.Generator, speed: float) -> Track:
    return move.jump(_frames(rng, 1, 2), 0.3 * speed**0.5 * rng.uniform(0.8, 1.2))


def _stand(rng: np.random.Generator, speed: float) -> Track:
    track = move.hold(_frames(rng, 1, 2.5))
    return move.wave(track, "spine2", 0, rng.uniform(1, 2), 0.3 * speed)


@dataclass(frozen=True)
class Movement:
    """One kind of movement: its name, how it is made, and its words (what a person does; as an order)."""

    name: str
    make: Callable[[np.random.Generator, float], Track]
    third: tuple[str, ...]
    base: str


def _sided(
    name: str, make: Callable[[np.random.Generator, float, str], Track], third: str, base: str
) -> list[Movement]:
    return [
        Movement(f"{name}-{side}", lambda rng, speed, side=side: make(rng, speed, side), (third % side,), base % side)  # type: ignore[misc]
        for side in _SIDES
    ]


MOVEMENTS: tuple[Movement, ...] = (
    Movement("walk", _walk, ("walks", "walks forward"), "walk"),
    Movement("walk-back", lambda r, v: _walk(r, v, way=-1), ("walks backwards", "walks back"), "walk backwards"),
    Movement("walk-turn-left", lambda r, v: _walk(r, v, turn=100), ("walks and turns left",), "walk and turn left"),
    Movement("walk-turn-right", lambda r, v: _walk(r, v, turn=-100), ("walks and turns right",), "walk and turn right"),
    Movement("run", _run, ("runs", "runs forward"), "run"),
    Movement("turn-left", lambda r, v: _turn(r, v, 180), ("turns around to the left in place",), "turn left in place"),
    Movement(
        "turn-right", lambda r, v: _turn(r, v, -180), ("turns around to the right in place",), "turn right in place"
    ),
    *_sided("wave", _wave, "waves with the %s hand", "wave the %s hand"),
    *_sided("raise", _raise, "raises the %s hand", "raise the %s hand"),
    Movement("raise-both", lambda r, v: _raise(r, v, "left", "right"), ("raises both hands",), "raise both hands"),
    *_sided("kick", _kick, "kicks with the %s leg", "kick with the %s leg"),
    *_sided("punch", _punch, "punches with the %s hand", "punch with the %s hand"),
    Movement("bow", _bow, ("bows", "bends forward"), "bow"),
    Movement("squat", _squat, ("squats", "crouches down and stands up"), "squat"),
    Movement("jump", _jump, ("jumps", "jumps up"), "jump"),
    Movement("stand", _stand, ("stands still", "stands"), "stand still"),
)


@dataclass(frozen=True)
class SyntheticClip:
    """Clip ``index`` of a seed."""

    index: int
    seed: int

    @property
    def key(self) -> str:
        return f"synthetic_{self.seed}_{self.index:05d}"

    @property
    def path(self) -> Path | None:
        return None

    def read(self) -> Clip:
        """The clip, on the canonical skeleton at 30 fps."""
        turn, which = divmod(self.index, len(MOVEMENTS))
        movement, (style, speed, adverb) = MOVEMENTS[which], SPEEDS[turn % len(SPEEDS)]
        motion = move.to_motion(movement.make(np.random.default_rng([self.seed, self.index]), speed))
        texts = [f"a person {verb}{adverb}" for verb in movement.third] + [movement.base + adverb]
        captions = tuple(Caption(text, 0.0, motion.duration) for text in texts)
        split = {8: "val", 9: "test"}.get(turn % 10, "train")
        return Clip(self.key, DATASET, split, motion, captions, movement.name, style)


def synthetic_source(count: int = 600, seed: int = 0) -> Source:
    """The first ``count`` clips of ``seed``; 600 hold each movement at three speeds in every split."""
    return Source(f"synthetic:{count}", tuple(SyntheticClip(index, seed) for index in range(count)))
