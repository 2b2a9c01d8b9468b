"""Words beside a data set's own: what people say for actions, what an action is backwards, what can be measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from motionclip.data.references import load_references
from motionclip.data.text_files import read_text, shipped


@dataclass(frozen=True)
class Words:
    """What words windows get beside their data set's own, and how often each action is drawn.

    Attributes:
        phrases: what people say for actions, by a name of the action: a label, or a sentence of a data set.
        reversals: actions that are another one when they are played backwards.
        measured: share of the draws that are described by their kinematics.
        balance: power of the frames of an action by which it is drawn less often: 0 draws by length, 1 draws all
            actions equally often.
    """

    phrases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reversals: Mapping[str, str] = field(default_factory=dict)
    measured: float = 0.0
    balance: float = 0.0


def shipped_phrases() -> dict[str, tuple[str, ...]]:
    """Returns the phrases of the shipped references, those that are held out left out, by each name of their action."""
    return {
        name: reference.does + reference.said
        for reference in load_references()
        for name in (reference.action, *reference.also)
    }


def shipped_reversals() -> dict[str, str]:
    """Returns the actions that are another one when they are played backwards, such as sitting down."""
    reversals: dict[str, str] = json.loads(read_text(shipped("reversals.json")))
    return reversals


def unrelated_texts() -> list[str]:
    """Returns texts that are about no movement, and noise, in many languages."""
    return read_text(shipped("unrelated.txt")).splitlines()
