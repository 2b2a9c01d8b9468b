"""Completion: gaps of a motion filled, or the motion continued; all other frames are kept as they are.

A gap is filled in a window of what is seen around it. The window's latent is moved by gradient descent (Adam, on the
tangent plane) from a likely start until the decoded window agrees with the frames that are seen. The difference that is
left at the borders of the gap is then carried into it smoothly: what is added to the decoded frames has the value and
the rate of the difference at both borders. docs/applications/complete.md has the figures by which this was chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.errors import ModelError, MotionError
from motionclip.model.features import Batch, from_motion, pose
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, heading, horizontal, resample, turn
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback
from motionclip.seeds import SEEDS, check_seed

#: Steps of the descent, unless others are asked for.
DEFAULT_STEPS = 60
_RATE = 0.1
#: Draws from the prior, of which the one that agrees best with the seen frames is the start.
_DRAWS = 16
#: Weight of the mean squared difference of rotation matrices beside that of positions, in square metres.
_ROTATIONS = 0.1
#: Square metres that a square standard deviation away from the start is worth.
_STAY = 1e-5
#: Seconds over which a residual fades where nothing is seen behind the gap.
_FADE = 1.0
#: Seconds over which the rate of a joint's residual dies away: over a long gap, a cubic would swing far out.
_REACH = 0.5

#: Seconds on each side of a gap that are looked at, at most.
_CONTEXT = 1.75
#: Seconds that must be seen, at least.
_LEAST_SEEN = 0.5
#: Frames that must be seen on a side on which any are: their difference is a speed.
_LEAST_SIDE = 2


@dataclass(frozen=True, eq=False)
class GapWindow:
    """Frames around a gap.

    Attributes:
        motion: on the canonical skeleton at the model's rate; its unseen frames count for nothing.
        start: the first unseen frame.
        stop: one after the last; seen are all others, on one side or both, at least two on each.
    """

    motion: Motion
    start: int
    stop: int

    @property
    def seen(self) -> Tensor:
        """(T,) true for seen frames."""
        frames = torch.arange(self.motion.num_frames)
        return (frames < self.start) | (frames >= self.stop)

    @property
    def is_between(self) -> bool:
        """Whether frames are seen on both sides."""
        return self.start > 0 and self.stop < self.motion.num_frames


@dataclass(frozen=True)
class _Options:
    """How gaps are filled: the arguments of :func:`complete` of the same names."""

    text: str | None
    seed: int | None
    guidance: float
    steps: int
    on_step: ProgressCallback

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ModelError(f"{self.steps} steps of descent; expected at least 1")


def complete(
    model: MotionCLIP,
    motion: Motion,
    gaps: Sequence[tuple[float, float]],
    *,
    text: str | None = None,
    seed: int | None = None,
    guidance: float = DEFAULT_GUIDANCE,
    steps: int = DEFAULT_STEPS,
    on_step: ProgressCallback = lambda done, total: None,
) -> Motion:
    """Returns a motion with other frames in its gaps, which go on from those before and into those behind.

    What stands in the gaps is not looked at. A gap at the start or the end of the motion is filled from its other side.

    Args:
        model: from :func:`motionclip.load`.
        motion: of any length, on any human-like skeleton, at any rate.
        gaps: first second and last of each; about 5 s at most.
        text: what is done in the gaps; whatever the frames around suggest if None. Words steer a long gap, hardly
            a short one.
        seed: another one gives another way to fill the gaps; None the likeliest, or with words the first.
        guidance: classifier-free guidance scale of words; above 1 follows them more closely.
        steps: of the descent, for each gap; fewer are faster and agree less with the frames around.
        on_step: called with the number of steps done, and of all for all gaps.

    Returns:
        Motion at the model's rate on the canonical skeleton; all frames outside of the gaps are, bit by bit, those
        of ``motion`` after retargeting and resampling.

    Raises:
        MotionError: if a gap is empty, outside of the motion, too long, or leaves too little to see.
        TextError: if the words are empty, too long, or not text.
        ModelError: if the guidance is not finite, or ``steps`` is not positive.
        SkeletonError: if no human body is found in a skeleton.
    """
    prepared = resample(on_canonical(motion), model.config.fps)
    return _fill(model, prepared, _to_frames(prepared, gaps), _Options(text, seed, guidance, steps, on_step))


def extend(
    model: MotionCLIP,
    motion: Motion,
    seconds: float,
    *,
    text: str | None = None,
    before: bool = False,
    seed: int | None = None,
    guidance: float = DEFAULT_GUIDANCE,
    steps: int = DEFAULT_STEPS,
    on_step: ProgressCallback = lambda done, total: None,
) -> Motion:
    """Returns a motion that goes on for some seconds, or that begins some seconds earlier.

    Args:
        model: as in :func:`complete`, like all that is not named here.
        motion: of half a second or more.
        seconds: how much longer; about 5 at most.
        text: what is done in them; whatever the motion suggests if None.
        before: whether they come before the motion, and not after it.
        seed: as in :func:`complete`.
        guidance: as in :func:`complete`.
        steps: as in :func:`complete`.
        on_step: as in :func:`complete`.

    Returns:
        Motion at the model's rate on the canonical skeleton, with the frames of ``motion`` as they are.

    Raises:
        MotionError: if the length is not positive or too long, or the motion is too short.
        TextError, ModelError, SkeletonError: as :func:`complete`.
    """
    prepared = resample(on_canonical(motion), model.config.fps)
    count = round(seconds * prepared.fps) if 0 < seconds < float("inf") else 0
    if count < 1:
        raise MotionError(f"a motion continued for {seconds} seconds; expected a frame or more")
    held = [0] * count + [*range(prepared.num_frames)] if before else [*range(prepared.num_frames)] + [-1] * count
    longer = replace(prepared, rotations=prepared.rotations[held], root=prepared.root[held])
    start = 0 if before else prepared.num_frames
    return _fill(model, longer, [(start, start + count)], _Options(text, seed, guidance, steps, on_step))


def _to_frames(motion: Motion, gaps: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Returns the first frame, and one after the last, of gaps in seconds, in order of time.

    Raises:
        MotionError: if there is none, or one is empty or outside of the motion.
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


def _fill(model: MotionCLIP, motion: Motion, gaps: Sequence[tuple[int, int]], options: _Options) -> Motion:
    """Returns the motion with its gaps, in frames and in order, filled one after the other."""
    limits = [*(start for start, _ in gaps[1:]), motion.num_frames]
    contexts = [_context(model, motion, gap, limit) for gap, limit in zip(gaps, limits, strict=True)]
    for number, ((start, stop), (first, last)) in enumerate(zip(gaps, contexts, strict=True)):
        window = GapWindow(motion.frames(first, last), start - first, stop - first)
        motion = with_frames(motion, start, _inpaint(model, window, options, number, len(gaps)))
    return motion


def _context(model: MotionCLIP, motion: Motion, gap: tuple[int, int], limit: int) -> tuple[int, int]:
    """Returns the first frame, and one after the last, of the window of a gap; nothing from ``limit`` on.

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


