"""Words beside a data set's own: what people say for actions, what an action is backwards, what can be measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from motionclip.data.references import load_references


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
    path = files("motionclip.data").joinpath("reversals.json")
    reversals: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return reversals
