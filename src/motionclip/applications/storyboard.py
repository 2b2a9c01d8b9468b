"""A list of sentences and motions with durations becomes one motion, of any length.

The model makes a few seconds at a time; here they are made one after the other, each a little longer than it is
shown, and joined where they overlap.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from motionclip.applications.latents import Source
from motionclip.applications.seams import join
from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE, DEFAULT_SECONDS, text_to_motion
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, canonicalize_heading, resample
from motionclip.motion.retarget import on_canonical
from motionclip.progress import OnStep

#: Seconds over which one shot goes over into the next.
DEFAULT_OVERLAP = 0.8


@dataclass(frozen=True)
class Shot:
    """What is done, and for how long.

    Attributes:
        source: words, or a motion on any known skeleton.
        seconds: how long; 4 for words, and the whole of a motion, if not given.

    Raises:
        MotionError: if the length is not positive, or the motion is shorter.
    """

    source: Source
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise MotionError(f"a shot of {self.seconds} seconds; expected a positive number")
        if isinstance(self.source, Motion) and self.seconds is not None and self.seconds > self.source.duration + 0.05:
            raise MotionError(
                f"a shot of {self.seconds:g} seconds of a motion of {self.source.duration:.2f}; expected at most that"
            )


@dataclass(frozen=True)
class _Piece:
    """What is made at once: words for at most what the model makes, or a motion on the canonical skeleton.

    Attributes:
        source: what is done.
        shown: frames from seam to seam.
    """

    source: Source
    shown: int

    @property
    def room(self) -> int:
        """Frames that an overlap at one end may take."""
        return self.shown if isinstance(self.source, str) else min(self.shown, self.source.num_frames // 2)


def storyboard(
    model: MotionCLIP,
    shots: Sequence[Shot],
    *,
    overlap: float = DEFAULT_OVERLAP,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
    on_piece: OnStep = lambda done, total: None,
) -> Motion:
    """One motion that does one thing after the other, without a jump in pose, speed or place.

    Shots of words last exactly as long as they say, each seam lying in the middle of an overlap; longer ones than the
    model makes are made of several. A motion from elsewhere gives up half an overlap at each seam unless it goes on
    after its ``seconds``.

    Args:
        model: from :func:`motionclip.load`.
        shots: at least one.
        overlap: seconds over which one shot goes over into the next; less around shots that are shorter.
        seed: of the first piece; each further one takes the next number, so that what is said twice is not done alike.
        guidance: above 1 follows the words more closely.
        on_piece: is told how many pieces are done.

    Returns:
        Motion at the model's rate on the canonical skeleton, from above the origin.

    Raises:
        MotionError: if there is no shot, or one is shorter than two frames.
        ModelError: if the overlap leaves the model no time.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    if not shots:
        raise MotionError("a storyboard without a shot; expected at least one")
    most = 2 * round(overlap * model.config.fps / 2) if 0 <= overlap < model.max_seconds else 0
    if most < 2 or most > model.config.max_frames - 2:
        least, longest = 2 / model.config.fps, model.max_seconds - 2 / model.config.fps
        raise MotionError(f"an overlap of {overlap} seconds; expected {least:.2g} to {longest:.2g}")
    pieces = [piece for shot in shots for piece in _pieces(model, shot, most)]
    overlaps = [0, *(_shared(a, b, most) for a, b in itertools.pairwise(pieces)), 0]
    film = _made(model, pieces[0], pieces[0].shown + overlaps[1] // 2, seed, guidance)
    on_piece(1, len(pieces))
    for number in range(1, len(pieces)):
        frames = pieces[number].shown + (overlaps[number] + overlaps[number + 1]) // 2
        film = join(film, _made(model, pieces[number], frames, seed + number, guidance), overlaps[number])
        on_piece(number + 1, len(pieces))
    return canonicalize_heading(film)


def _pieces(model: MotionCLIP, shot: Shot, overlap: int) -> list[_Piece]:
    """A shot as what can be made at once; words that last too long as several pieces of about one length."""
    fps = model.config.fps
    if not isinstance(shot.source, str):
        motion = resample(on_canonical(shot.source), fps)
        return [_Piece(motion, motion.num_frames if shot.seconds is None else round(shot.seconds * fps))]
    frames = round((DEFAULT_SECONDS if shot.seconds is None else shot.seconds) * fps)
    count = max(1, math.ceil(frames / (model.config.max_frames - overlap)))
    return [_Piece(shot.source, frames * (n + 1) // count - frames * n // count) for n in range(count)]


def _shared(a: _Piece, b: _Piece, most: int) -> int:
    """Frames, an even number, that two pieces share.

    Raises:
        MotionError: if one of them is too short.
    """
    shared = min(most, a.room, b.room) // 2 * 2
    if shared < 2:
        raise MotionError("a shot of fewer than 2 frames, or a motion of fewer than 4; expected longer ones")
    return shared


def _made(model: MotionCLIP, piece: _Piece, frames: int, seed: int, guidance: float) -> Motion:
    """The motion of a piece, of ``frames`` frames; fewer if a given motion has no more."""
    if isinstance(piece.source, str):
        return text_to_motion(model, piece.source, seconds=frames / model.config.fps, seed=seed, guidance=guidance)
    return piece.source.frames(0, min(frames, piece.source.num_frames))
