"""Names of motion files and animations as words: what is done, without codes, takes and actors."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,4}$")

#: Numbers of takes, also where a part of their own: "Take_001", "take2".
_TAKE = re.compile(r"(?<![a-z])take[_\s.-]?\d+", re.IGNORECASE)

#: Parts between separators that name no action: actors ("Male1", "subject5"), codes of recordings ("B10", "S2"),
#: variants ("A"), marks of loops, and makers.
_SILENT = re.compile(
    r"(?i:male|female|actor|subject|person|performer)\d+|[A-Z]\d{1,3}|[A-Z]|(?i:loop|edit|kaykit|mixamo)"
)
_SPELLED = {"1H": "one handed", "2H": "two handed", "Fwd": "forward", "Bwd": "backward"}

#: Where a word ends inside a part: "WalkTurnLeft", "TPose".
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: "Walk2Hop2Walk" is "walk to hop to walk"; "SwayT2" is a second take.
_TO, _AGAIN = re.compile(r"(?<=[a-z])2(?=[A-Z])"), re.compile(r"(?<=[a-z])T\d$")
_WORD = re.compile(r"[^\W\d_]+|\d+")

#: Words behind which a number is an angle in degrees; other numbers count takes.
_TURNS = frozenset({"left", "right", "around", "turn", "spin", "rotate", "pivot"})

#: What programs call an animation that nobody has named.
_UNNAMED = frozenset({"action", "anim", "animation", "armature", "armature action", "clip", "default", "scene", "take"})


def words_of_take(take: str | None, file: str) -> str:
    """Returns the name of an animation as words, or that of its file where nobody has named the animation."""
    words = words_of(take or "")
    return words if words and words not in _UNNAMED else words_of(file)


def words_of(name: str) -> str:
    """Returns the name of a file, or of an animation in one, as words; empty if it has none.

    >>> words_of("arms/Walk_forward02.bvh"), words_of("Male1_B10_WalkTurnLeft45.bvh"), words_of("walk1_subject1.bvh")
    ('walk forward', 'walk turn left 45', 'walk')
    """
    stem = _SUFFIX.sub("", PurePosixPath(name).name.rpartition("|")[2])  # "Armature|Walk" in a file of Blender's
    words: list[str] = []
    for part in re.split(r"[_\s.]+|-(?!pose)", _TAKE.sub("", stem), flags=re.IGNORECASE):
        if not _SILENT.fullmatch(part):
            words += _split(_SPELLED.get(part, part), words)
    return " ".join(words)


def _split(part: str, before: list[str]) -> list[str]:
    """The words of a part between separators, in lower case, without numbers that are no angles of a turn."""
    words: list[str] = []
    for word in _WORD.findall(_HUMPS.sub(" ", _TO.sub(" to ", _AGAIN.sub("", part)))):
        last = (before + words)[-1:]
        if not word.isdigit() or (len(word) > 1 and last and last[0] in _TURNS):
            words.append(word.lower())
    return words
