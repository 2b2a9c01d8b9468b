"""Blocks of the timeline in another order or of another length, and the motion that they then are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from motionclip.applications import DEFAULT_OVERLAP
from motionclip.applications.complete import extend
from motionclip.applications.tracks import FADE, PARTS, Track, overlay
from motionclip.applications.transitions import blend_motions
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, crop, resample
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback
from motionclip.studio.takes import WORDS, Part, Take

#: Seconds of the shortest block, and at most that one is made longer at once.
MIN_SECONDS, MOST_MORE = 0.5, 5.0
#: Seconds by which an edge has to move to be another one.
_MOVED = 0.02
#: The row of the timeline of each part of the body that a track moves.
TRACK_ROWS = {part.replace("_", " ").capitalize(): part for part in PARTS}


@dataclass(frozen=True)
class Clip:
    """A stretch of a motion, and what is to be made anew around it.

    Attributes:
        start: seconds in the motion.
        end: seconds in the motion.
        before: seconds that are put before it.
        after: seconds that are put after it.
        words: what is done in those; None for what the motion suggests.
    """

    start: float
    end: float
    before: float = 0.0
    after: float = 0.0
    words: str | None = None


def blocks(take: Take) -> tuple[Part, ...]:
    """Returns the blocks of a take's timeline: those of the whole body, which fill it, then the rest by rows."""
    words = tuple(part for part in take.parts if part.row == WORDS)
    rest = sorted((part for part in take.parts if part.row != WORDS), key=lambda part: part.row)
    return (*(words or (Part(take.title, 0.0, take.motion.duration),)), *rest)


def can_be_dragged(take: Take, part: Part) -> bool:
    """Whether a block may be moved and trimmed: what was pinned at a moment is only shown."""
    return part.row == WORDS or (part.row in TRACK_ROWS and take.under is not None)


def rearranged(
    model: MotionCLIP, take: Take, number: int, start: float, end: float, on_step: ProgressCallback
) -> tuple[Motion, tuple[Part, ...], Motion | None]:
    """Returns what a take becomes when a block is dragged: motion, parts, and the motion under its tracks.

    A block of the whole body that gets shorter is cut; one that gets longer has more made of its words; one that is
    moved past another changes places with it. All that follows it follows still. A track is laid over the motion where
    it is then.

    Args:
        model: makes what is new.
        take: as it is.
        number: of the block, among :func:`blocks`.
        start: second at which it is to begin.
        end: second at which it is to end.
        on_step: called between steps.

    Raises:
        MotionError: if there is no such block, it does not move, or gets too short or too long.
    """
    parts = blocks(take)
    if not 0 <= number < len(parts) or not can_be_dragged(take, parts[number]):
        raise MotionError(f"block {number} of {len(parts)}; expected one of the rows Words or of a part of the body")
    below = take.motion if take.under is None else take.under
    if parts[number].row == WORDS:
        below, parts = _reordered(model, take, parts, number, start, end, on_step)
    else:
        parts = _with_track(parts, number, start, end, below.duration)
    if take.under is None:
        return below, parts, None
    return with_tracks(model, below, parts), parts, below


def with_tracks(model: MotionCLIP, below: Motion, parts: Sequence[Part]) -> Motion:
    """Returns a motion with the tracks among some parts laid over it."""
    tracks = [Track(TRACK_ROWS[part.row], part.title, part.start, part.end) for part in parts if part.row in TRACK_ROWS]
    return overlay(model, below, tracks) if tracks else below


def _with_track(parts: Sequence[Part], number: int, start: float, end: float, last: float) -> tuple[Part, ...]:
    """Returns parts of which one, a track, has another span: inside the motion, and long enough to come and go."""
    first = min(max(start, 0.0), last - 2 * FADE)
    moved = replace(parts[number], start=first, end=min(max(end, first + 2 * FADE), last))
    return (*parts[:number], moved, *parts[number + 1 :])


def _reordered(
    model: MotionCLIP,
    take: Take,
    parts: Sequence[Part],
    number: int,
    start: float,
    end: float,
    on_step: ProgressCallback,
) -> tuple[Motion, tuple[Part, ...]]:
    whole, rest = [[part for part in parts if (part.row == WORDS) is of_all] for of_all in (True, False)]
    told = any(part.row == WORDS for part in take.parts)  # else the title may be a file's
    clips = [Clip(part.start, part.end, words=part.title if told else None) for part in whole]
    order, arranged = dragged(clips, number, start, end)
    motion, starts = joined(model, take.motion if take.under is None else take.under, arranged, on_step)
    spans = list(pairwise([*starts, motion.duration]))
    moved = [Part(whole[index].title, *span) for index, span in zip(order, spans, strict=True)]
    return motion, (*moved, *carried(rest, arranged, spans))


