"""Words from kinematics: sentences that say what a movement measurably does.

In the spirit of PoseScript (Delmas et al., ECCV 2022) and MotionScript (Yazdian et al., 2023): facts are measured from
joint positions (``data.kinematics``) and put into words (``data.kinematic_phrases``). Only what is certain is said.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
from torch import Tensor

from motionclip.data.kinematic_phrases import MANY_TIMES, PACES, PHRASES, TIMES, WAYS, conjugate
from motionclip.data.kinematics import Fact, measure
from motionclip.errors import DataError
from motionclip.motion.skeleton import CANONICAL

#: How telling a kind of fact is: the first of these that a movement has is its short description.
_TELLING = (
    ("kick", "throw", "jump", "hop", "skip", "crawl", "crawl on the stomach", "climb", "walk up or down", "turn/spin"),
    (
        "punch",
        "clap",
        "wave",
        "lie on the back",
        "lie on the stomach",
        "lie on the side",
        "all fours",
        "kneel",
        "march",
    ),
    ("kneel on one knee", "sit", "sit on the floor", "squat", "hands and feet", "walk/back", "walk/left", "walk/right"),
    ("walk/circle", "jog/circle", "run/circle", "jog", "run", "turn/full", "turn/around", "reach down", "balance"),
    ("raise/above the head", "turn", "walk/curve", "bend/forward", "lift foot", "circle", "raise/to the side"),
    ("walk", "raise", "hold", "bend", "curve"),
    ("stop", "start", "lower", "straighten", "join hands", "twist", "shift weight", "still"),
    ("stand",),
)
_RANK = {kind: rank for rank, kinds in enumerate(_TELLING) for kind in kinds}

_SUBJECTS = ("a person", "someone", "the person", "somebody", "a figure", "the figure")
_GAITS = ("walk", "jog", "run")
_CLIMBS = {"climb", "walk up or down"}
_COUNTED = {"raise", "kick", "punch", "jump", "hop", "lift foot"}


def describe(positions: np.ndarray | Tensor, fps: float, generator: Random, count: int = 3) -> tuple[str, ...]:
    """Returns different sentences that say what a movement of some seconds does, from a short one to a full one.

    The mirror image is described by the mirrored sentences (``motionclip.sides.mirror_words``) with an equal generator.

    Args:
        positions: (T, 24, 3) world joint positions of the canonical skeleton: metres, y up, y = 0 the floor; some
            seconds.
        fps: frames per second.
        generator: what the choice of words is drawn from.
        count: how many sentences, at most; fewer where little is certain, none where nothing is or under half a second.

    Raises:
        DataError: if the positions have another shape or are not finite.
    """
    points = np.asarray(positions, dtype=np.float64)
    if points.ndim != 3 or points.shape[1:] != (CANONICAL.num_joints, 3) or not np.isfinite(points).all():
        raise DataError(
            f"positions of shape {points.shape}; expected finite metres (T, {CANONICAL.num_joints}, 3) "
            "of the canonical skeleton"
        )
    if len(points) < max(fps / 2, 5):
        return ()
    return sentences(measure(points, fps), generator, count)


def sentences(facts: Sequence[Fact], generator: Random, count: int = 3) -> tuple[str, ...]:
    """Returns different sentences about the facts of a movement, a short one first, then fuller ones."""
    told = _most_telling(facts)
    if not told:
        return ()
    best = told[0]
    form = generator.choice(("order", "order", "ing"))
    texts = [conjugate(_phrase(best, generator, plain=True), form)]
    several = _in_order(told[: 2 if len(told) == 2 or generator.random() < 0.4 else 3])
    for attempt in range(3 * count):
        if len(texts) >= count:
            break
        chosen = several if len(several) > 1 and attempt % 2 == 0 else [best]
        text = _sentence(chosen, generator)
        if text not in texts:
            texts.append(text)
    return tuple(texts)


def headline(facts: Sequence[Fact]) -> str | None:
    """Returns the most telling fact as an order in the plainest words, such as "walk backwards"; None without facts."""
    told = _most_telling(facts)
    if not told:
        return None
    best = replace(told[0], pace="", count=0)
    return conjugate(_phrase(best, Random(0), plain=True), "order")


def _most_telling(facts: Sequence[Fact]) -> list[Fact]:
    """Returns the facts that a sentence may be about, the most telling first."""
    return sorted(_merged(_curved(facts)), key=lambda fact: (_rank(fact), fact.start, fact.stop))


def _rank(fact: Fact) -> int:
    key = f"{fact.what}/{fact.way}"
    return _RANK.get(key, _RANK.get(fact.what, len(_TELLING)))


def _curved(facts: Sequence[Fact]) -> list[Fact]:
    """Returns the facts with a walk or run and the curve that it takes as one."""
    curves = [fact for fact in facts if fact.what in ("curve", "circle")]
    gaits = [fact for fact in facts if fact.what in _GAITS and fact.way == "forward"]
    if len(curves) != 1 or len(gaits) != 1:
        return list(facts)
    curve, gait = curves[0], gaits[0]
    bent = replace(gait, way=curve.what, side=curve.side)
    return [bent if fact is gait else fact for fact in facts if fact is not curve]


def _merged(facts: Sequence[Fact]) -> list[Fact]:
    """Returns the facts without those that others imply; those that repeat are one, with their number."""
    kinds = {fact.what for fact in facts}
    merged: dict[tuple[str, str, str], Fact] = {}
    for fact in facts:
        crawls = fact.what.startswith("lie") and "crawl on the stomach" in kinds
        if crawls or (fact.what in _GAITS and kinds & _CLIMBS):
            continue
        key = (fact.what, fact.side, fact.way)
        if key not in merged:
            merged[key] = fact
        elif fact.what in _COUNTED or fact.way == "down and up":
            merged[key] = replace(merged[key], count=max(merged[key].count, 1) + max(fact.count, 1))
    return list(merged.values())


def _in_order(facts: Sequence[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.start, -fact.stop))


def _sentence(facts: Sequence[Fact], generator: Random) -> str:
    """Returns one sentence about facts in the order of time."""
    form = "order" if generator.random() < 0.2 else "third"
    text = conjugate(_phrase(facts[0], generator), form)
    linked = False
    for before, fact in itertools.pairwise(facts):
        phrase = _phrase(fact, generator)
        shared = min(before.stop, fact.stop) - max(before.start, fact.start)
        if shared > 0.5 * min(fact.stop - fact.start, before.stop - before.start):
            style = generator.choice(("while", "and")) if not linked else "and"
        else:
            style = generator.choice((", then", " and then", ", and then"))
        linked = linked or style == "while"
        joined = {"while": f" while {conjugate(phrase, 'ing')}", "and": f" and {conjugate(phrase, form)}"}
        text += joined.get(style, f"{style} {conjugate(phrase, form)}")
    return text if form == "order" else f"{generator.choice(_SUBJECTS)} {text}"


def _phrase(fact: Fact, generator: Random, plain: bool = False) -> str:
    """Returns a phrase for a fact, its verbs not yet conjugated; the plainest one with few words if ``plain``."""
    choices = _choices(fact)
    text = choices[0] if plain or generator.random() < 0.4 else generator.choice(choices)
    ways = WAYS.get(fact.way, ("",))
    text = text.replace("<way>", ways[0] if plain else generator.choice(ways))
    pace = PACES.get(fact.pace)
    if pace and not (plain and generator.random() < 0.6):
        text += " " + generator.choice(pace)
    if fact.what == "turn" and not plain and generator.random() < 0.3:
        text += generator.choice((" on the spot", " in place"))
    if fact.count > 1 and not (plain and generator.random() < 0.5):
        text += " " + TIMES.get(fact.count, MANY_TIMES)
    return re.sub(" +", " ", _sided(text, fact.side)).strip()


def _choices(fact: Fact) -> tuple[str, ...]:
    what = "turn" if fact.what == "turn walking" else fact.what
    way = "side" if what == "bend" and fact.side else "moving" if what == "stand" and fact.side else fact.way
    way = "both" if what == "twist" and fact.side == "both" else way
    return PHRASES.get(f"{what}/{way}") or PHRASES[what]


def _sided(text: str, side: str) -> str:
    both = side == "both"
    words = {
        "<hands>": "both hands" if both else f"the {side} hand",
        "<arms>": "both arms" if both else f"the {side} arm",
        "<flank>": "sides" if both else side,
        "<clock>": "counterclockwise" if side == "left" else "clockwise",
        "<other>": "right" if side == "left" else "left",
        "<side>": side,
    }
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text.replace("both hands on the hip", "both hands on the hips")
