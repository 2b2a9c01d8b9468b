"""Random seeds: which numbers they are."""

from __future__ import annotations

from motionclip.errors import MotionClipError

#: How many seeds there are: what PyTorch's generators take, and what other programs show.
SEEDS = 2**64


def check_seed(seed: int) -> int:
    """Returns a seed.

    Raises:
        MotionClipError: if it is out of range.
    """
    if not 0 <= seed < SEEDS:
        raise MotionClipError(f"seed {seed}; expected a whole number from 0 to {SEEDS - 1} (2^64 - 1)")
    return seed


def following_seed(seed: int, steps: int) -> int:
    """Returns the seed so many steps behind another one; after the last comes 0."""
    return (check_seed(seed) + steps) % SEEDS
