"""Storyboards: a list of texts and motions with durations becomes one motion, of any length.

The model makes a few seconds at a time. The shots are made one after the other, each a little longer than it is shown.
Of the draws that match the words best the one is taken that goes on best from what is there, from that of its
frames which does, so that a walk keeps its steps; and both are blended where they overlap
(:mod:`motionclip.applications.transitions`). Under constraints a draw is moved until it meets them and goes on from
what is there (:mod:`motionclip.applications.direct.window`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_OVERLAP
from motionclip.applications.direct.checks import check_all
from motionclip.applications.direct.constraint import Constraint
from motionclip.applications.direct.correct import correct
from motionclip.applications.direct.path import RootPath
from motionclip.applications.direct.posed import ORIGIN, Place
from motionclip.applications.direct.window import DEFAULT_STEPS, Directed, direct_window, start_of
from motionclip.applications.shots import SLACK, Piece, overlaps_of, pieces_of
from motionclip.applications.shots import Shot as Shot
from motionclip.applications.text_to_motion import decode_takes, prompts_of, ranked_takes, text_to_motion
from motionclip.applications.transitions import best_entry, blend_motions, paces
from motionclip.errors import ModelError, MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, canonicalize_heading
from motionclip.progress import ProgressCallback
from motionclip.seeds import following_seed

#: Draws, and how many of them, those that match the words best, may go on.
_DRAWS, _FITTING = 12, 6
#: Seconds within which a draw of other words than those before may be entered.
_SLACK_OTHER = 0.4
#: Longest motion under constraints, seconds: holding its feet takes memory with the square of its length.
_MOST_SECONDS = 300.0


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
        As :func:`film`.
    """
    return film(model, shots, overlap=overlap, seed=seed, guidance=guidance, on_piece=on_piece).motion


