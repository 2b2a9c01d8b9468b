"""What a storyboard is made of: shots, and the pieces that the model can make at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from motionclip.applications import DEFAULT_SECONDS
from motionclip.applications.direct.constraint import Constraint
from motionclip.applications.text_to_motion import Source
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, resample
from motionclip.motion.retarget import on_canonical

#: Seconds within which a draw may be entered where the same words go on: a cycle of two steps.
SLACK = 1.0


@dataclass(frozen=True)
class Shot:
    """A part of a storyboard: what is done, and for how long.

    Attributes:
        source: words, or a motion on any human-like skeleton.
        seconds: how long; 4 for words, and the whole of a motion, if not given.
        constraints: what it is asked beside the words, as for :func:`motionclip.direct`: in seconds of the shot, and in
            metres from above where it starts, z ahead and x to the left.

    Raises:
        MotionError: if the length is not positive, or the motion is shorter.
    """

    source: Source
    seconds: float | None = None
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise MotionError(f"a shot of {self.seconds} seconds; expected a positive number")
        if isinstance(self.source, Motion) and self.seconds is not None and self.seconds > self.source.duration + 0.05:
            raise MotionError(
                f"a shot of {self.seconds:g} seconds of a motion of {self.source.duration:.2f}; expected at most that"
            )


@dataclass(frozen=True)
class Piece:
    """What is made at once: words for at most what the model makes, or a motion on the canonical skeleton.

    Attributes:
        source: what is done.
        shown: frames from the middle of one transition to the middle of the next.
        asked: constraints of the shot that begins with it, in its seconds, as seen from where it starts.
    """

    source: Source
    shown: int
    asked: tuple[Constraint, ...] = ()

    @property
    def room(self) -> int:
        """Frames that an overlap at one end may take."""
        return self.shown if isinstance(self.source, str) else min(self.shown, self.source.num_frames // 2)


def pieces_of(model: MotionCLIP, shot: Shot, overlap: int) -> list[Piece]:
    """Returns a shot as pieces; words that last too long as several of about one length.

    Raises:
        MotionError: if a time of its constraints is outside of it, or no body could do what is asked.
    """
    fps = model.config.fps
    if isinstance(shot.source, str):
        source: Source = shot.source
        frames = round((DEFAULT_SECONDS if shot.seconds is None else shot.seconds) * fps)
    else:
        source = motion = resample(on_canonical(shot.source), fps)
        frames = motion.num_frames if shot.seconds is None else round(shot.seconds * fps)
    seconds = max(frames - 1, 0) / fps
    asked = tuple(each.within(0.0, seconds) for each in shot.constraints)
    for each in asked:
        each.check(seconds)
    longest = max(model.config.max_frames - overlap - round(SLACK * fps), 2)
    count = max(1, math.ceil(frames / longest)) if isinstance(source, str) else 1
    lengths = [frames * (n + 1) // count - frames * n // count for n in range(count)]
    return [Piece(source, length, asked if n == 0 else ()) for n, length in enumerate(lengths)]


def overlaps_of(pieces: Sequence[Piece], most: int) -> list[int]:
    """Returns the frames, even numbers, that each piece shares with the one before it, and the last with none.

    Raises:
        MotionError: if a piece is too short.
    """
    shared = [min(most, a.room, b.room) // 2 * 2 for a, b in itertools.pairwise(pieces)]
    if any(frames < 2 for frames in shared):
        raise MotionError("a shot of fewer than 2 frames, or a motion of fewer than 4; expected longer ones")
    return [0, *shared, 0]