def interpolated(window: GapWindow) -> Motion:
    """Returns the window with joints turned on the shortest arc and the root on a line between the two borders.

    Where nothing is seen on one side, the pose at the other border is held.
    """
    motion, count = window.motion, window.stop - window.start
    before = window.start - 1 if window.start > 0 else window.stop
    after = window.stop if window.stop < motion.num_frames else before
    share = torch.arange(1, count + 1).to(motion.root) / (count + 1)
    ends = [frame for border in (before, after) for frame in [border] * count]
    first, last = motion.rotations[ends].chunk(2)
    between = rot.slerp(first, last, share)
    path = torch.lerp(motion.root[before], motion.root[after], share[:, None])
    return with_frames(motion, window.start, replace(motion, rotations=between, root=path))


def with_frames(motion: Motion, start: int, made: Motion) -> Motion:
    """Returns the motion with other frames from ``start`` on; all others are the same numbers."""
    rotations, root = motion.rotations.clone(), motion.root.clone()
    rotations[start : start + made.num_frames] = made.rotations.to(rotations)
    root[start : start + made.num_frames] = made.root.to(root)
    return replace(motion, rotations=rotations, root=root)


def _inpaint(model: MotionCLIP, window: GapWindow, options: _Options, number: int, gaps: int) -> Motion:
    """Returns the unseen frames of the window of gap ``number`` of ``gaps``, in the window's world."""
    guess = interpolated(window)
    target = from_motion(guess, model.config.fps).to(model.device)
    seen = window.seen.to(model.device)
    starts = _starts(model, window, guess, options)
    start = starts[torch.stack([_misfit(model, point[None], target, seen).detach() for point in starts]).argmin()]
    with torch.enable_grad():
        point = start.clone().requires_grad_(True)
        descent = torch.optim.Adam([point], lr=_RATE, betas=(0.9, 0.95))
        for step in range(options.steps):
            descent.param_groups[0]["lr"] = _RATE * (1 + math.cos(math.pi * step / options.steps)) / 2
            descent.zero_grad()
            loss = _misfit(model, point[None], target, seen) + _STAY * (point - start).square().sum()
            loss.backward()
            descent.step()
            options.on_step(number * options.steps + step + 1, gaps * options.steps)
    decoded = model.decode(model.from_tangent(point.detach()[None]), guess.duration)[0]
    decoded = turn(decoded, heading(guess.frames(0, 1))[0])
    decoded = replace(decoded, root=decoded.root + horizontal(guess.root[0].to(decoded.root)))
    return _correct_borders(window, decoded)


