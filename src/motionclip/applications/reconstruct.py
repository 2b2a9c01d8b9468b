"""Reconstruction: a motion through the auto-encoder and back, which shows what the model keeps of it."""

from __future__ import annotations

from dataclasses import replace

from motionclip.applications.transitions import blend_motions
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, heading, horizontal, resample, turn
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback

#: Frames that two pieces of a long motion share.
_OVERLAP = 24


def reconstruct(model: MotionCLIP, motion: Motion, *, on_piece: ProgressCallback = lambda done, total: None) -> Motion:
    """Returns a motion encoded and decoded.

    One that is longer than the model takes goes through in pieces of equal length that are blended where they overlap.
    Each piece says how the body moves, not where it is, so over minutes the path drifts from the given one.

    Args:
        model: from :func:`motionclip.load`.
        motion: of any length, on any human-like skeleton, at any rate.
        on_piece: called with the number of pieces done, and of all.

    Returns:
        Motion at the model's rate on the canonical skeleton, as long as the given one, from where that starts.

    Raises:
        ModelError: if it has fewer than two frames.
        SkeletonError: if no human body is found in a skeleton.
    """
    given = resample(on_canonical(motion), model.config.fps)
    most = model.config.max_frames
    overlap = min(_OVERLAP, most // 2)
    new = given.num_frames - overlap  # frames beyond the overlap that the pieces share out among themselves
    count = max(1, -(-new // (most - overlap)))
    made: Motion | None = None
    for number in range(count):
        start, stop = new * number // count, new * (number + 1) // count + overlap
        piece = given.frames(start, stop)
        decoded = model.decode(model.encode([piece]), piece.duration)[0]
        made = decoded if made is None else blend_motions(made, decoded, made.num_frames - start)
        on_piece(number + 1, count)
    assert made is not None
    made = turn(made, (heading(given.frames(0, 1)) - heading(made.frames(0, 1)))[0])
    return replace(made, root=made.root + horizontal((given.root[0] - made.root[0]).to(made.root)))
