"""Motions drawn for sentences, beside the recordings of those sentences and what the auto-encoder makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications.measures.clips import Clips, evenly
from motionclip.applications.measures.judging import classify, embed_motions, percent
from motionclip.applications.text_to_motion import DEFAULT_SECONDS, text_to_motion
from motionclip.metrics.distribution import diversity, frechet_distance, halves_distance, multimodality
from motionclip.metrics.evaluator import Evaluator
from motionclip.metrics.physics import Physics, physics
from motionclip.metrics.retrieval import pooled_retrieval, pools
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

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
