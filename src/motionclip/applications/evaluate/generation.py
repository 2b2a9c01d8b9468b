"""Figures of motions that the model makes: generated from text, edited, and interpolated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from motionclip.applications import DEFAULT_SECONDS
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
from motionclip.applications.text_to_motion import text_to_motion
from motionclip.data.store import Store
from motionclip.metrics.distribution import diversity, frechet_distance, halves_distance, multimodality
from motionclip.metrics.evaluator import Evaluator
from motionclip.metrics.physics import Physics, physics, skate
from motionclip.metrics.retrieval import pooled_retrieval, pools
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: Clips whose sentences are generated, at most.
_GENERATED_CLIPS = 1000
#: Sentences of the multimodality, and motions drawn for each.
_SENTENCES, _SEEDS = 30, 10
#: Clips that are edited, at most.
_EDITED_CLIPS = 70
#: Pairs of clips that are interpolated, at most, and motions of each path.
_PAIRS, _STEPS = 24, 9


@dataclass(frozen=True)
class EvaluatorFigures:
    """Figures by the evaluator of a set of motions, one for each of some clips.

    Attributes:
        r_precision: share, in percent, of motions whose own sentence is among the first 1, 2, 3 of 32; None with fewer
            sentences than that.
        fid: Frechet distance of their embeddings to those of the recordings.
        fid_halves: the same of one half of them to the other half of the recordings; that of the recordings themselves
            is the least that so few clips can reach.
        diversity: mean distance of two embeddings.
        content: share, in percent, that the classifier gives their content; None if it does not know the data set.
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
    """Figures of one motion for each clip.

    Attributes:
        kind: ``recorded``, ``reconstructed`` or ``generated``.
        physics: of feet and joints.
        judged: figures by the evaluator; None without one.
    """

    kind: str
    physics: Physics
    judged: EvaluatorFigures | None


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
    """Returns the figures of up to 1,000 clips, evenly chosen, each generated anew from its sentence at its length.

    Args:
        model: from :func:`motionclip.load`.
        clips: N clips.
        latents: (N, D) of the clips.
        evaluator: without it there are figures of feet and joints only.
    """
    chosen = evenly(len(clips), _GENERATED_CLIPS)
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
    metrics = EvaluatorMetrics(evaluator, clips, chosen, recorded)
    sets = tuple(MotionSet(kind, physics(each), metrics(each)) for kind, each in made.items())
    texts = [clips.sentences[number] for number in evenly(len(clips.sentences), _SENTENCES)]
    default = min(DEFAULT_SECONDS, model.max_seconds)
    drawn = [text_to_motion(model, texts, seconds=default, seed=seed) for seed in range(_SEEDS)]
    embedded = torch.stack([embed_motions(evaluator, motions) for motions in drawn], dim=1)
    return Generation(len(chosen), sets, multimodality(embedded))


class EvaluatorMetrics:
    """Computes the figures by the evaluator of motions made for chosen clips, against what was recorded for them."""

    def __init__(self, evaluator: Evaluator, clips: Clips, chosen: Sequence[int], recorded: Sequence[Motion]):
        self._evaluator = evaluator
        self._dataset = clips.dataset
        self._segments = [clips.segments[clip] for clip in chosen]
        self._recorded = embed_motions(evaluator, recorded)
        number = clips.number[chosen]
        self._texts = evaluator.embed_text(clips.sentences)[number]
        self._pools = pools(number.tolist())

    def __call__(self, motions: Sequence[Motion]) -> EvaluatorFigures:
        """Returns the figures of motions, one for each of the chosen clips."""
        embedded = embed_motions(self._evaluator, motions)
        found = classify(self._evaluator, motions, self._dataset)
        r_precision = None
        if len(self._pools):
            first, second, third, *_ = pooled_retrieval(embedded, self._texts, self._pools).recall
            r_precision = first, second, third
        return EvaluatorFigures(
            r_precision,
            frechet_distance(embedded, self._recorded),
            halves_distance(embedded, self._recorded),
            diversity(embedded),
            None if found is None else percent(found.contents, [segment.category for segment in self._segments]),
            None if found is None else percent(found.styles, [segment.style for segment in self._segments]),
        )


@dataclass(frozen=True)
class Edited:
    """Figures of clips that were given another style, by the evaluator's classifier, in percent.

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
class _EditTask:
    """A clip, its content, its old and its new style, and the sentences of both."""

    clip: int
    content: str
    old: str
    new: str
    was: str
    becomes: str


def measure_editing(
    model: MotionCLIP, clips: Clips, evaluator: Evaluator, stores: Sequence[Store]
) -> tuple[Edited, ...]:
    """Returns figures of edits of up to 70 clips, each towards another style; none without a classifier."""
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
    figures = []
    for way, made in ways.items():
        found = classify(evaluator, made, evaluator.config.dataset)
        assert found is not None
        frames = [min(one.num_frames, other.num_frames) for one, other in zip(made, motions, strict=True)]
        moved = [
            float(distance(one.frames(0, count), other.frames(0, count)))
            for one, other, count in zip(made, motions, frames, strict=True)
        ]
        figures.append(
            Edited(
                way,
                percent(found.contents, [task.content for task in tasks]),
                percent(found.styles, [task.old for task in tasks]),
                percent(found.styles, [task.new for task in tasks]),
                percent(
                    list(zip(found.contents, found.styles, strict=True)), [(task.content, task.new) for task in tasks]
                ),
                1000 * sum(moved) / len(tasks),
            )
        )
    return tuple(figures)


def _tasks(clips: Clips, stores: Sequence[Store]) -> list[_EditTask]:
    """Returns clips and the styles they are to get: of all that a content is done in, another from clip to clip."""
    sentences = {(content, style): text for text, content, style in known_sentences(stores, clips.dataset) if style}
    tasks = []
    for turn, clip in enumerate(evenly(len(clips), _EDITED_CLIPS)):
        segment = clips.segments[clip]
        if not segment.category or not segment.style:
            continue
        styles = {str(style) for category, style in sentences if category == segment.category}
        if others := sorted(styles - {segment.style}):
            new = others[turn % len(others)]
            was, becomes = sentences[segment.category, segment.style], sentences[segment.category, new]
            tasks.append(_EditTask(clip, segment.category, segment.style, new, was, becomes))
    return tasks


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
    """Returns figures of paths between up to 24 pairs of clips with different sentences; None without such a pair."""
    # clips evenly chosen, each with the one half of the list further on
    found = [(clip, (clip + len(clips) // 2) % len(clips)) for clip in evenly(len(clips), _PAIRS)]
    pairs = [(start, end) for start, end in found if clips.texts[start] != clips.texts[end]]
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


def _towards(paths: Sequence[Tensor]) -> float:
    """Returns the share, in percent, of steps along embeddings (K, E) at which cos(end) - cos(start) grows."""
    nearer = torch.stack([path @ (path[-1] - path[0]) for path in paths])  # (P, K)
    return 100 * (torch.diff(nearer, dim=1) > 0).double().mean().item()
