"""A motion through the auto-encoder and back: what the model keeps of it."""

from __future__ import annotations

from dataclasses import replace

from motionclip.applications.storyboard import join
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, heading, horizontal, resample, turn
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback

#: Frames that two pieces of a long motion share.
_OVERLAP = 24


def reconstruct(model: MotionCLIP, motion: Motion, *, on_piece: ProgressCallback = lambda done, total: None) -> Motion:
    """A motion encoded and decoded.

    One that is longer than the model takes goes through in pieces of equal length that are joined where they overlap.
    Each piece says how the body moves, not where it is, so over minutes the path drifts from the given one.

    Args:
        model: from :func:`motionclip.load`.
        motion: of any length, on any known skeleton, at any rate.
        on_piece: is told how many pieces are done, and of how many.

    Returns:
        Motion at the model's rate on the canonical skeleton, as long as the given one, from where that starts.

    Raises:
        ModelError: if it has fewer than two frames.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    given = resample(on_canonical(motion), model.config.fps)
    cuts = _cuts(given.num_frames, model.config.max_frames)
    made: Motion | None = None
    for number, (start, stop) in enumerate(cuts):
        piece = given.frames(start, stop)
        decoded = model.decode(model.encode([piece]), piece.duration)[0]
        made = decoded if made is None else join(made, decoded, made.num_frames - start)
        on_piece(number + 1, len(cuts))
    assert made is not None
    return _placed(made, given)


def _cuts(length: int, most: int) -> list[tuple[int, int]]:
    """First frame, and one after the last, of pieces of at most ``most`` frames of about one length."""
    overlap = min(_OVERLAP, most // 2)
    count = max(1, -(-(length - overlap) // (most - overlap)))
    return [((length - overlap) * n // count, (length - overlap) * (n + 1) // count + overlap) for n in range(count)]


def _placed(made: Motion, given: Motion) -> Motion:
    """Turned to face, and placed, as the given one is in its first frame."""
    there = turn(made, (heading(given.frames(0, 1)) - heading(made.frames(0, 1)))[0])
    return replace(there, root=there.root + horizontal((given.root[0] - there.root[0]).to(there.root)))
