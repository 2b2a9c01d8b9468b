"""Motions of any length from one sentence: long ones in windows, and sentences that say what follows what in shots."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_OVERLAP, DEFAULT_SECONDS
from motionclip.applications.direct.path import RootPath
from motionclip.applications.storyboard import Shot, storyboard
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.progress import ProgressCallback

#: Longest motion that is made at once, seconds: an hour.
MAX_SECONDS = 3600.0
#: What says that something follows.
_THEN = re.compile(r"\s*(?:;|[,.]?\s*\b(?:and\s+)?(?:then|after that|afterwards|finally)\b)[,\s]*", re.IGNORECASE)
#: What stands between the parts of a list whose last part follows "then".
_COMMA = re.compile(r"\s*,\s*(?:and\s+)?")
#: How a sentence begins that says who does it.
_SUBJECT = re.compile(r"(?:an?|the|some(?:one|body)|he|she|they|it|i|you|we|this|that)\b", re.IGNORECASE)


def shots_of(text: str) -> list[str]:
    """Returns what a sentence says is done one after the other, each with its subject.

    It is divided at "then", "after that", "finally" and semicolons, and at commas if it has one of these.

    >>> shots_of("a person walks, waves, and then sits down")
    ['a person walks', 'a person waves', 'a person sits down']
    """
    parts = [part for part in _THEN.split(text.strip().rstrip(".")) if part]
    if len(parts) < 2:
        return [text]
    parts = [part for listed in parts for part in _COMMA.split(listed) if part]
    named = bool(_SUBJECT.match(parts[0]))
    return [part if not named or _SUBJECT.match(part) else f"a person {part}" for part in parts]


def long_motion(
    model: MotionCLIP,
    text: str,
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
    on_piece: ProgressCallback = lambda done, total: None,
) -> Motion:
    """Returns a motion of any length that does what a sentence says, one part after the other.

    Time and memory grow with the length, and no faster.

    Args:
        model: from :func:`motionclip.load`.
        text: what the person does; "..., then ..." for one thing after another.
        seconds: in all, shared by the parts alike; 4 for each part if not given.
        seed: as in :func:`motionclip.storyboard`, like the guidance.
        guidance: classifier-free guidance scale.
        on_piece: called with the number of windows done, and of all.

    Raises:
        MotionError: if the length is not positive, or more than an hour.
        TextError: if the text is empty, too long, or not text.
    """
    return storyboard(model, shots_for(text, seconds), seed=seed, guidance=guidance, on_piece=on_piece)


def is_long(model: MotionCLIP, text: str, seconds: float | None) -> bool:
    """Whether words take several windows: they say what follows what, or last longer than the model makes at once."""
    return len(shots_of(text)) > 1 or (seconds or 0.0) > model.max_seconds


def shots_for(text: str, seconds: float | None) -> list[Shot]:
    """Returns the parts of a sentence, which share the time alike; 4 s for each part if none is given.

    Raises:
        MotionError: if the length is not positive, or more than an hour.
    """
    parts = shots_of(text)
    seconds = DEFAULT_SECONDS * len(parts) if seconds is None else seconds
    if not 0 < seconds <= MAX_SECONDS:
        raise MotionError(f"{seconds:g} seconds; expected a positive number, and at most {MAX_SECONDS:g}")
    return [Shot(part, seconds / len(parts)) for part in parts]


def shots_along(model: MotionCLIP, motion: Motion, paths: Sequence[RootPath]) -> list[Shot]:
    """Returns a given motion as shots: windows that the model takes where it is to follow a path, the rest as it is.

    Each goes on after its seconds, and all but the first begin before, for the transitions between them.

    Args:
        model: from :func:`motionclip.load`.
        motion: on the canonical skeleton, at the model's rate.
        paths: in its seconds.
    """
    half, fps = round(DEFAULT_OVERLAP * motion.fps / 2), motion.fps
    wanted = [each.within(0.0, motion.duration) for each in paths]
    count = math.ceil(motion.num_frames / (model.config.max_frames - 2 * half))
    borders = [motion.num_frames * number // count for number in range(count + 1)]

    def asked(first: int, last: int) -> bool:
        return any(each.during((first - half) / fps, (last + half) / fps) is not None for each in wanted)

    windows = list(itertools.pairwise(borders))
    # windows of which nothing is asked are one shot with those of the kind beside them
    kept = [first for n, (first, last) in enumerate(windows) if n == 0 or asked(first, last) or asked(*windows[n - 1])]
    return [
        Shot(motion.frames(max(first - half, 0), min(last + half, motion.num_frames)), (last - first) / fps)
        for first, last in itertools.pairwise([*kept, motion.num_frames])
    ]
