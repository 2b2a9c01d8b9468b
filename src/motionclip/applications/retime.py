"""Changes without words: a part of a motion, its direction, its sides, its speed, pauses, and what follows it."""

from __future__ import annotations

from collections.abc import Sequence

from motionclip.applications import DEFAULT_OVERLAP
from motionclip.applications.transitions import blend_motions
from motionclip.motion import Motion, crop, in_place, mirror, resample
from motionclip.motion.retarget import on_canonical
from motionclip.motion.retime import change_speed, hold, reverse


def retime(
    motion: Motion,
    *,
    span: tuple[float, float | None] | None = None,
    backwards: bool = False,
    mirrored: bool = False,
    speed: Sequence[tuple[float, float]] = (),
    holds: Sequence[tuple[float, float]] = (),
    then: Sequence[Motion] = (),
    on_spot: bool = False,
) -> Motion:
    """Returns a motion with changes that need no model, made in the order of the arguments.

    Args:
        motion: on any skeleton; a human-like one for ``mirrored`` and ``then``, which put it on the canonical one.
        span: seconds of the part that is kept; to the end if the second is None.
        backwards: from its last frame to its first.
        mirrored: left and right exchanged.
        speed: (second, factor) of a curve of its speed; one entry is one speed for all.
        holds: (second, seconds) at which a pose is held for some more; seconds of the motion before any of them.
        then: what follows, blended into each other.
        on_spot: without its path over the ground.

    Raises:
        MotionError: if one of them does not fit the motion.
        SkeletonError: if no human body is found in a skeleton that is to be mirrored or joined.
    """
    changed = motion if span is None else crop(motion, *span)
    changed = reverse(changed) if backwards else changed
    changed = mirror(on_canonical(changed)) if mirrored else changed
    changed = change_speed(changed, speed) if speed else changed
    for at, seconds in sorted(holds, reverse=True):  # from the last to the first, so that the seconds stay those before
        changed = hold(changed, at, seconds)
    for following in then:
        changed = _joined(changed, following)
    return in_place(changed) if on_spot else changed


def _joined(first: Motion, second: Motion) -> Motion:
    """Returns both motions as one on the canonical skeleton, at the rate of the first."""
    before, after = on_canonical(first), resample(on_canonical(second), first.fps)
    shared = min(round(DEFAULT_OVERLAP * first.fps), before.num_frames // 2, after.num_frames // 2)
    return blend_motions(before, after, shared)
