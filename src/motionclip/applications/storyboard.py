"""Storyboards: a list of texts and motions with durations becomes one motion, of any length.

The model makes a few seconds at a time. The shots are made one after the other, each a little longer than it is shown.
Of the draws that agree most with the words the one is taken that goes on best from what is there, from that of its
frames which does, so that a walk keeps its steps; and both are blended where they overlap
(:mod:`motionclip.applications.transitions`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_OVERLAP, DEFAULT_SECONDS
from motionclip.applications.direct import Constraint, direct
from motionclip.applications.text_to_motion import Source, ranked_takes, text_to_motion
from motionclip.applications.transitions import best_entry, blend_motions
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, canonicalize_heading, resample
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback
from motionclip.seeds import following_seed

#: Draws, and how many of them, those that agree most with the words, may go on.
_DRAWS, _FITTING = 12, 6
#: Seconds within which a draw may be entered: of the same words a cycle of two steps, of others hardly any.
_SLACK_SAME, _SLACK_OTHER = 1.0, 0.4


@dataclass(frozen=True)
class Shot:
    """A part of a storyboard: what is done, and for how long.

    Attributes:
        source: words, or a motion on any human-like skeleton.
        seconds: how long; 4 for words, and the whole of a motion, if not given.
        constraints: what it is asked beside the words, as for :func:`motionclip.direct`: in seconds of the shot, and in
            metres from above where it starts, z ahead and x to the left.

    Raises:
        MotionError: if the length is not positive, the motion is shorter, or constraints are put on a given motion.
    """

    source: Source
    seconds: float | None = None
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise MotionError(f"a shot of {self.seconds} seconds; expected a positive number")
        if isinstance(self.source, Motion) and self.constraints:
            raise MotionError("constraints on a shot that is a given motion; direct the motion first, then show it")
        if isinstance(self.source, Motion) and self.seconds is not None and self.seconds > self.source.duration + 0.05:
            raise MotionError(
                f"a shot of {self.seconds:g} seconds of a motion of {self.source.duration:.2f}; expected at most that"
            )


@dataclass(frozen=True)
class _Piece:
    """What is made at once: words for at most what the model makes, or a motion on the canonical skeleton.

    Attributes:
        source: what is done.
        shown: frames from the middle of one transition to the middle of the next.
        constraints: those of the shot.
    """

    source: Source
    shown: int
    constraints: tuple[Constraint, ...] = ()

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
    on_piece: ProgressCallback = lambda done, total: None,
) -> Motion:
    """Returns one motion that does one shot after the other, without a jump in pose, speed or position.

    Shots of words last exactly as long as they say, from the middle of one transition to the middle of the next; longer
    ones than the model makes are made in several pieces. A given motion loses half of each transition beside it, unless
    it goes on after its ``seconds``.

    Args:
        model: from :func:`motionclip.load`.
        shots: at least one.
        overlap: seconds of a transition; less beside shots that are shorter.
        seed: of the first piece; each further one takes the next number, so that the same words are not done alike.
        guidance: classifier-free guidance scale of words; above 1 follows them more closely.
        on_piece: called with the number of pieces done, and of all.

    Returns:
        Motion at the model's rate on the canonical skeleton, from above the origin.

    Raises:
        MotionError: if there is no shot, or one is shorter than two frames.
        ModelError: if the overlap leaves the model no time.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    if not shots:
        raise MotionError("a storyboard without a shot; expected at least one")
    most = 2 * round(overlap * model.config.fps / 2) if 0 <= overlap < model.max_seconds else 0
    if most < 2 or most > model.config.max_frames - 2:
        least, longest = 2 / model.config.fps, model.max_seconds - 2 / model.config.fps
        raise MotionError(f"an overlap of {overlap} seconds; expected {least:.2g} to {longest:.2g}")
    pieces = [piece for shot in shots for piece in _pieces(model, shot, most)]
    overlaps = [0, *(_shared(a, b, most) for a, b in itertools.pairwise(pieces)), 0]
    tail = _first(model, pieces[0], pieces[0].shown + overlaps[1] // 2, seed, guidance)
    done = []  # frames that nothing changes any more
    on_piece(1, len(pieces))
    for number, (before, piece) in enumerate(itertools.pairwise(pieces), 1):
        frames = piece.shown + (overlaps[number] + overlaps[number + 1]) // 2
        border = tail.num_frames - overlaps[number]
        if border > 0:
            done.append(tail.frames(0, border))
        ending = tail.frames(border, tail.num_frames)
        slack = _SLACK_SAME if piece.source == before.source else _SLACK_OTHER
        own = following_seed(seed, number)
        if piece.constraints:
            later = [each.shifted(overlaps[number] / 2 / tail.fps) for each in piece.constraints]
            following = _first(model, replace(piece, constraints=tuple(later)), frames, own, guidance)
        else:
            following = _next(model, piece, frames, ending, round(slack * tail.fps), own, guidance)
        tail = blend_motions(ending, following, overlaps[number])
        on_piece(number + 1, len(pieces))
    parts = [*done, tail]
    rotations, root = torch.cat([part.rotations for part in parts]), torch.cat([part.root for part in parts])
    return canonicalize_heading(replace(tail, rotations=rotations, root=root))


def _pieces(model: MotionCLIP, shot: Shot, overlap: int) -> list[_Piece]:
    """Returns a shot as pieces; words that last too long as several of about one length."""
    fps = model.config.fps
    if not isinstance(shot.source, str):
        motion = resample(on_canonical(shot.source), fps)
        return [_Piece(motion, motion.num_frames if shot.seconds is None else round(shot.seconds * fps))]
    frames = round((DEFAULT_SECONDS if shot.seconds is None else shot.seconds) * fps)
    slack = round(_SLACK_SAME * fps)
    count = max(1, math.ceil(frames / max(model.config.max_frames - overlap - slack, 2)))
    if shot.constraints and frames + overlap <= model.config.max_frames:
        return [_Piece(shot.source, frames, shot.constraints)]
    if shot.constraints:
        longest = (model.config.max_frames - overlap) / fps
        raise MotionError(f"constraints on a shot of {frames / fps:g} s; expected at most {longest:g}: divide it")
    return [_Piece(shot.source, frames * (n + 1) // count - frames * n // count) for n in range(count)]


def _shared(a: _Piece, b: _Piece, most: int) -> int:
    """Returns the frames, an even number, that two pieces share.

    Raises:
        MotionError: if one of them is too short.
    """
    shared = min(most, a.room, b.room) // 2 * 2
    if shared < 2:
        raise MotionError("a shot of fewer than 2 frames, or a motion of fewer than 4; expected longer ones")
    return shared


def _first(model: MotionCLIP, piece: _Piece, frames: int, seed: int, guidance: float) -> Motion:
    """Returns the motion of the first piece, of ``frames`` frames; of fewer if a given motion has no more."""
    if isinstance(piece.source, str) and piece.constraints:
        return direct(
            model, piece.source, piece.constraints, seconds=frames / model.config.fps, seed=seed, guidance=guidance
        ).motion
    if isinstance(piece.source, str):
        return text_to_motion(model, piece.source, seconds=frames / model.config.fps, seed=seed, guidance=guidance)
    return piece.source.frames(0, min(frames, piece.source.num_frames))


def _next(
    model: MotionCLIP, piece: _Piece, frames: int, ending: Motion, slack: int, seed: int, guidance: float
) -> Motion:
    """Returns the motion of a piece, of ``frames`` frames, that goes on from ``ending``; of fewer as :func:`_first`."""
    if not isinstance(piece.source, str):
        return piece.source.frames(0, min(frames, piece.source.num_frames))
    made = min(frames + slack, max(model.config.max_frames, frames))
    seconds = made / model.config.fps
    words = model.embed_prompts([piece.source])
    drawn = ranked_takes(model, words, seconds, seed=seed, guidance=guidance, takes=_DRAWS)
    options = model.decode(drawn.latents[0, :_FITTING], seconds)
    which, start = best_entry(ending, options, made - frames + 1)
    return options[which].frames(start, start + frames)
