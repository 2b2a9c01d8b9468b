"""One window under constraints: a motion of words, or a given one, no longer than the model makes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications.direct.constraint import Constraint
from motionclip.applications.direct.correct import correct
from motionclip.applications.direct.optimise import Term, descend
from motionclip.applications.direct.path import RootPath
from motionclip.applications.direct.pose import PoseAt
from motionclip.applications.direct.posed import ORIGIN, Place, Posed
from motionclip.applications.text_to_motion import Source, prompts_of, ranked_takes
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.progress import ProgressCallback

#: Steps of the descent, unless others are asked for.
DEFAULT_STEPS = 20
#: Draws from the prior that may be the start, the fittest being it; and drafts, of which each is one that matches best.
_STARTS, _DRAFTS = 24, 4
#: Square metres that a unit of the matcher's figure is worth (docs/experiments.md).
_WORDS = 0.02
#: Seconds that a difference of speed, m/s, counts as a difference of place, metres, where a window goes on.
_SPEED = 0.2


@dataclass(frozen=True, eq=False)
class Directed:
    """A motion and how well it does what was asked.

    Attributes:
        motion: on the canonical skeleton at the model's rate, in the world of the constraints.
        constraints: that it was asked for.
        errors: metres, of each constraint in their order.
    """

    motion: Motion
    constraints: tuple[Constraint, ...]
    errors: tuple[float, ...]

    @classmethod
    def of(cls, motion: Motion, constraints: Sequence[Constraint]) -> Directed:
        """Returns a motion with its errors."""
        return cls(motion, tuple(constraints), tuple(each.error(motion) for each in constraints))


@dataclass(frozen=True, eq=False)
class Continuation:
    """That the first frames of a window do what the last ones of the window before it do: a term of the descent.

    Attributes:
        ending: those frames, in the world.
    """

    ending: Motion

    def misfit(self, posed: Posed) -> Tensor:
        """Returns the mean square distance of joints and of their speeds (scalar), square metres."""
        wanted = self.ending.positions
        own = posed.positions[: len(wanted)]
        faster = (torch.diff(own, dim=0) - torch.diff(wanted, dim=0)) * (posed.fps * _SPEED)
        return (own - wanted).square().sum(dim=-1).mean() + faster.square().sum(dim=-1).mean()


@dataclass(frozen=True, eq=False)
class Meaning:
    """That a window does what words say, as far as the matcher sees it: a term of the descent.

    Attributes:
        model: with the matcher.
        words: (1, D) text latent.
    """

    model: MotionCLIP
    words: Tensor

    def misfit(self, posed: Posed) -> Tensor:
        """Returns less, the better they match (scalar), square metres; only differences mean anything."""
        return -_WORDS * self.model.match(posed.positions[None], self.words)[0]


def direct_window(
    model: MotionCLIP,
    source: Source,
    constraints: Sequence[Constraint],
    *,
    seconds: float,
    place: Place,
    seed: int,
    guidance: float,
    steps: int = DEFAULT_STEPS,
    after: Motion | None = None,
    on_step: ProgressCallback = lambda done, total: None,
) -> Motion:
    """Returns a motion that does what words say, or what a given one does, within constraints.

    Args:
        model: from :func:`motionclip.load`.
        source: words, or a motion on any human-like skeleton.
        constraints: in its own seconds, in the world; one or more.
        seconds: length; that of a given motion.
        place: where it starts.
        seed: of what is drawn for words.
        guidance: classifier-free guidance scale of words.
        steps: of the descent; fewer are faster, and leave more to the correction that follows it.
        after: frames that its first ones are to agree with, in the world.
        on_step: called with the number of steps done, and of all.

    Raises:
        ModelError: if the model cannot make that length.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    terms: list[Term] = list(constraints)
    if after is not None:
        terms.append(Continuation(after))
    if isinstance(source, Motion):
        starts = model.to_tangent(model.encode([source])).clone()
    else:
        prompts = prompts_of(model, [source])
        takes = ranked_takes(model, prompts, seconds, seed=seed, guidance=guidance, takes=_STARTS, drafts=_DRAFTS)
        # cloned, for what inference mode made takes no gradients
        starts = model.to_tangent(takes.latents[0]).clone()
        terms.append(Meaning(model, prompts.latents.clone()))
    point = descend(model, starts, model.num_frames(seconds), place, terms, steps, on_step)
    return correct(place.moved(model.decode(model.from_tangent(point[None]), seconds)[0]), constraints)


def start_of(constraints: Sequence[Constraint], otherwise: Place = ORIGIN) -> Place:
    """Returns where constraints let a motion start: where the path begins, or where a placed pose at 0 s stands."""
    for constraint in constraints:
        if isinstance(constraint, RootPath) and constraint.span(1.0)[0] == 0:
            return constraint.place
    for constraint in constraints:
        if isinstance(constraint, PoseAt) and constraint.placed and constraint.seconds == 0:
            return Place.of(constraint.body)
    return otherwise
