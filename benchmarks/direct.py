"""How well constraints are met, what they cost, how long motions join, and how loops close.

    python benchmarks/direct.py [--count 100]

`--count` random constraints of each kind on walks, runs and gestures: paths (arcs and S of 0.8 to 1.2 times the length
that the motion goes by itself), poses (of another take of the same words, at another time) and pins of hands and feet
(12 cm away, as a standard deviation in each axis, from where they are by themselves). Beside each constrained motion
stands one of the same words and seed without constraints. The evaluator, which shares nothing with the model, says how
often the motion's own sentence is the nearest of 70. Writes benchmarks/results/direct.json, and prints the table of
docs/results.md, which direct.md beside it has, too; the time of a constraint is processor time, which one thread takes.
100 of each are to take less than six minutes of one core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import motionclip
from motionclip.applications.direct import Constraint
from motionclip.applications.evaluate.clips import embed_motions
from motionclip.data import canonical_sentences
from motionclip.metrics.evaluator import Evaluator, load_evaluator
from motionclip.metrics.physics import physics
from motionclip.metrics.plausibility import plausibility
from motionclip.metrics.retrieval import cosines
from motionclip.motion import CANONICAL, Motion
from motionclip.motion.contacts import foot_contacts, runs

RESULT = Path(__file__).parent / "results" / "direct.json"
KINDS = ("path", "pose", "pin")
SECONDS = 4.0
#: Seconds of a stride, at least.
LEAST_STRIDE = 0.4
#: Long walks: seconds of each, and how many; and how many loops.
LONG_SECONDS, LONG_WALKS, LOOPS = 45.0, 3, 8


def a_path(rng: random.Random, free: Motion) -> Constraint:
    """An arc or an S of about the length that a motion goes by itself."""
    length = max(torch.diff(free.root[:, [0, 2]], dim=0).norm(dim=-1).sum().item(), 0.5) * rng.uniform(0.8, 1.2)
    if rng.random() < 0.5:
        bend = rng.choice((-1, 1)) * rng.uniform(0.2, 1.5)
        points = [(length / bend * (1 - math.cos(bend * t)), length / bend * math.sin(bend * t)) for t in _shares(6)]
    else:
        wide = rng.uniform(-0.12, 0.12) * length
        points = [(wide * math.sin(2 * math.pi * t), length * t) for t in _shares(8)]
    return motionclip.RootPath(points)


def _shares(count: int) -> list[float]:
    return [step / count for step in range(count + 1)]


def a_pin(rng: random.Random, free: Motion) -> Constraint:
    """A hand or a foot near where it is by itself."""
    joint, frame = rng.choice(("left_hand", "right_hand", "left_foot", "right_foot")), rng.randrange(15, 105)
    x, y, z = (value + rng.gauss(0, 0.12) for value in free.positions[frame, CANONICAL.index(joint)].tolist())
    return motionclip.Pin(joint, (x, min(max(y, 0.0), 2.2), z), frame / free.fps)


def measure(model: motionclip.MotionCLIP, evaluator: Evaluator, kind: str, count: int) -> dict[str, Any]:
    """Returns the figures of a kind of constraints."""
    sentences = [text for _, _, text in canonical_sentences(2)]
    words, rng = evaluator.embed_text(sentences), random.Random(0)
    free, made, errors, took, own = [], [], [], [], []
    for number in range(count):
        own.append(rng.randrange(len(sentences)))
        text = sentences[own[-1]]
        free.append(motionclip.text_to_motion(model, text, seconds=SECONDS, seed=number, takes=1))
        if kind == "path":
            constraint = a_path(rng, free[-1])
        elif kind == "pin":
            constraint = a_pin(rng, free[-1])
        else:
            other = motionclip.text_to_motion(model, text, seconds=SECONDS, seed=10_000 + number, takes=1)
            when, of = rng.randrange(15, 105), rng.randrange(15, 105)
            constraint = motionclip.PoseAt(when / 30, other.frames(of, of + 1))
        start = time.process_time()
        directed = motionclip.direct(model, text, [constraint], seconds=SECONDS, seed=number)
        took.append(time.process_time() - start)
        made.append(directed.motion)
        errors.append((100 * constraint.error(free[-1]), 100 * directed.errors[0]))

    def right(motions: Sequence[Motion]) -> float:
        nearest = cosines(embed_motions(evaluator, motions), words).argmax(dim=1)
        return 100 * (nearest == torch.tensor(own)).float().mean().item()

    before, after = physics(free), physics(made)
    beside, met = torch.tensor(errors).unbind(dim=1)
    return {
        "count": count,
        "error_cm": met.mean().item(),
        "error_median_cm": met.median().item(),
        "error_95th_cm": met.quantile(0.95).item(),
        "error_without_cm": beside.mean().item(),
        "skate_cm_s": (before.skate_cm_s, after.skate_cm_s),
        "jitter_m_s3": (before.jitter_m_s3, after.jitter_m_s3),
        "own_sentence_nearest_percent": (right(free), right(made)),
        "implausible_percent": tuple(
            100 * sum(bool(plausibility(each).faults) for each in motions) / count for motions in (free, made)
        ),
        "processor_seconds": sum(took) / count,
    }


def strides(motion: Motion) -> torch.Tensor:
    """Returns the seconds from one touchdown of a foot to its next."""
    down = foot_contacts(motion.positions, motion.fps)[:, [0, 2]]
    found = []
    for side in (0, 1):
        kept: list[float] = []
        for start, _ in runs(down[:, side]):
            # a foot that comes down is lifted and set down again by a frame of noise
            if start > 0 and (not kept or start / motion.fps - kept[-1] >= LEAST_STRIDE):
                kept.append(start / motion.fps)
        found += [later - sooner for sooner, later in itertools.pairwise(kept)]
    return torch.tensor(found)


def long_walks(model: motionclip.MotionCLIP) -> dict[str, Any]:
    """Returns how walks of 45 s join, and how regular their steps are beside those of 4 s."""
    walks, took = [], []
    for seed in range(LONG_WALKS):
        start = time.process_time()
        walks.append(motionclip.long_motion(model, "a person walks", seconds=LONG_SECONDS, seed=100 * seed))
        took.append(time.process_time() - start)
    short = [motionclip.text_to_motion(model, "a person walks", seconds=SECONDS, seed=seed) for seed in range(16)]
    changes = {
        name: torch.cat(
            [torch.diff(torch.diff(m.positions, dim=0).norm(dim=-1), dim=0).abs().amax(dim=1) for m in motions]
        )
        for name, motions in (("long", walks), ("short", short))
    }
    limit = changes["short"].quantile(0.99)
    steps = {name: torch.cat([strides(m) for m in group]) for name, group in (("long", walks), ("short", short))}
    return {
        "seconds": LONG_SECONDS,
        "count": LONG_WALKS,
        "speed_changes_beyond_99th_of_short_percent": 100 * (changes["long"] > limit).float().mean().item(),
        "stride_s": {name: each.mean().item() for name, each in steps.items()},
        "stride_deviation_s": {name: each.std().item() for name, each in steps.items()},
        "processor_seconds": sum(took) / len(took),
    }


def long_path(model: motionclip.MotionCLIP) -> dict[str, Any]:
    """Returns how a walk of 45 s follows a winding path and reaches a place near its end."""
    path = motionclip.RootPath([(2.0 * math.sin(step / 3), 1.5 * step) for step in range(25)])
    pin = motionclip.Pin("right_hand", (*path.points[22][:1], 1.3, path.points[22][1]), LONG_SECONDS * 22 / 24)
    start = time.process_time()
    made = motionclip.direct(model, "a person walks", [path, pin], seconds=LONG_SECONDS)
    return {
        "metres": path.length,
        "path_error_cm": 100 * made.errors[0],
        "pin_error_cm": 100 * made.errors[1],
        "skate_cm_s": physics([made.motion]).skate_cm_s,
        "processor_seconds": time.process_time() - start,
    }


def loops(model: motionclip.MotionCLIP) -> dict[str, Any]:
    """Returns how loops of walks and runs close: joints in cm, where the last frames lead, beside one frame's step."""
    made = [
        motionclip.make_loop(motionclip.text_to_motion(model, text, seconds=5, seed=seed))
        for text in ("a person walks", "a person runs")
        for seed in range(LOOPS // 2)
    ]
    gaps = torch.tensor([loop.gap_cm for loop in made])
    steps = [100 * torch.diff(loop.motion.positions, dim=0).norm(dim=-1).mean() for loop in made]
    return {
        "count": len(made),
        "gap_cm": gaps.mean().item(),
        "gap_most_cm": gaps.max().item(),
        "step_of_a_frame_cm": torch.stack(steps).mean().item(),
        "seconds": sum(loop.motion.duration for loop in made) / len(made),
    }


def table(figures: dict[str, Any]) -> str:
    """Returns the figures of constraints as the table of docs/results.md."""

    def pair(values: Sequence[float], digits: int = 0) -> str:
        return " / ".join(f"{value:.{digits}f}" for value in values)

    names = ("constraint", "error (median; 95th; without), cm", "skate, cm/s", "words, %", "implausible, %", "s")
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for kind in (kind for kind in KINDS if kind in figures):
        own = figures[kind]
        errors = [own[f"error_{name}cm"] for name in ("", "median_", "95th_", "without_")]
        cells = [
            kind,
            f"{errors[0]:.1f} ({'; '.join(f'{error:.1f}' for error in errors[1:])})",
            pair(own["skate_cm_s"], 1),
            *(pair(own[name]) for name in ("own_sentence_nearest_percent", "implausible_percent")),
            f"{own['processor_seconds']:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--model", default="base")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--no-long", action="store_true", help="constraints alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, evaluator = motionclip.load(options.model), load_evaluator()
    figures: dict[str, Any] = {}
    for kind in options.kinds:
        figures[kind] = measure(model, evaluator, kind, options.count)
        print(kind, json.dumps(figures[kind]), flush=True)
    if not options.no_long:
        figures |= {"long": long_walks(model), "long_path": long_path(model), "loops": loops(model)}
        print(json.dumps({name: figures[name] for name in ("long", "long_path", "loops")}, indent=1))
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")
    RESULT.with_suffix(".md").write_text(table(figures))
    print(table(figures))


if __name__ == "__main__":
    main()