def film(
    model: MotionCLIP,
    shots: Sequence[Shot],
    *,
    constraints: Sequence[Constraint] = (),
    place: Place = ORIGIN,
    overlap: float = DEFAULT_OVERLAP,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
    steps: int = DEFAULT_STEPS,
    on_piece: ProgressCallback = lambda done, total: None,
) -> Directed:
    """Returns the motion of a storyboard, and how far it is from constraints on all of it, and then from its shots'.

    Each piece is made under what falls into it, going on from the piece before; then the whole is corrected. A path
    without times over several pieces is shared by them as far as they go without it.

    Args:
        model: from :func:`motionclip.load`.
        shots: at least one.
        constraints: on all of it: in its seconds, in the world.
        place: where it starts, unless they say.
        overlap: as in :func:`storyboard`.
        seed: as in :func:`storyboard`.
        guidance: as in :func:`storyboard`.
        steps: of the descent of each piece under constraints.
        on_piece: as in :func:`storyboard`.

    Raises:
        MotionError: if there is no shot, one is shorter than two frames, or no body could do what is asked.
        ModelError: if the overlap leaves the model no time.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    if not shots:
        raise MotionError("a storyboard without a shot; expected at least one")
    most = _frames_of(model, overlap)
    pieces = [piece for shot in shots for piece in pieces_of(model, shot, most)]
    seconds = (sum(piece.shown for piece in pieces) - 1) / model.config.fps
    wanted = [each.within(0.0, seconds) for each in constraints]
    check_all(wanted, seconds)
    if seconds > _MOST_SECONDS and (wanted or any(piece.asked for piece in pieces)):
        raise MotionError(f"constraints on a motion of {seconds:.0f} s; expected at most {_MOST_SECONDS:g}: divide it")
    asked = list(wanted)
    if len(pieces) > 1 and any(isinstance(each, RootPath) for each in wanted):
        free = storyboard(model, [replace(shot, constraints=()) for shot in shots], overlap=overlap, seed=seed)
        asked = [part for each in wanted for part in _shared(each, free, pieces)]
    made = _Film(model, seed, guidance, steps, start_of(wanted, place), asked)
    overlaps = overlaps_of(pieces, most)
    for number, piece in enumerate(pieces):
        made.add(piece, overlaps[number], overlaps[number + 1])
        on_piece(number + 1, len(pieces))
    everything = [*wanted, *made.asked[len(asked) :]]
    return Directed.of(correct(made.motion, everything), everything)


def _frames_of(model: MotionCLIP, overlap: float) -> int:
    """Returns the frames of a transition, an even number.

    Raises:
        ModelError: if it has less than two, or leaves the model no time.
    """
    most = 2 * round(overlap * model.config.fps / 2) if 0 <= overlap < model.max_seconds else 0
    if most < 2 or most > model.config.max_frames - 2:
        least, longest = 2 / model.config.fps, model.max_seconds - 2 / model.config.fps
        raise ModelError(f"an overlap of {overlap} seconds; expected {least:.2g} to {longest:.2g}")
    return most


def _shared(constraint: Constraint, free: Motion, pieces: Sequence[Piece]) -> Sequence[Constraint]:
    """Returns a path in parts, one for each piece, as far as those go by themselves; else the constraint as it is."""
    if not isinstance(constraint, RootPath):
        return [constraint]
    return constraint.divided(free, [frame / free.fps for frame in itertools.accumulate(each.shown for each in pieces)])


@dataclass
class _Film:
    """What of a storyboard is made.

    Attributes:
        model: makes the pieces.
        seed: of the first.
        guidance: of words.
        steps: of the descent of each piece under constraints.
        place: where it starts.
        asked: constraints in its seconds, in the world; those of shots are added when they begin.
        done: frames that nothing changes any more.
        tail: those after them.
        last: the piece that was made last.
        count: pieces that were made.
        pace: speed over the ground, m/s, of the first of the last pieces with the same words.
    """

    model: MotionCLIP
    seed: int
    guidance: float
    steps: int
    place: Place
    asked: list[Constraint]
    done: list[Motion] = field(default_factory=list)
    tail: Motion | None = None
    last: Piece | None = None
    count: int = 0
    pace: Tensor | None = None

    @property
    def motion(self) -> Motion:
        """All of it."""
        assert self.tail is not None
        parts = [*self.done, self.tail]
        rotations, root = torch.cat([part.rotations for part in parts]), torch.cat([part.root for part in parts])
        return replace(self.tail, rotations=rotations, root=root)

    def add(self, piece: Piece, before: int, after: int) -> None:
        """Makes a piece that shares so many frames with the one before it, and will with the one after it."""
        fps, frames = self.model.config.fps, piece.shown + (before + after) // 2
        ending = self._ending(before)
        begin = sum(part.num_frames for part in self.done)
        place = self.place if ending is None else Place.of(ending)
        middle = place if ending is None else Place.of(ending, before // 2)
        self.asked = [*self.asked, *(each.moved(middle).shifted((begin + before // 2) / fps) for each in piece.asked)]
        span = begin / fps, (begin + frames - 1) / fps
        own = [part for each in self.asked if (part := each.during(*span)) is not None]
        made = self._made(piece, frames, place, ending, own)
        self.tail = made if ending is None else blend_motions(ending, made, before)
        if self.last is None or piece.source != self.last.source:
            self.pace = paces(made).mean()
        self.last, self.count = piece, self.count + 1

    def _ending(self, shared: int) -> Motion | None:
        """Returns the last frames of what is made, which are shared; those before them are done. None for nothing."""
        if self.tail is None:
            return None
        border = self.tail.num_frames - shared
        if border > 0:
            self.done.append(self.tail.frames(0, border))
        return self.tail.frames(border, self.tail.num_frames)

    def _made(
        self, piece: Piece, frames: int, place: Place, ending: Motion | None, own: Sequence[Constraint]
    ) -> Motion:
        """Returns the motion of a piece, of ``frames`` frames; of fewer if a given motion has no more."""
        source = piece.source
        if isinstance(source, Motion):
            source = source.frames(0, min(frames, source.num_frames))
            frames = source.num_frames
            if not (own and self.model.takes(source)):
                return place.moved(canonicalize_heading(source))
        seconds, seed = frames / self.model.config.fps, following_seed(self.seed, self.count)
        if own:
            return direct_window(
                self.model,
                source,
                own,
                seconds=seconds,
                place=place,
                seed=seed,
                guidance=self.guidance,
                steps=self.steps,
                after=ending,
            )
        assert isinstance(source, str)
        if ending is None:
            motion = text_to_motion(self.model, source, seconds=seconds, seed=seed, guidance=self.guidance)
            return place.moved(motion)
        return self._next(source, frames, ending, seed)

    def _next(self, words: str, frames: int, ending: Motion, seed: int) -> Motion:
        """Returns a draw of words that goes on from ``ending``, of ``frames`` frames."""
        slack = SLACK if self.last is not None and words == self.last.source else _SLACK_OTHER
        made = min(frames + round(slack * ending.fps), max(self.model.config.max_frames, frames))
        seconds = made / self.model.config.fps
        prompts = prompts_of(self.model, [words])
        drawn = ranked_takes(self.model, prompts, seconds, seed=seed, guidance=self.guidance, takes=_DRAWS, drafts=1)
        takes = sorted(decode_takes(self.model, drawn, seconds)[0], key=lambda take: -take.quality)
        options = [take.motion for take in takes[:_FITTING]]
        goes_on = self.last is not None and words == self.last.source
        which, start = best_entry(ending, options, made - frames + 1, self.pace if goes_on else None)
        return options[which].frames(start, start + frames)
