"""Storyboards: a list of texts and motions with durations becomes one motion, of any length.

The model makes a few seconds at a time. The shots are made one after the other, each a little longer than it is shown,
and blended where they overlap: the second motion is turned and placed to where the first one ends; joints turn from one
to the other on an arc; and the root moves with a velocity between the two, for a blend of its positions would drag it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_OVERLAP, DEFAULT_SECONDS
from motionclip.applications.text_to_motion import Source, text_to_motion
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.model.postprocessing import foot_locked_root
from motionclip.motion import Motion, canonicalize_heading, heading, horizontal, resample, turn
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES, foot_contacts
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback
from motionclip.seeds import following_seed

#: Frames over which a contact comes and goes, so that locking a foot does not jerk the body.
_SOFT = 5


def blend_motions(first: Motion, second: Motion, overlap: int) -> Motion:
    """Returns both motions as one, of ``overlap`` frames less than they have together, with a smooth transition.

    Args:
        first: on the canonical skeleton.
        second: the same, at the same rate.
        overlap: frames that they share, at least 2 and at most all of either.

    Raises:
        MotionError: if the overlap or the rates do not fit.
    """
    if not 2 <= overlap <= min(first.num_frames, second.num_frames) or first.fps != second.fps:
        raise MotionError(
            f"motions of {first.num_frames} and {second.num_frames} frames at {first.fps:g} and {second.fps:g} frames "
            f"per second with {overlap} in common; expected one rate and an overlap of 2 frames or more inside both"
        )
    start = first.num_frames - overlap
    ending = first.frames(start, first.num_frames)
    # the second one faces in the overlap as the end of the first one does on average
    difference = heading(ending) - heading(second.frames(0, overlap))
    second = turn(second, torch.atan2(difference.sin().mean(), difference.cos().mean()))
    blend = _blend(ending, second.frames(0, overlap))
    rest = second.root[overlap:] + horizontal(blend.root[-1] - second.root[overlap - 1])
    rotations = torch.cat([first.rotations[:start], blend.rotations, second.rotations[overlap:]])
    return replace(first, rotations=rotations, root=torch.cat([first.root[:start], blend.root, rest]))


def _blend(a: Motion, b: Motion) -> Motion:
    """Returns a motion from ``a`` to ``b``, of as many frames as each of them, starting where ``a`` does."""
    share = torch.linspace(0, 1, a.num_frames, dtype=a.root.dtype)
    weight = share**3 * (10 - 15 * share + 6 * share**2)  # 0 to 1 with neither speed nor acceleration at the ends
    steps = rot.unwound(rot.matrix_to_rotvec(a.rotations.mT @ b.rotations))
    rotations = a.rotations @ rot.rotvec_to_matrix(weight[:, None, None] * steps)
    between = ((weight[1:] + weight[:-1]) / 2)[:, None]
    velocity = horizontal(torch.lerp(torch.diff(a.root, dim=0), torch.diff(b.root, dim=0), between))
    path = torch.cat([a.root[:1], a.root[:1] + velocity.cumsum(dim=0)])
    path[:, 1] = torch.lerp(a.root[:, 1], b.root[:, 1], weight)
    blend = replace(a, rotations=rotations, root=path)
    # raised or lowered until the lowest foot is as high as those of both say
    low, before, after = (motion.positions[:, CONTACT_INDICES, 1].amin(dim=1) for motion in (blend, a, b))
    higher = torch.lerp(before, after, weight) - low
    blend = replace(blend, root=path + higher[:, None] * path.new_tensor(rot.Y_AXIS))
    contacts = torch.lerp(_soft_contacts(a), _soft_contacts(b), weight[:, None])
    feet = blend.positions[None, :, CONTACT_INDICES]
    return replace(blend, root=foot_locked_root(feet, blend.root[None], contacts[None])[0])


def _soft_contacts(motion: Motion) -> Tensor:
    """Returns how surely (T, 4), 0 to 1, feet touch the floor, coming and going over several frames."""
    touching = foot_contacts(motion.positions, motion.fps).to(motion.root).T  # (4, T)
    return F.avg_pool1d(touching, _SOFT, stride=1, padding=_SOFT // 2, count_include_pad=False).T


@dataclass(frozen=True)
class Shot:
    """A part of a storyboard: what is done, and for how long.

    Attributes:
        source: words, or a motion on any human-like skeleton.
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
        shown: frames from the middle of one transition to the middle of the next.
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
    film = _make(model, pieces[0], pieces[0].shown + overlaps[1] // 2, seed, guidance)
    on_piece(1, len(pieces))
    for number in range(1, len(pieces)):
        frames = pieces[number].shown + (overlaps[number] + overlaps[number + 1]) // 2
        film = blend_motions(
            film, _make(model, pieces[number], frames, following_seed(seed, number), guidance), overlaps[number]
        )
        on_piece(number + 1, len(pieces))
    return canonicalize_heading(film)


def _pieces(model: MotionCLIP, shot: Shot, overlap: int) -> list[_Piece]:
    """Returns a shot as pieces; words that last too long as several of about one length."""
    fps = model.config.fps
    if not isinstance(shot.source, str):
        motion = resample(on_canonical(shot.source), fps)
        return [_Piece(motion, motion.num_frames if shot.seconds is None else round(shot.seconds * fps))]
    frames = round((DEFAULT_SECONDS if shot.seconds is None else shot.seconds) * fps)
    count = max(1, math.ceil(frames / (model.config.max_frames - overlap)))
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


def _make(model: MotionCLIP, piece: _Piece, frames: int, seed: int, guidance: float) -> Motion:
    """Returns the motion of a piece, of ``frames`` frames; of fewer if a given motion has no more."""
    if isinstance(piece.source, str):
        return text_to_motion(model, piece.source, seconds=frames / model.config.fps, seed=seed, guidance=guidance)
    return piece.source.frames(0, min(frames, piece.source.num_frames))
