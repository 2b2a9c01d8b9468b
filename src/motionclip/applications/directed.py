"""Directing: a motion of any length that follows a path, goes through poses, reaches places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.applications.direct.checks import check_all
from motionclip.applications.direct.constraint import Constraint
from motionclip.applications.direct.correct import correct
from motionclip.applications.direct.path import RootPath
from motionclip.applications.direct.posed import Place
from motionclip.applications.direct.window import DEFAULT_STEPS, Directed, direct_window, start_of
from motionclip.applications.long import is_long, shots_along, shots_for
from motionclip.applications.storyboard import film
from motionclip.applications.text_to_motion import Source, seconds_of
from motionclip.errors import ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, resample
from motionclip.motion.retarget import on_canonical
from motionclip.progress import ProgressCallback


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

    It starts where the path begins, or where a placed pose at 0 s stands; else above the origin, facing +Z. Words for
    longer than the model makes at once, and "..., then ...", become several windows, each under what falls into it. So
    does a longer motion that is given, where it is to follow a path; else it is corrected where it stands, by blending
    and inverse kinematics alone.

    Args:
        model: from :func:`motionclip.load`.
        source: words, or a motion on any human-like skeleton.
        constraints: :class:`RootPath`, :class:`PoseAt` and :class:`Pin`, one or more, in any mixture.
        seconds: as in :func:`motionclip.long_motion`; the length of a given motion.
        seed: of what is drawn for words.
        guidance: classifier-free guidance scale of words.
        steps: of the descent; fewer are faster, and leave more to the correction that follows it.
        on_step: called with the number of steps, or of windows, done, and of all.

    Raises:
        MotionError: if no body could do it, or a time is outside of the motion.
        ModelError: if there is no constraint, or the model cannot make that length.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    if not constraints or steps < 1:
        raise ModelError(f"{len(constraints)} constraints and {steps} steps; expected one or more of both")
    how: dict[str, Any] = {"steps": steps, "seed": seed, "guidance": guidance}
    if isinstance(source, Motion) and not model.takes(source):
        motion = resample(on_canonical(source), model.config.fps)
        paths = [each for each in constraints if isinstance(each, RootPath)]
        if not paths:
            check_all(constraints, (motion.num_frames - 1) / motion.fps)
            return Directed.of(correct(motion, constraints), constraints)
        shots = shots_along(model, motion, paths)
        return film(model, shots, constraints=constraints, place=Place.of(motion), on_piece=on_step, **how)
    if isinstance(source, str) and is_long(model, source, seconds):
        return film(model, shots_for(source, seconds), constraints=constraints, on_piece=on_step, **how)
    seconds = seconds_of(model, [source], seconds)
    check_all(constraints, (model.num_frames(seconds) - 1) / model.config.fps)
    place = start_of(constraints)
    motion = direct_window(model, source, constraints, seconds=seconds, place=place, on_step=on_step, **how)
    return Directed.of(motion, constraints)
