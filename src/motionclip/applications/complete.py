"""Gaps filled and motions continued: unseen frames from the auto-encoder, all others kept as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from motionclip.applications.inpainting import Window, Wish, inpaint, with_frames
from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, resample
from motionclip.motion.retarget import on_canonical
from motionclip.progress import OnStep

#: Seconds on each side of a gap that are looked at, at most.
_CONTEXT = 1.75
#: Seconds that must be seen, at least.
_LEAST_SEEN = 0.5
#: Frames that must be seen on a side on which any are: their difference is a speed.
_LEAST_SIDE = 2


def fill(
    model: MotionCLIP,
    motion: Motion,
    gaps: Sequence[tuple[float, float]],
    *,
    text: str | None = None,
    seed: int | None = None,
    guidance: float = DEFAULT_GUIDANCE,
    on_step: OnStep = lambda done, total: None,
) -> Motion:
    """A motion with other frames in its gaps, which go on from those before and into those behind.

    What stands in the gaps is not looked at. A gap at the start or the end of the motion is filled from its other side.

    Args:
        model: from :func:`motionclip.load`.
        motion: of any length, on any known skeleton, at any rate.
        gaps: first second and last of each; about 5 s at most.
        text: what is done in the gaps; whatever the frames around suggest if None. Words steer a long gap, hardly
            a short one.
        seed: another one gives another way to fill the gaps; None the likeliest, or with words the first.
        guidance: above 1 follows the words more closely.
        on_step: is told how many steps are done, of all for all gaps.

    Returns:
        Motion at the model's rate on the canonical skeleton; all frames outside of the gaps are, bit by bit, those
        of ``motion`` after retargeting and resampling.

    Raises:
        MotionError: if a gap is empty, outside of the motion, too long, or leaves too little to see.
        TextError: if the words are empty, too long, or not text.
        ModelError: if the guidance is not finite.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    prepared = resample(on_canonical(motion), model.config.fps)
    return _filled(model, prepared, _frames(prepared, gaps), Wish(text, seed, guidance), on_step)


def extend(
    model: MotionCLIP,
    motion: Motion,
    seconds: float,
    *,
    text: str | None = None,
    before: bool = False,
    seed: int | None = None,
    guidance: float = DEFAULT_GUIDANCE,
    on_step: OnStep = lambda done, total: None,
) -> Motion:
    """A motion that goes on for some seconds, or that begins some seconds earlier.

    Args:
        model: as in :func:`fill`.
        motion: as in :func:`fill`.
        seconds: how much longer; about 5 at most.
        text: what is done in them; whatever the motion suggests if None.
        before: whether they come before the motion, and not after it.
        seed: as in :func:`fill`.
        guidance: as in :func:`fill`.
        on_step: as in :func:`fill`.

    Returns:
        Motion at the model's rate on the canonical skeleton, with the frames of ``motion`` as they are.

    Raises:
        MotionError: if the length is not positive or too long, or the motion is too short.
        TextError, ModelError, SkeletonError: as :func:`fill`.
    """
    prepared = resample(on_canonical(motion), model.config.fps)
    count = round(seconds * prepared.fps) if 0 < seconds < float("inf") else 0
    if count < 1:
        raise MotionError(f"a motion continued for {seconds} seconds; expected a frame or more")
    held = [0] * count + [*range(prepared.num_frames)] if before else [*range(prepared.num_frames)] + [-1] * count
    longer = replace(prepared, rotations=prepared.rotations[held], root=prepared.root[held])
    start = 0 if before else prepared.num_frames
    return _filled(model, longer, [(start, start + count)], Wish(text, seed, guidance), on_step)


def _frames(motion: Motion, gaps: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """First frame, and one after the last, of gaps in seconds, in order of time.

    Raises:
        MotionError: if one is empty, outside of the motion, or meets another.
    """
    if not gaps:
        raise MotionError("no gap to fill; expected one or more, each from a second to a later one")
    spans = []
    for first, last in gaps:
        inside = math.isfinite(first) and math.isfinite(last) and 0 <= first < last <= motion.duration + 1 / motion.fps
        start, stop = (round(second * motion.fps) for second in (first, last)) if inside else (0, 0)
        if start >= stop:
            raise MotionError(
                f"a gap from {first} to {last} s in a motion of {motion.duration:.2f} s; expected a span inside of it"
            )
        spans.append((start, min(stop, motion.num_frames)))
    return sorted(spans)


def _filled(model: MotionCLIP, motion: Motion, gaps: Sequence[tuple[int, int]], wish: Wish, on_step: OnStep) -> Motion:
    """The motion with its gaps, in frames and in order, filled one after the other."""
    limits = [*(start for start, _ in gaps[1:]), motion.num_frames]
    views = [_view(model, motion, gap, limit) for gap, limit in zip(gaps, limits, strict=True)]
    for number, ((start, stop), (first, last)) in enumerate(zip(gaps, views, strict=True)):

        def on_own_step(done: int, total: int, number: int = number) -> None:
            on_step(number * total + done, len(gaps) * total)

        window = Window(motion.frames(first, last), start - first, stop - first)
        motion = with_frames(motion, start, inpaint(model, window, wish, on_own_step))
    return motion


def _view(model: MotionCLIP, motion: Motion, gap: tuple[int, int], limit: int) -> tuple[int, int]:
    """First frame, and one after the last, of what is looked at to fill a gap; nothing from ``limit`` on.

    Raises:
        MotionError: if the gap is too long, or there is too little to see.
    """
    start, stop = gap
    fps, most = motion.fps, model.config.max_frames
    room, wanted, least = most - (stop - start), round(_CONTEXT * fps), round(_LEAST_SEEN * fps)
    if room < least:
        raise MotionError(
            f"{(stop - start) / fps:.2f} s without a seen frame; the model looks at {most / fps:g} s and needs "
            f"{_LEAST_SEEN:g} of them seen: at most {(most - least) / fps:g}. Fill in longer ones with "
            "`motionclip storyboard`, from words"
        )
    before = min(start, wanted, max(room // 2, room - (limit - stop)))
    after = min(limit - stop, wanted, room - before)
    cramped = 0 < before < _LEAST_SIDE or 0 < after < _LEAST_SIDE or (after < 1 and limit < motion.num_frames)
    if before + after < least or cramped:
        raise MotionError(
            f"{(before + after) / fps:.2f} s to see around a gap from {start / fps:.2f} to {stop / fps:.2f} s; "
            f"expected {_LEAST_SEEN:g} s in all and {_LEAST_SIDE} frames on each side: join gaps that nearly meet, or "
            "take a longer motion"
        )
    return start - before, stop + after
