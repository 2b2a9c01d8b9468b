"""Whether the way from one motion to another is even, goes there, and keeps the feet on the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from motionclip.applications.edit import edit, restyle
from motionclip.applications.evaluate.clips import (
    Clips,
    classify,
    distance,
    embed_motions,
    evenly,
    known_sentences,
    percent,
)
from motionclip.applications.interpolate import interpolate
from motionclip.applications.text_to_motion import DEFAULT_SECONDS, text_to_motion
from motionclip.data.store import Store
from motionclip.metrics.distribution import diversity, frechet_distance, halves_distance, multimodality
from motionclip.metrics.evaluator import Evaluator
from motionclip.metrics.physics import Physics, physics, skate
from motionclip.metrics.retrieval import pooled_retrieval, pools
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

# Motions drawn for sentences, beside the recordings of those sentences and what the auto-encoder makes of them.


_MOST_CLIPS = 1000
_SENTENCES, _SEEDS = 30, 10


@dataclass(frozen=True)
class Judged:
    """What the evaluator says of a set of motions, one for each sentence of the clips.

    Attributes:
        r_precision: share, in percent, of motions whose own sentence is among the first 1, 2, 3 of 32; None with fewer
            sentences than that.
        fid: Frechet distance of their embeddings to those of the recordings.
        fid_halves: the same of a half of them to the other half of the recordings: that of the recordings themselves
            is what so few clips cannot go below.
        diversity: mean distance of two embeddings.
        content: share, in percent, whose content the classifier sees; None where it does not know the data set.
        style: the same of styles.
    """

    r_precision: tuple[float, float, float] | None
    fid: float
    fid_halves: float
    diversity: float
    content: float | None
    style: float | None


@dataclass(frozen=True)
class MotionSet:
    """Figures of as many motions as there are clips.

    Attributes:
        kind: ``recorded``, ``reconstructed`` or ``generated``.
        physics: of feet and joints.
        judged: by the evaluator; None without one.
    """

    kind: str
    physics: Physics
    judged: Judged | None


@dataclass(frozen=True)
class Generation:
    """Text to motion.

    Attributes:
        clips: how many motions are in each set.
        sets: recorded, reconstructed, generated.
        multimodality: mean distance of embeddings of motions drawn for one sentence; None without an evaluator.
    """

    clips: int
    sets: tuple[MotionSet, ...]
    multimodality: float | None


def measure_generation(model: MotionCLIP, clips: Clips, latents: Tensor, evaluator: Evaluator | None) -> Generation:
    """Figures of up to 1,000 clips, evenly chosen, each generated anew from its sentence at its length.

    Args:
        model: draws and decodes.
        clips: N clips.
        latents: (N, D) of the clips.
        evaluator: judges; without it there are figures of feet and joints only.
    """
    chosen = evenly(len(clips), _MOST_CLIPS)
    seconds = [clips.num_frames(clip) / model.config.fps for clip in chosen]
    recorded = clips.motions(chosen, model.config.fps)
    made = {
        "recorded": recorded,
        "reconstructed": [
            model.decode(latents[clip][None], time)[0] for clip, time in zip(chosen, seconds, strict=True)
        ],
        # a seed for each: with one for all, clips that share sentence and length would be one motion
        "generated": [
            text_to_motion(model, clips.texts[clip], seconds=time, seed=clip)
            for clip, time in zip(chosen, seconds, strict=True)
        ],
    }
    if evaluator is None:
        return Generation(len(chosen), tuple(MotionSet(kind, physics(each), None) for kind, each in made.items()), None)
    judge = Judge(evaluator, clips, chosen, recorded)
    sets = tuple(MotionSet(kind, physics(each), judge(each)) for kind, each in made.items())
    return Generation(len(chosen), sets, _multimodality(model, clips, evaluator))


class Judge:
    """Judges motions of chosen clips by what was recorded for them."""

    def __init__(self, evaluator: Evaluator, clips: Clips, chosen: Sequence[int], recorded: Sequence[Motion]):
        self._evaluator = evaluator
        self._dataset = clips.dataset
        self._segments = [clips.segments[clip] for clip in chosen]
        self._recorded = embed_motions(evaluator, recorded)
        number = clips.number[chosen]
        self._words = evaluator.embed_text(clips.sentences)[number]
        self._pools = pools(number.tolist())

    def __call__(self, motions: Sequence[Motion]) -> Judged:
        embedded = embed_motions(self._evaluator, motions)
        seen = classify(self._evaluator, motions, self._dataset)
        return Judged(
            self._r_precision(embedded),
            frechet_distance(embedded, self._recorded),
            halves_distance(embedded, self._recorded),
            diversity(embedded),
            None if seen is None else percent(seen.contents, [segment.category for segment in self._segments]),
            None if seen is None else percent(seen.styles, [segment.style for segment in self._segments]),
        )

    def _r_precision(self, embedded: Tensor) -> tuple[float, float, float] | None:
        if not len(self._pools):
            return None
        first, second, third, *_ = pooled_retrieval(embedded, self._words, self._pools).recall
        return first, second, third


def _multimodality(model: MotionCLIP, clips: Clips, evaluator: Evaluator) -> float:
    """Of up to 30 sentences, each drawn with ten seeds."""
    chosen = [clips.sentences[place] for place in evenly(len(clips.sentences), _SENTENCES)]
    seconds = min(DEFAULT_SECONDS, model.max_seconds)
    drawn = [text_to_motion(model, chosen, seconds=seconds, seed=seed) for seed in range(_SEEDS)]
    return multimodality(torch.stack([embed_motions(evaluator, motions) for motions in drawn], dim=1))


# Whether a motion that is given another style has it, and is still what it was, by the evaluator's classifier.


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


_PAIRS, _STEPS = 24, 9


@dataclass(frozen=True)
class Interpolation:
    """Means over pairs of clips; distances are those of root-aligned joints, averaged over joints and frames.

    Attributes:
        pairs: how many.
        steps: motions of each path, ends included.
        largest_step: the largest step of a path over the mean step: 1 is even.
        detour: length of a path over the distance of its ends: 1 is straight.
        towards: share of steps, in percent, that come nearer to the end and leave the start, by the evaluator's
            embeddings; None without one.
        skate_ends_cm_s: foot skate of the ends, as decoded.
        skate_between_cm_s: foot skate of the motions between them.
    """

    pairs: int
    steps: int
    largest_step: float
    detour: float
    towards: float | None
    skate_ends_cm_s: float
    skate_between_cm_s: float


def measure_interpolation(model: MotionCLIP, clips: Clips, evaluator: Evaluator | None) -> Interpolation | None:
    """Paths between up to 24 pairs of clips with different sentences; None where there is no such pair."""
    pairs = _pairs(clips)
    if not pairs:
        return None
    ends = [clips.motions(pair, model.config.fps) for pair in pairs]
    paths = [interpolate(model, start, end, _STEPS) for start, end in ends]
    gaps = torch.stack([torch.stack([distance(a, b) for a, b in pairwise(path)]) for path in paths])
    direct = torch.stack([distance(path[0], path[-1]) for path in paths]).clamp(min=1e-6)
    towards = None if evaluator is None else _towards([embed_motions(evaluator, path) for path in paths])
    return Interpolation(
        len(pairs),
        _STEPS,
        (gaps.amax(dim=1) / gaps.mean(dim=1).clamp(min=1e-6)).mean().item(),
        (gaps.sum(dim=1) / direct).mean().item(),
        towards,
        skate([motion for path in paths for motion in (path[0], path[-1])]),
        skate([motion for path in paths for motion in path[1:-1]]),
    )


def _pairs(clips: Clips) -> list[tuple[int, int]]:
    """Clips evenly chosen, each with the one half of the list further on."""
    count = len(clips)
    found = [(clip, (clip + count // 2) % count) for clip in evenly(count, _PAIRS)]
    return [(start, end) for start, end in found if clips.texts[start] != clips.texts[end]]


def _towards(paths: Sequence[Tensor]) -> float:
    """Share, in percent, of steps along embeddings (K, E) at which cos(end) - cos(start) grows."""
    nearer = torch.stack([path @ (path[-1] - path[0]) for path in paths])  # (P, K)
    return 100 * (torch.diff(nearer, dim=1) > 0).double().mean().item()
