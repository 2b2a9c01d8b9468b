"""Phrases for the facts of a movement (``data.kinematics``), with marks for what differs.

``*walk`` is a verb that is put into the form of the sentence. ``<side>`` is left or right, ``<other>`` the other
one; ``<hands>`` "the left hand" or "both hands", ``<arms>`` the same of arms, ``<clock>`` the sense of a turn as seen
from above. The first phrase of a row is the plainest one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

#: Directions of travel; "" where it is not certain.
WAYS = {
    "": ("",),
    "forward": ("forward", "forwards", "straight ahead"),
    "back": ("backwards", "backward"),
    "left": ("sideways to the left", "to the left"),
    "right": ("sideways to the right", "to the right"),
    "forward left": ("diagonally forward to the left",),
    "forward right": ("diagonally forward to the right",),
    "back left": ("diagonally backwards to the left",),
    "back right": ("diagonally backwards to the right",),
}

PACES = {"slowly": ("slowly", "at a slow pace"), "quickly": ("quickly", "fast", "at a quick pace")}

TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times"}
MANY_TIMES = "again and again"

#: Phrases by kind of fact, or by kind and way: ``kind/way``. ``<way>`` is filled from WAYS.
PHRASES: dict[str, tuple[str, ...]] = {
    # over the ground
    "walk": ("*walk <way>", "*go <way> on foot", "*take steps <way>"),
    "walk/forward": ("*walk <way>", "*walk", "*go <way> on foot", "*stride <way>"),
    "walk/": ("*walk", "*take some steps", "*walk around"),
    "walk/back": ("*walk <way>", "*step <way>", "*go <way>"),
    "walk/left": ("*walk <way>", "*step <way>", "*sidestep to the left", "*move <way>"),
    "walk/right": ("*walk <way>", "*step <way>", "*sidestep to the right", "*move <way>"),
    "walk/curve": ("*walk in a curve to the <side>", "*walk along a curve to the <side>", "*walk and *turn <side>"),
    "walk/circle": (
        "*walk in a circle to the <side>",
        "*walk in a circle, <clock>",
        "*walk around in a <clock> circle",
    ),
    "jog": ("*jog <way>", "*run <way> at an easy pace"),
    "jog/on the spot": ("*jog on the spot", "*run in place", "*jog in place"),
    "jog/curve": ("*jog in a curve to the <side>", "*jog and *turn <side>", "*run in a curve to the <side>"),
    "jog/circle": ("*jog in a circle to the <side>", "*jog in a circle, <clock>", "*run in a <clock> circle"),
    "run": ("*run <way>", "*run fast <way>"),
    "run/curve": ("*run in a curve to the <side>", "*run and *turn <side>"),
    "run/circle": ("*run in a circle to the <side>", "*run in a circle, <clock>"),
    "start": ("*stand", "*stand for a moment", "*wait"),
    "stop": ("*stop", "*come to a stop", "*stop and *stand"),
    "march": ("*walk on the spot", "*step in place", "*march in place", "*step on the spot"),
    "turn": ("*turn <side>", "*turn to the <side>"),
    "turn/quarter": (
        "*turn <side>",
        "*turn to the <side>",
        "*make a quarter turn to the <side>",
        "*turn ninety degrees <side>",
    ),
    "turn/around": (
        "*turn around to the <side>",
        "*turn around",
        "*make a half turn to the <side>",
        "*turn back to the <side>",
    ),
    "turn/full": (
        "*make a full turn to the <side>",
        "*turn all the way around to the <side>",
        "*turn once around <clock>",
    ),
    "turn/spin": ("*spin around to the <side>", "*spin <clock>", "*turn around and around to the <side>"),
    "curve": ("*go in a curve to the <side>", "*move along a curve to the <side>"),
    "circle": ("*go in a circle to the <side>", "*move in a <clock> circle"),
    "jump": ("*jump <way>", "*leap <way> off both feet"),
    "jump/": ("*jump", "*leap off both feet"),
    "jump/up": ("*jump up", "*jump", "*jump into the air", "*jump on the spot"),
    "hop": ("*hop <way> on the <side> leg", "*hop <way> on the <side> foot", "*jump <way> on the <side> leg"),
    "hop/up": ("*hop on the <side> leg", "*hop on the spot on the <side> foot"),
    "skip": ("*skip <way>",),
    "stand": ("*stand", "*stand on the spot", "*stay on the spot"),
    "stand/moving": ("*stand and *move <arms>", "*move <arms> while standing", "*gesture with <hands>"),
    "still": ("*stand still", "*stand without moving", "*stay still", "*stand motionless"),
    # low postures
    "sit/held": ("*sit", "*stay seated", "*remain sitting"),
    "sit/down": ("*sit down", "*take a seat", "*lower the body and *sit"),
    "sit/up": ("*stand up", "*stand up from sitting", "*rise from a seat"),
    "sit/down and up": ("*sit down and *stand up again", "*sit down, then *stand up"),
    "sit on the floor/held": ("*sit on the floor", "*sit on the ground"),
    "sit on the floor/down": ("*sit down on the floor", "*get down and *sit on the floor"),
    "sit on the floor/up": ("*get up from the floor", "*stand up from sitting on the floor"),
    "sit on the floor/down and up": ("*sit down on the floor and *get up again",),
    "squat/held": ("*crouch", "*squat", "*stay in a squat", "*stay crouched"),
    "squat/down": ("*squat down", "*crouch down", "*go down into a squat", "*bend the knees deeply"),
    "squat/up": ("*rise from a squat", "*stand up from a crouch", "*stand up from a squat"),
    "squat/down and up": ("*squat", "*squat down and *stand up again", "*do a squat", "*crouch down and *rise again"),
    "kneel/held": ("*kneel", "*stay on both knees", "*kneel on both knees"),
    "kneel/down": ("*kneel down", "*go down on both knees", "*get down on the knees"),
    "kneel/up": ("*get up from the knees", "*stand up from kneeling"),
    "kneel/down and up": ("*kneel down and *get up again", "*go down on both knees and *stand up again"),
    "kneel on one knee/held": ("*kneel on the <side> knee", "*kneel on one knee", "*stay on the <side> knee"),
    "kneel on one knee/down": ("*kneel down on the <side> knee", "*kneel down", "*go down on one knee"),
    "kneel on one knee/up": ("*get up from the <side> knee", "*stand up from one knee"),
    "kneel on one knee/down and up": (
        "*kneel down on the <side> knee and *get up again",
        "*kneel on one knee, then *stand up",
    ),
    "all fours/held": ("*stay on all fours", "*stay on hands and knees"),
    "all fours/down": ("*get down on all fours", "*go down on hands and knees"),
    "all fours/up": ("*get up from all fours", "*rise from hands and knees"),
    "all fours/down and up": ("*get down on hands and knees and *rise again",),
    "hands and feet/held": ("*stay on hands and feet", "*support the body on hands and feet"),
    "hands and feet/down": ("*get down on hands and feet", "*put both hands on the floor"),
    "hands and feet/up": ("*get up from hands and feet", "*take both hands off the floor and *rise"),
    "hands and feet/down and up": ("*put both hands on the floor and *rise again", "*touch the floor with both hands"),
    "lie on the back/held": ("*lie on the back", "*lie face up", "*lie on the floor, face up"),
    "lie on the back/down": ("*lie down on the back", "*lie down", "*get down and *lie on the back"),
    "lie on the back/up": ("*get up from the back", "*get up from lying on the back", "*get up from the floor"),
    "lie on the back/down and up": ("*lie down on the back and *get up again",),
    "lie on the stomach/held": ("*lie on the stomach", "*lie face down", "*lie on the floor, face down"),
    "lie on the stomach/down": ("*lie down on the stomach", "*lie down", "*get down and *lie on the stomach"),
    "lie on the stomach/up": ("*get up from the stomach", "*get up from lying face down", "*get up from the floor"),
    "lie on the stomach/down and up": ("*lie down on the stomach and *get up again",),
    "lie on the side/held": ("*lie on the <side> side", "*lie on one side"),
    "lie on the side/down": ("*lie down on the <side> side", "*lie down"),
    "lie on the side/up": ("*get up from lying on the <side> side", "*get up from the floor"),
    "lie on the side/down and up": ("*lie down on the <side> side and *get up again",),
    "crawl": ("*crawl <way>", "*crawl <way> on hands and knees", "*crawl <way> on all fours"),
    "crawl on the stomach": ("*crawl on the stomach", "*creep along the floor", "*crawl flat on the floor"),
    "climb/up": ("*climb up", "*climb upwards"),
    "climb/down": ("*climb down", "*climb downwards"),
    "walk up or down/up": ("*walk up stairs", "*walk up", "*go up step by step"),
    "walk up or down/down": ("*walk down stairs", "*walk down", "*go down step by step"),
    # trunk
    "bend/forward": ("*bend forward", "*lean forward", "*bend the upper body forward"),
    "bend/forward again": ("*bend forward and *straighten up", "*bow", "*bend down and *come up again"),
    "bend": ("*lean back", "*arch the back"),
    "bend/back": ("*lean back", "*bend backwards", "*arch the back"),
    "bend/side": ("*lean to the <side>", "*bend to the <side>", "*bend the upper body to the <side>"),
    "bend/forward held": ("*stay bent forward", "*stand bent forward"),
    "straighten": ("*straighten up", "*straighten the back"),
    "shift weight": ("*shift the weight to the <side>", "*sway to the <side>", "*shift onto the <side> leg"),
    "twist": ("*twist the upper body to the <side>", "*turn the shoulders to the <side>"),
    "twist/both": ("*twist the upper body from side to side", "*turn the shoulders to and fro"),
    # hands
    "raise/above the head": (
        "*raise <hands>",
        "*raise <hands> above the head",
        "*lift <arms> up high",
        "*put <hands> up",
    ),
    "hold/above the head": ("*hold <hands> above the head", "*keep <arms> up", "*hold <arms> up high"),
    "raise/to the side": (
        "*stretch <arms> out to the <flank>",
        "*raise <arms> to the <flank>",
        "*hold <arms> out to the <flank>",
    ),
    "hold/to the side": ("*hold <arms> out to the <flank>", "*keep <arms> stretched to the <flank>"),
    "raise/to the front": ("*stretch <arms> forward", "*raise <arms> to the front", "*hold <arms> out in front"),
    "hold/to the front": ("*hold <arms> out in front", "*keep <arms> stretched forward"),
    "raise/to the head": ("*bring <hands> to the head", "*lift <hands> to the head", "*put <hands> to the head"),
    "hold/to the head": ("*hold <hands> to the head", "*keep <hands> at the head"),
    "raise/on the hip": ("*put <hands> on the hip", "*place <hands> on the hip"),
    "hold/on the hip": ("*hold <hands> on the hip", "*keep <hands> on the hip"),
    "lower": ("*lower <hands>", "*lower <arms>", "*take <hands> down"),
    "clap": ("*clap", "*clap the hands", "*clap the hands together"),
    "join hands": ("*bring the hands together", "*hold the hands together"),
    "wave": ("*wave <hands>", "*wave with <hands>", "*wave <arms>"),
    "punch": (
        "*punch with <hands>",
        "*punch forward with <hands>",
        "*thrust the <side> fist forward",
        "*throw a <side> punch",
    ),
    "throw": ("*make an overhead throw with <hands>", "*throw with <hands>", "*swing <arms> over the shoulder"),
    "reach down": ("*reach down with <hands>", "*reach down to the floor", "*reach to the floor with <hands>"),
    # legs
    "kick": ("*kick with the <side> leg", "*kick with the <side> foot"),
    "kick/forward": ("*kick with the <side> leg", "*kick forward with the <side> foot", "*kick the <side> leg forward"),
    "kick/back": ("*swing the <side> leg up behind", "*swing the <side> leg back and up"),
    "kick/side": ("*kick to the side with the <side> leg", "*kick the <side> leg out to the side"),
    "balance": ("*stand on the <other> leg", "*balance on the <other> leg", "*stand on one leg, the <side> foot up"),
    "lift foot": ("*lift the <side> foot", "*raise the <side> leg", "*stand on the <other> leg"),
    "lift foot/knee": ("*raise the <side> knee", "*lift the <side> knee high", "*lift the <side> leg"),
}

_DOUBLED = {"run", "jog", "hop", "skip", "step", "clap", "sit", "get", "put", "squat", "stop", "spin"}


def conjugate(phrase: str, form: str) -> str:
    """Returns a phrase with its verbs as an order ("walk"), in the third person ("walks") or as "walking".

    Args:
        phrase: with a star before each verb.
        form: ``order``, ``third`` or ``ing``.
    """
    forms: dict[str, Callable[[str], str]] = {"order": str, "third": _third, "ing": _ing}
    return re.sub(r"\*(\w+)", lambda match: forms[form](match[1]), phrase)


def _third(verb: str) -> str:
    return verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "go", "do")) else "s")


def _ing(verb: str) -> str:
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"
