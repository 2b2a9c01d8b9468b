"""Left and right in words."""

from __future__ import annotations

import re

_SIDE_WORD = re.compile(r"\b(?:(left|right)(wards?)?|(counter[ -]?|anti[ -]?)?clockwise)\b", re.IGNORECASE)


def named_sides(text: str) -> set[str]:
    """Returns the sides, ``left`` and ``right``, that a text names; turning counterclockwise is to the left.

    >>> named_sides("turns anticlockwise")
    {'left'}
    """
    return {side.lower() or ("left" if against else "right") for side, _, against in _SIDE_WORD.findall(text)}


def mirror_words(text: str) -> str:
    """Returns the sentence for the mirror image: left and right exchanged, and the senses of turning.

    >>> mirror_words("a person waves with the left hand, then turns clockwise")
    'a person waves with the right hand, then turns counterclockwise'
    """

    def other(match: re.Match[str]) -> str:
        side, suffix, against = match.groups()
        if side is None:
            return "clockwise" if against else "counterclockwise"
        return ("right" if side.lower() == "left" else "left") + (suffix or "")

    return _SIDE_WORD.sub(other, text)
