"""Whether a motion that is given another style has it, and is still what it was, by the evaluator's classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motionclip.applications.edit import edit, restyle
from motionclip.applications.measures.clips import Clips, distance, evenly, known_sentences
from motionclip.applications.measures.judging import classify, percent
from motionclip.applications.text_to_motion import text_to_motion
from motionclip.data.store import Store
from motionclip.metrics.evaluator import Evaluator
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

_CLIPS = 70


@dataclass(frozen=True)
class Edited:
    """What the classifier sees after an edit, in percent.

    Attributes:
        way: ``none``, the clip decoded as it is; ``by sentence``, less the sentence of the clip, with that of the same
            content in the new style; ``by arithmetic``, the same by the paper's sum of latents; ``by name``, restyled
            by the name of the new style alone; ``drawn anew``, a motion of the new sentence, whatever the clip is.
        content: share that are still what they were.
        old_style: share that still have the style they had.
        new_style: share that have the style they were to get.
        both: share with the old content and the new style.
        moved_mm: mean distance of the joints to those of the clip, root at the origin: what is kept beyond the words
            makes it less than that of a motion drawn anew.
    """

    way: str
    content: float
    old_style: float
    new_style: float
    both: float
    moved_mm: float


@dataclass(frozen=True)
class _Task:
    """A clip and what it is to become."""

    clip: int
    content: str
    old: str
    new: str
    was: str
    becomes: str


def measure_editing(
    model: MotionCLIP, clips: Clips, evaluator: Evaluator, stores: Sequence[Store]
) -> tuple[Edited, ...]:
    """Edits of up to 70 clips, evenly chosen, each towards another style; none where the classifier knows no styles."""
    tasks = _tasks(clips, stores)
    if evaluator.classifier is None or evaluator.config.dataset != clips.dataset or not tasks:
        return ()
    motions = clips.motions([task.clip for task in tasks], model.config.fps)
    pairs = list(zip(motions, tasks, strict=True))
    ways = {
        "none": [model.decode(model.encode([motion]), motion.duration)[0] for motion in motions],
        "by sentence": [edit(model, motion, minus=task.was, plus=task.becomes) for motion, task in pairs],
        "by arithmetic": [
            edit(model, motion, minus=task.was, plus=task.becomes, arithmetic=True) for motion, task in pairs
        ],
        "by name": [restyle(model, motion, task.new) for motion, task in pairs],
        "drawn anew": [
            text_to_motion(model, task.becomes, seconds=motion.duration, seed=task.clip) for motion, task in pairs
        ],
    }
    return tuple(_judged(way, made, motions, tasks, evaluator) for way, made in ways.items())


def _tasks(clips: Clips, stores: Sequence[Store]) -> list[_Task]:
    """Clips with the style that each is to get: of all that its content is done in, another one from clip to clip."""
    said = {(content, style): text for text, content, style in known_sentences(stores, clips.dataset) if style}
    tasks = []
    for turn, clip in enumerate(evenly(len(clips), _CLIPS)):
        segment = clips.segments[clip]
        if not segment.category or not segment.style:
            continue
        styles = {str(style) for category, style in said if category == segment.category}
        if others := sorted(styles - {segment.style}):
            new = others[turn % len(others)]
            was, becomes = said[segment.category, segment.style], said[segment.category, new]
            tasks.append(_Task(clip, segment.category, segment.style, new, was, becomes))
    return tasks


def _judged(
    way: str, made: Sequence[Motion], clips: Sequence[Motion], tasks: Sequence[_Task], evaluator: Evaluator
) -> Edited:
    seen = classify(evaluator, made, evaluator.config.dataset)
    assert seen is not None
    pairs = list(zip(seen.contents, seen.styles, strict=True))
    return Edited(
        way,
        percent(seen.contents, [task.content for task in tasks]),
        percent(seen.styles, [task.old for task in tasks]),
        percent(seen.styles, [task.new for task in tasks]),
        percent(pairs, [(task.content, task.new) for task in tasks]),
        1000 * sum(_apart(one, other) for one, other in zip(made, clips, strict=True)) / len(clips),
    )


def _apart(one: Motion, other: Motion) -> float:
    """Mean distance of joints in metres over the frames that both have."""
    frames = min(one.num_frames, other.num_frames)
    return float(distance(one.frames(0, frames), other.frames(0, frames)))