def dragged(clips: Sequence[Clip], number: int, start: float, end: float) -> tuple[list[int], list[Clip]]:
    """Returns the numbers of clips in their new order, and the clips, when one is dragged to other edges.

    Raises:
        MotionError: if nothing changes, or the clip gets too short or too long.
    """
    clip, order = clips[number], [index for index in range(len(clips)) if index != number]
    start, end = _snapped(start, clip.start), _snapped(end, clip.end)
    if (start == clip.start) is not (end == clip.end):
        order.insert(number, number)
        clip = trimmed(clip, start, end)
    else:
        order.insert(sum(clips[index].start + clips[index].end < start + end for index in order), number)
        if order == sorted(order):
            raise MotionError("the block stays where it is; drag it past the middle of another one, or drag an edge")
    return order, [clip if index == number else clips[index] for index in order]


def _snapped(edge: float, before: float) -> float:
    return before if abs(edge - before) <= _MOVED else edge


def trimmed(clip: Clip, start: float, end: float) -> Clip:
    """Returns a clip with other edges.

    Raises:
        MotionError: if it gets too short or too long.
    """
    if end - start < MIN_SECONDS:
        raise MotionError(f"a block of {max(end - start, 0.0):.2f} s; expected at least {MIN_SECONDS:g} s")
    before, after = max(clip.start - start, 0.0), max(end - clip.end, 0.0)
    if before + after > MOST_MORE:
        raise MotionError(f"a block {before + after:.1f} s longer; expected at most {MOST_MORE:g} s more at once")
    return replace(clip, start=max(clip.start, start), end=min(clip.end, end), before=before, after=after)


def joined(
    model: MotionCLIP, motion: Motion, clips: Sequence[Clip], on_step: ProgressCallback
) -> tuple[Motion, list[float]]:
    """Returns clips of a motion as one, and the second at which each begins.

    Those that follow each other in the motion, too, stay joined as they were; others are blended, with the frames that
    come after the first one's cut, where the motion has them.
    """
    source = on_canonical(motion)
    if any(clip.before or clip.after for clip in clips):
        source = resample(source, model.config.fps)
    film: Motion | None = None
    spare, starts = 0, list[float]()
    for group in _unbroken(clips):
        piece, more = _cut(model, source, group, on_step)
        begin = 0
        if film is not None:
            shared = _shared(film, piece, spare)
            film = film.frames(0, film.num_frames - max(spare - shared, 0))
            begin = film.num_frames - shared
            piece = blend_motions(film, piece, shared)
        first = begin / source.fps + group[0].before - group[0].start
        starts += [begin / source.fps, *(first + clip.start for clip in group[1:])]
        film, spare = piece, more
    assert film is not None
    return film.frames(0, film.num_frames - spare), starts


def _unbroken(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Returns clips in groups that follow each other without a cut."""
    groups: list[list[Clip]] = []
    for clip in clips:
        if groups and groups[-1][-1].end == clip.start and not (groups[-1][-1].after or clip.before):
            groups[-1].append(clip)
        else:
            groups.append([clip])
    return groups


def _cut(model: MotionCLIP, source: Motion, group: Sequence[Clip], on_step: ProgressCallback) -> tuple[Motion, int]:
    """Returns the frames of a group, and how many of the last are spare: they come after its cut, for a blend."""
    first, last = group[0], group[-1]
    end = last.end if last.after else min(last.end + DEFAULT_OVERLAP, source.duration)
    piece = crop(source, first.start, end)
    spare = piece.num_frames - crop(source, first.start, last.end).num_frames
    if first.before:
        piece = extend(model, piece, first.before, text=first.words, before=True, on_step=on_step)
    if last.after:
        piece = extend(model, piece, last.after, text=last.words, on_step=on_step)
    return piece, spare


def _shared(before: Motion, after: Motion, spare: int) -> int:
    """Returns the frames in which two motions are blended."""
    return min(
        spare if spare >= 2 else round(DEFAULT_OVERLAP * before.fps), before.num_frames // 2, after.num_frames // 2
    )


def carried(parts: Sequence[Part], clips: Sequence[Clip], spans: Sequence[tuple[float, float]]) -> list[Part]:
    """Returns parts that go along with the clip in which their middle is; those that are cut out are left out."""
    found = []
    for part in parts:
        for clip, (start, end) in zip(clips, spans, strict=True):
            if clip.start <= (part.start + part.end) / 2 <= clip.end:
                later = start + clip.before - clip.start
                moved = replace(part, start=max(part.start + later, start), end=min(part.end + later, end))
                if part.row not in TRACK_ROWS or moved.end - moved.start >= 2 * FADE:
                    found.append(moved)
                break
    return found
