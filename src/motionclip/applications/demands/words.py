"""What words demand that can be measured: actions, their sides, directions, angles, counts, and staying on the spot.

Plain rules for plain English, since a text encoder finds "left" and "right", "walk" and "without walking", "twice" and
"three times" nearly alike. Words that no rule knows demand nothing, and the rest of the ranking decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from motionclip.applications.demands.measures import SIDES, Demand
from motionclip.sides import named_sides

# Patterns of whole words, or of how a word begins where its name ends in _VERB.
_GAIT_VERB = (
    r"walk|step|strid|stroll|wander|go(es|ing)?\b|mov|march|sneak|shuffl|tiptoe|pac(e|ing)|jog|run|sprint|stagger|limp|"
    r"stumbl|creep|crawl|skip|hop|jump|leap"
)
_SPIN_VERB = r"spin|twirl|whirl|pirouett"
_TURN_VERB = rf"turn|rotat|pivot|{_SPIN_VERB}"
_SIDE_VERB = r"side ?step|sideways|step|walk|mov|go(es|ing)?\b|shuffl|strid|march|hop|jump|leap"
_LIMB_VERB = r"mov|wav|rais|lift|swing|kick|shak|turn|point|reach|rub|bend|bow|clap|throw|look|nod"
_STAYS = r"without (walk|go|travel|stepp|leav)ing( (anywhere|away|around|forwards?|the (spot|place)))?"
_SPOT = rf"(on|in) (the|one|a) (spot|place)|in place|{_STAYS}"
_STILL = r"(stands?|standing|holds?|stays?|keeps?) still|motionless|without moving|(do|does)( not|n't) move|freezes?"
_LIMB = r"hands?|arms?|legs?|foot|feet|knees?|fists?|elbows?|head|hips?|wrists?"
_LOW_KNEE = r"(one|both|the|his|her|your|left|right) knees?"
_SEAT = r"chair|armchair|seat|seated|sofa|couch|stool|bench|sits?|sitting"
_FLOOR = r"floor|ground|lying|bed|(his|her|your|the|their) (back|stomach|belly)"
_UP = r"(stand|get|ris|climb|com)\w* (back )?(up|from|to (the|his|her|your|their) feet|off)|rises?|rising"
_FORWARD = r"forwards?|(straight )?ahead"
_BACK = r"backwards?|in reverse|back(s|ing)? away|backing up|steps? back"
_BOXES = r"boxing|boxers?|shadow ?box\w*|boxes (with|against|in)|jabs|hooks|combinations?|box (with|against|left|an)"
_BOWS = r"bows|bowing|bow (to|politely|deeply|down|before|in|for)|takes? a bow|(a|deep|polite|slight|small) bow(?! and)"
_STAIRS = r"stairs|staircase|ladder|upstairs|downstairs|(up|down) (some |the |a few )?steps"
_TO_HEAD = r"drinks?|drinking|sips?|eats?|eating|phones?|telephone|salutes?|saluting|yawns?|yawning|scratch\w* .*head"
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_NUMBER = "|".join(_NUMBERS)
_COUNTED = "times|jumps|leaps|hops|kicks|punches|claps|squats|bows"
#: Words that look like sides.
_NO_SIDE = re.compile(r"\b((is|has) left|right (away|now))\b")
#: What is said not to happen is no demand.
_NEGATED = re.compile(r"\b(without|not|never|don't|doesn't)( \w+){1,2}")


class _Words:
    """A text that rules ask for words.

    Attributes:
        text: in lower case, without punctuation and what is negated.
        spot: whether it is to happen on one spot.
        still: whether nothing is to move.
    """

    def __init__(self, text: str):
        whole = " ".join(re.findall(r"[a-z']+|\d+", text.lower()))
        self.spot = re.search(rf"\b({_SPOT})\b", whole) is not None
        self.still = re.search(rf"\b({_STILL})\b", whole) is not None
        self.text = _NEGATED.sub("", whole)

    def has(self, pattern: str) -> bool:
        """Whether whole words match."""
        return re.search(rf"\b(?:{pattern})\b", self.text) is not None

    def begins(self, pattern: str) -> bool:
        """Whether a word begins so: a verb in any form."""
        return re.search(rf"\b(?:{pattern})", self.text) is not None

    @property
    def side(self) -> str:
        """The one side that is named, or "both" if both are."""
        sides = named_sides(_NO_SIDE.sub("", self.text))
        return "both" if len(sides) == 2 else "".join(sides)

    @property
    def one_side(self) -> str:
        """The side, if a single one is named."""
        return self.side if self.side in SIDES else ""

    @property
    def hands(self) -> str:
        """The hands that are named: a side, or both for the plural."""
        return self.side or ("both" if self.has("both|arms|hands") else "")

    @property
    def count(self) -> int:
        """How often something is to be done; 0 if that is not said."""
        if said := re.search(rf"\b(\d\d?|{_NUMBER}) (?:{_COUNTED})\b", self.text):
            return _NUMBERS.get(said[1]) or int(said[1])
        return 2 if self.has("twice") else 3 if self.has("thrice") else 0

    @property
    def degrees(self) -> float:
        """The angle of a turn; 0 if it is not said."""
        if said := re.search(r"\b([1-9]\d{0,3}) degrees?\b", self.text):
            return float(said[1])
        if self.has("quarter turn|ninety degrees"):
            return 90.0
        if self.begins(_SPIN_VERB) or self.has("full (turn|circle)|all the way( around)?|once around"):
            return 360.0
        return 180.0 if self.has("around|half turn|about") else 0.0


@lru_cache(maxsize=1024)
def demands_of(text: str) -> tuple[Demand, ...]:
    """Returns what a text demands that can be measured; nothing if no rule knows its words.

    >>> [demand.what for demand in demands_of("a person turns to the left on the spot")]
    ['turn', 'spot']
    """
    words = _Words(text)
    rules = (_ways, _gaits, _postures, _bends, _jumps, _legs, _strokes, _reaches, _raises)
    return tuple(dict.fromkeys(demand for rule in rules for demand in rule(words)))


def without_negation(text: str) -> str:
    """Returns a text in which staying is named and not what is left out, which a text encoder takes for what is done.

    >>> without_negation("turn around without walking")
    'turn around on the spot'
    """
    return re.sub(rf"\b(?:{_STAYS})\b", "on the spot", text, flags=re.IGNORECASE)


def _ways(words: _Words) -> Iterator[Demand]:
    """Yields where the body goes and turns."""
    gait, limb = words.begins(_GAIT_VERB), words.has(_LIMB)
    if words.has("circles?|round and round") and not limb:
        yield Demand("circle", words.one_side)
    elif words.begins(_TURN_VERB) and not limb and not words.has("turn(s|ing)? (on|off)(?! the spot)"):
        yield Demand("turn", words.one_side, degrees=words.degrees)
        if words.spot or not gait:
            yield Demand("spot")
    elif gait and words.has("curve|arc"):
        yield Demand("turn", words.one_side)
    elif gait:
        aside = "" if limb or not words.begins(_SIDE_VERB) else words.side
        ways = ["forward"] * (words.has(_FORWARD) and not limb) + ["back"] * words.has(_BACK) + [aside] * bool(aside)
        if len(ways) == 1 and ways[0] != "both":  # there and back is nowhere
            yield Demand("travel", way=ways[0])


def _gaits(words: _Words) -> Iterator[Demand]:
    """Yields running, steps on the spot, slowness, stairs, and no movement at all."""
    if words.spot and words.begins("jog|run|sprint|march|step|walk") and not words.begins(_TURN_VERB):
        yield from (Demand("spot"), Demand("steps"))
    elif words.begins("jog|run|sprint"):
        yield Demand("run")
    if words.has("slow|slowly") and words.begins("walk|stroll"):
        yield Demand("slow")
    if words.begins(rf"{_GAIT_VERB}|climb|ascend|descend") and words.has(_STAIRS):
        yield Demand("climb", way="down" if words.begins("down|descend") else "up")
    if words.still and not words.begins(_LIMB_VERB):
        yield Demand("still")


def _postures(words: _Words) -> Iterator[Demand]:
    """Yields what brings the body down or up."""
    up, floor = words.has(_UP), words.has(_FLOOR)
    down = words.has("down|drops?|takes? a seat|have a seat")
    way = "" if up == down else "up" if up else "down"
    if words.begins("crawl") or words.has("all fours"):
        yield Demand("crawl")
    elif up and floor:
        yield Demand("low", way=way)
    elif words.has("lies?|lying|lays? down"):
        yield Demand("lie", way=way)
    elif words.begins("squat|crouch"):
        yield Demand("squat", way="up" if way == "up" else "")
    elif words.begins("kneel|knelt") or (words.has(_LOW_KNEE) and not words.begins("lift|rais|kick")):
        yield Demand("kneel", way=way)
    elif words.has(_SEAT) and not words.has("sit ups?"):
        yield Demand("sit", way=way)


def _bends(words: _Words) -> Iterator[Demand]:
    """Yields bows and bends of the trunk."""
    if words.has(_BOWS) or words.text == "bow":
        yield Demand("bow")
    elif words.begins("bend|lean|stoop") and words.has("forwards?|down|over"):
        yield Demand("bend")


def _jumps(words: _Words) -> Iterator[Demand]:
    """Yields jumps and hops."""
    if words.has("(jumping|star) jacks?|star jumps?"):
        yield Demand("swing", "both")
    elif words.begins("jump|leap"):
        yield Demand("jump", count=words.count)
    if words.has("hops?|hopping"):
        yield Demand("hop", words.one_side, count=words.count)


def _legs(words: _Words) -> Iterator[Demand]:
    """Yields kicks and feet that are kept up."""
    if words.begins("kick"):
        yield Demand("kick", words.one_side)
    elif words.begins("lift|rais") and words.has("leg|foot|knee"):
        yield Demand("lift", words.one_side)
    elif words.begins("stand|balanc") and words.has("(one|left|right|single) (leg|foot)"):
        yield Demand("lift", {"left": "right", "right": "left"}.get(words.side, ""))


def _strokes(words: _Words) -> Iterator[Demand]:
    """Yields what hands do quickly or again and again."""
    if words.has(_BOXES):
        yield Demand("punch", words.one_side or "both")
    elif words.begins("punch|jab|uppercut"):
        yield Demand("punch", words.one_side or ("both" if words.has("both|each") else ""))
    elif words.begins("throw|hurl|toss|fling|pitch"):
        yield Demand("throw", words.one_side)
    if words.begins("wav(e|es|ing)\\b"):
        yield Demand("wave", words.hands)
    elif words.begins("clap|applau"):
        yield Demand("clap", count=words.count)


def _reaches(words: _Words) -> Iterator[Demand]:
    """Yields hands that go down to the floor or up to the head."""
    lifts = words.begins("lift|tak(e|ing)|grab") and words.has("from the (floor|ground)")
    if lifts or (words.begins("pick") and words.has("up") and not words.begins("phone|telephone")):
        yield from (Demand("reach down"), Demand("up again"))
    elif words.begins("reach|touch") and words.has("down|toes|floor|ground|feet"):
        yield Demand("reach down", "both" if words.has("toes") else words.hands)
    if words.has(_TO_HEAD):
        yield Demand("to head", words.one_side)


def _raises(words: _Words) -> Iterator[Demand]:
    """Yields arms that are stretched up or out."""
    if words.has("arms|hands") and words.has("to (the|both|his|her|their|your) sides?|wide|apart|outstretched"):
        yield Demand("spread")
    elif words.has("hands?|arms?") and (
        words.begins("rais")
        or (words.begins("lift|put|hold|reach|stretch") and words.has("above|over|overhead|up|high|air|ceiling"))
    ):
        yield Demand("raise", words.hands)
