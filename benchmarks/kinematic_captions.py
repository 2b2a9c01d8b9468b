"""How often words from kinematics agree with labels that people gave to windows, and how often they contradict them.

    python benchmarks/kinematic_captions.py STORE [STORE ...]

Stores prepared with ``--window-captions``. Prints a Markdown table: of the windows with a label of a kind, in how many
a sentence of the captioner says so, and in how many one says what cannot be true as well. Also the time of a window.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
import torch

from motionclip.data.kinematic_captions import describe
from motionclip.data.store import FPS, Store

_BACK, _ON = r"backward", r"(walk|go|stride|step|run|jog)\w* (slowly )?(forward|straight)"
_LEFT, _RIGHT = (
    r"turn\w* (\w+ ){0,5}left|curve to the left|counterclockwise",
    r"turn\w* (\w+ ){0,5}right|curve to the right",
)


@dataclass(frozen=True)
class Kind:
    """A kind of label: what names it, what says it, and what contradicts it."""

    name: str
    labels: str
    says: str
    contradicts: str


_RUNS, _STILL = r"\b(run|runs|running|jog)", r"still|motionless|without moving"
_KINDS = (
    Kind(
        "walk forward",
        r"walk( forward| fast| briskly| slowly)?$",
        r"walk|foot|step|strid",
        f"{_BACK}|{_RUNS}|jump|crawl",
    ),
    Kind("walk backwards", r"walk backwards", _BACK, f"{_ON}|{_RUNS}|{_STILL}"),
    Kind("run or jog", r"run( forward)?$|sprint|run (turn|curving) .*", f"{_RUNS}|jog", f"{_BACK}|{_STILL}|walk|crawl"),
    Kind("run backwards", r"run backwards", f"({_RUNS}|jog).*{_BACK}", f"{_ON}|{_STILL}"),
    Kind("step to the left", r"side ?step left", r"(walk|step|move).*left", r"(walk|step|move)\w* .*right"),
    Kind("step to the right", r"side ?step right", r"(walk|step|move).*right", r"(walk|step|move)\w* .*left"),
    Kind("turn left", r"(walk|run) (turn|turning|curving) left|turn left", _LEFT, _RIGHT),
    Kind("turn right", r"(walk|run) (turn|turning|curving) right|turn right", _RIGHT, _LEFT),
    Kind("turn around", r"turn around", r"around|back to the|half turn", _STILL),
    Kind(
        "sit, sit down, stand up", r"sit( down)?$|sit (on|down on) .*|stand up$", r"\bsit|seat|stands? up|squat", _RUNS
    ),
    Kind(
        "squat", r"squat.*|stand up from (squat|crouch)", r"squat|crouch|bends? the knees", rf"{_STILL}|\bsit|{_RUNS}"
    ),
    Kind("jump", r"jump (forward|up|up and down)$", r"jump|leap", rf"{_STILL}|crawl|\bsit"),
    Kind("hop on the left leg", r"hop on left leg", r"(hop|jump).*left", r"(hop|jump).*right"),
    Kind("skip", r"skip( forward)?", r"skip", rf"{_STILL}|walk|{_RUNS}"),
    Kind("kick", r"(\w+ )?kick( .*)?$", r"kick|swings? the \w+ leg", _STILL),
    Kind("punch", r"(karate |boxing )?punch.*", r"punch|fist", _STILL),
    Kind("wave", r"wave .*", r"wave|waving|raise|lift", _STILL),
    Kind("crawl", r"crawl.*|army crawl", r"crawl|creep|all fours|hands and knees|stomach", f"walk|{_RUNS}|{_STILL}"),
    Kind("lie on the stomach", r"lie on (belly|stomach)", r"stomach|face down", r"back|face up|side"),
    Kind("climb or walk up", r"climb (ladder|stairs|up)", r"climb|\bup\b", r"climb\w* down|walk\w* down|go\w* down"),
    Kind("climb or walk down", r"climb down.*|descend stairs", r"down", r"climb\w* up|walk\w* up|go\w* up"),
    Kind("stand still", r"stand still", r"stand|stay", f"walk|{_RUNS}|jump|crawl"),
    Kind(
        "balance on the left leg",
        r"balance on left leg",
        r"left leg|one leg|right (foot|knee|leg)",
        r"on the right leg",
    ),
)


def windows(store: Store) -> Iterator[tuple[str, np.ndarray]]:
    """Yields label and positions (T, 24, 3) of each labelled window."""
    for index, entry in enumerate(store.entries):
        spans = {(c.start, c.end): c.categories[0] for c in entry.captions if c.categories}
        if spans:
            positions = store.motion(index).positions.double().numpy()
            yield from ((label, positions[start:end]) for (start, end), label in spans.items() if end - start >= FPS)


def main() -> None:
    torch.set_num_threads(1)
    counts: Counter[tuple[str, str]] = Counter()
    number, silent, seconds = 0, 0, 0.0
    for folder in sys.argv[1:]:
        for label, positions in windows(Store.open(folder)):
            before = time.process_time()
            texts = describe(positions, FPS, Random(number), 4)
            seconds += time.process_time() - before
            number, silent = number + 1, silent + (not texts)
            for kind in _KINDS:
                if re.fullmatch(kind.labels, label):
                    counts[kind.name, "all"] += 1
                    counts[kind.name, "says"] += any(re.search(kind.says, text) for text in texts)
                    counts[kind.name, "against"] += any(re.search(kind.contradicts, text) for text in texts)
    print(f"{number} windows, {silent} without words, {1000 * seconds / max(number, 1):.1f} ms each\n")
    print("| label | windows | said | contradicted |\n|---|---|---|---|")
    for kind in _KINDS:
        every = counts[kind.name, "all"]
        if every:
            says, against = counts[kind.name, "says"], counts[kind.name, "against"]
            print(f"| {kind.name} | {every} | {says / every:.0%} | {against / every:.0%} |")


if __name__ == "__main__":
    main()
