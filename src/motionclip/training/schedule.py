"""Learning rate over a run."""

from __future__ import annotations

import math


def warmup_cosine(step: int, warmup: int, steps: int, floor: float = 0.01) -> float:
    """Factor of the peak learning rate at ``step``: linear warm-up, then a cosine down to ``floor``.

    The warm-up takes at most a tenth of the steps.
    """
    warmup = min(warmup, steps // 10)
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def rate_factor(schedule: str, step: int, warmup: int, steps: int) -> float:
    """Factor of the peak learning rate at ``step`` of a named schedule, ``cosine`` or ``constant``."""
    return 1.0 if schedule == "constant" else warmup_cosine(step, warmup, steps)