def _starts(model: MotionCLIP, window: GapWindow, guess: Motion, options: _Options) -> Tensor:
    """Returns points (N, P) of the tangent plane to start from.

    The interpolated motion's own; or several draws from the prior, under the words or under what is seen.
    """
    if options.text is None:
        behind = window.stop if window.start == 0 else 0
        known = guess if window.is_between else guess.frames(behind, behind + int(window.seen.sum()))
        condition = model.encode([known])
        if options.seed is None and window.is_between:
            return model.to_tangent(condition.clone())
    else:
        condition = model.embed_prompts([options.text])
    guidance = options.guidance if options.text is not None else 1.0
    first = check_seed(options.seed or 0) * _DRAWS % SEEDS
    drawn = model.sample(condition, guess.duration, guidance=guidance, seed=first, draws=_DRAWS)
    return model.to_tangent(drawn.clone())  # cloned, for what inference mode made takes no gradients


def _misfit(model: MotionCLIP, point: Tensor, target: Batch, seen: Tensor) -> Tensor:
    """Returns the mean squared difference, m^2, of what a point (1, P) decodes to and the seen frames (T,)."""
    made = model.decode_batch(model.from_tangent(point), target.mask)
    (_, one), (_, other) = pose(made.sixd, made.root), pose(target.sixd, target.root)
    joints = (one - one[:, :, :1] - other + other[:, :, :1]).square().sum(dim=-1).mean(dim=-1)
    turned = rot.sixd_to_matrix(made.sixd) - rot.sixd_to_matrix(target.sixd)
    path = (made.root - target.root).square().sum(dim=-1)
    return (joints + path + _ROTATIONS * turned.square().sum(dim=(-1, -2)).mean(dim=-1))[0, seen].mean()


def _correct_borders(window: GapWindow, decoded: Motion) -> Motion:
    """Returns the decoded frames of the gap, moved by the difference to the seen frames at its borders."""
    motion, start, stop = window.motion, window.start, window.stop
    turned = rot.matrix_to_rotvec(decoded.rotations.mT @ motion.rotations.to(decoded.rotations))
    turned[:start], turned[stop:] = rot.unwound(turned[:start].flip(0)).flip(0), rot.unwound(turned[stop:])
    moved = motion.root.to(decoded.root) - decoded.root
    turns = carry_residual(turned, start, stop, turned.new_zeros(3), motion.fps, reach=_REACH)
    moves = carry_residual(moved, start, stop, moved.new_tensor([1.0, 0.0, 1.0]), motion.fps)
    rotations = decoded.rotations[start:stop] @ rot.rotvec_to_matrix(turns)
    return replace(decoded, rotations=rotations, root=decoded.root[start:stop] + moves)


def carry_residual(
    residual: Tensor, start: int, stop: int, keep: Tensor, fps: float, *, reach: float = float("inf")
) -> Tensor:
    """Returns a residual that is known outside of a gap inside of it: smooth, with its value and rate at both ends.

    Args:
        residual: (T, ..., 3); the frames of the gap are not read.
        start: the first frame of the gap.
        stop: one after the last.
        keep: (3,) what is left of it, as a share, where nothing is known behind the gap.
        fps: frames per second.
        reach: seconds from a border at which its rate has died away; all of the gap at most, which makes a cubic.

    Returns:
        (stop - start, ..., 3).
    """
    frames, count = len(residual), stop - start
    if start == 0:
        return carry_residual(residual.flip(0), frames - stop, frames, keep, fps, reach=reach).flip(0)
    first, rate = residual[start - 1], residual[start - 1] - residual[start - 2]
    span = count + 1
    if stop < frames:
        last, leaving = residual[stop], residual[stop + 1] - residual[stop]
    else:
        last, leaving = first * keep, torch.zeros_like(first)
        span = min(span, round(_FADE * fps))
    near = min(span, reach * fps)
    passed = torch.arange(1, count + 1).to(residual).view(-1, *[1] * first.dim())
    t, after, ahead = ((part.clamp(0, 1)) for part in (passed / span, passed / near, (count + 1 - passed) / near))
    # Hermite's cubics: the first two carry the values, the others the rates
    ends = (1 + 2 * t) * (1 - t) ** 2 * first + t**2 * (3 - 2 * t) * last
    return ends + near * (after * (1 - after) ** 2 * rate - ahead * (1 - ahead) ** 2 * leaving)
