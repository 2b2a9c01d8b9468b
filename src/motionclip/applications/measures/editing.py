"""Whether a motion that is given another style has it, and is still what it was, by the evaluator's classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motionclip.applications.edit import edit
from motionclip.applications.measures.clips import Clips, evenly, known_sentences
from motionclip.applications.measures.judging import classify, percent
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
            content in the new style; ``by name``, less the bare name of the old style, with that of the new.
        content: share that are still what they were.
        old_style: share that still have the style they had.
        new_style: share that have the style they were to get.
        both: share with the old content and the new style.
    """

    way: str
    content: float
    old_style: float
    new_style: float
    both: float


@dataclass(frozen=True)
class _Task:
    """A clip and what it is to become."""

    clip: int
    content: str
    old: str
    new: str
    sentences: tuple[str, str]


def measure_editing(
    model: MotionCLIP, clips: Clips, evaluator: Evaluator, stores: Sequence[Store]
) -> tuple[Edited, ...]:
    """Edits of up to 70 clips, evenly chosen, each towards another style; none where the classifier knows no styles."""
    tasks = _tasks(clips, stores)
    if evaluator.classifier is None or evaluator.config.dataset != clips.dataset or not tasks:
        return ()
    motions = clips.motions([task.clip for task in tasks], model.config.fps)
    ways = {
        "none": [model.decode(model.encode([motion]), motion.duration)[0] for motion in motions],
        "by sentence": [
            edit(model, motion, minus=task.sentences[0], plus=task.sentences[1])
            for motion, task in zip(motions, tasks, strict=True)
        ],
        "by name": [
            edit(model, motion, minus=task.old, plus=task.new) for motion, task in zip(motions, tasks, strict=True)
        ],
    }
    return tuple(_judged(way, made, tasks, evaluator) for way, made in ways.items())


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
            sentences = said[segment.category, segment.style], said[segment.category, new]
            tasks.append(_Task(clip, segment.category, segment.style, new, sentences))
    return tasks


def _judged(way: str, motions: Sequence[Motion], tasks: Sequence[_Task], evaluator: Evaluator) -> Edited:
    seen = classify(evaluator, motions, evaluator.config.dataset)
    assert seen is not None
    pairs = list(zip(seen.contents, seen.styles, strict=True))
    return Edited(
        way,
        percent(seen.contents, [task.content for task in tasks]),
        percent(seen.styles, [task.old for task in tasks]),
        percent(seen.styles, [task.new for task in tasks]),
        percent(pairs, [(task.content, task.new) for task in tasks]),
    )
