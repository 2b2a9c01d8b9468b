"""Directing: a motion of words, or a given one, that follows a path, goes through poses and reaches places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.applications.direct.checks import check_all
from motionclip.applications.direct.constraint import Constraint
from motionclip.applications.direct.correct import correct
from motionclip.applications.direct.optimise import descend
from motionclip.applications.direct.path import RootPath
from motionclip.applications.direct.pose import PoseAt
from motionclip.applications.direct.posed import ORIGIN, Place
from motionclip.applications.text_to_motion import Source, ranked_takes, seconds_of
from motionclip.errors import ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.progress import ProgressCallback

#: Steps of the descent, unless others are asked for.
DEFAULT_STEPS = 24
#: Draws from the prior, and how many of them, those that agree most with the words, may be the start: the fittest is.
_DRAWS, _FITTING = 16, 8


@dataclass(frozen=True, eq=False)
class Directed:
    """A motion and how well it does what was asked.

    Attributes:
        motion: on the canonical skeleton at the model's rate, in the world of the constraints.
        errors: metres, of each constraint in their order.
    """

    motion: Motion
    errors: tuple[float, ...]


def direct(
    model: MotionCLIP,
    source: Source,
    constraints: Sequence[Constraint],
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
    steps: int = DEFAULT_STEPS,
    on_step: ProgressCallback = lambda done, total: None,
) -> Directed:
    """Returns a motion that does what words say, or what a given one does, within constraints.

    It starts where the path begins, or where a placed pose at 0 s stands; else above the origin, facing +Z.

    Args:
        model: from :func:`motionclip.load`.
        source: words, or a motion on any human-like skeleton.
        constraints: :class:`RootPath`, :class:`PoseAt` and :class:`Pin`, one or more, in any mixture.
        seconds: as in :func:`motionclip.text_to_motion`; the length of a given motion.
        seed: of what is drawn for words.
        guidance: classifier-free guidance scale of words.
        steps: of the descent; fewer are faster, and leave more to the correction that follows it.
        on_step: called with the number of steps done, and of all.

    Raises:
        MotionError: if no body could do it, or a time is outside of the motion.
        ModelError: if there is no constraint, or the model cannot make that length.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    if not constraints or steps < 1:
        raise ModelError(f"{len(constraints)} constraints and {steps} steps; expected one or more of both")
    seconds = seconds_of(model, [source], seconds)
    frames = model.num_frames(seconds)
    check_all(constraints, (frames - 1) / model.config.fps)
    place = start_of(constraints)
    point = descend(model, _starts(model, source, seconds, seed, guidance), frames, place, constraints, steps, on_step)
    decoded = place.moved(model.decode(model.from_tangent(point[None]), seconds)[0])
    motion = correct(decoded, constraints)
    return Directed(motion, tuple(constraint.error(motion) for constraint in constraints))


def start_of(constraints: Sequence[Constraint]) -> Place:
    """Returns where constraints let a motion start."""
    for constraint in constraints:
        if isinstance(constraint, RootPath):
            return constraint.place
    for constraint in constraints:
        if isinstance(constraint, PoseAt) and constraint.placed and constraint.seconds == 0:
            return Place.of(constraint.body)
    return ORIGIN


def _starts(model: MotionCLIP, source: Source, seconds: float, seed: int, guidance: float) -> Tensor:
    """Returns points (N, P) of the tangent plane: draws for words, and a given motion's own."""
    if isinstance(source, Motion):
        return model.to_tangent(model.encode([source])).clone()
    words = model.embed_prompts([source])
    draws = ranked_takes(model, words, seconds, seed=seed, guidance=guidance, takes=_DRAWS)
    # cloned, for what inference mode made takes no gradients
    return model.to_tangent(draws.latents[0, :_FITTING]).clone()
