"""Whether the way from one motion to another is even, goes there, and keeps the feet on the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from motionclip.applications.interpolate import interpolate
from motionclip.applications.measures.clips import Clips, distance, evenly
from motionclip.applications.measures.judging import embed_motions
from motionclip.metrics.evaluator import Evaluator
from motionclip.metrics.physics import skate
from motionclip.model.pipeline import MotionCLIP

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
