"""Transitions: where a motion is best entered from another, and both as one without a jump in pose, speed or place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from motionclip.errors import MotionError
from motionclip.model.postprocessing import foot_locked_root
from motionclip.motion import Motion, heading, horizontal, turn
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES, soft_contacts

#: Seconds that a difference of speed, m/s, counts as a difference of place, metres.
_SPEED = 0.2
#: Square metres that a square m/s away from the pace counts as.
_PACE = 0.1


def best_entry(ending: Motion, options: Sequence[Motion], entries: int, pace: Tensor | None = None) -> tuple[int, int]:
    """Returns which of several motions goes on best from another one, and from which of its frames.

    Poses and speeds are compared frame by frame while both are shown, seen from above the pelvis in the direction that
    the body faces, so that a step goes on where it is (Kovar et al., "Motion graphs", SIGGRAPH 2002).

    Args:
        ending: the frames that are shared.
        options: one or more, at the same rate.
        entries: how many first frames of each are considered; they have as many frames more than ``ending``, less one.
        pace: speed over the ground, m/s, that is to be kept throughout; None for none.
    """
    wanted, frames = body_features(ending), ending.num_frames
    costs = torch.stack(
        [
            (body_features(option).unfold(0, frames, 1)[:entries].movedim(-1, 1) - wanted).square().mean(dim=(1, 2))
            for option in options
        ]
    )
    if pace is not None:
        away = torch.stack([(paces(option) - pace).square().mean() for option in options])
        costs = costs + _PACE * away[:, None]
    which, start = divmod(int(costs.argmin()), costs.shape[1])
    return which, start


def paces(motion: Motion) -> Tensor:
    """Returns the speed over the ground, m/s, in each second of a motion, the steps of a foot averaged out."""
    width = min(round(motion.fps), motion.num_frames - 1)
    gone = horizontal(motion.root[width:] - motion.root[:-width]).norm(dim=-1)
    return gone * (motion.fps / width)


def body_features(motion: Motion) -> Tensor:
    """Returns joint positions, metres, then their speeds, weighted, seen from the body: (T, 6 J).

    From above the pelvis, that is, and in the direction in which it faces.
    """
    facing = rot.about_y(-heading(motion))
    places = (motion.positions - horizontal(motion.root)[:, None]) @ facing.mT
    if motion.num_frames == 1:
        return places.flatten(1)
    speeds = torch.gradient(motion.positions, dim=0)[0] @ facing.mT * (motion.fps * _SPEED)
    return torch.cat([places, speeds], dim=1).flatten(1)


def smootherstep(share: Tensor) -> Tensor:
    """Returns weights for shares 0 to 1: 0 to 1 with neither speed nor acceleration at the ends (Perlin 2002)."""
    return share**3 * (10 - 15 * share + 6 * share**2)


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
    weight = smootherstep(share)
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
    stands, steps_on = (soft_contacts(motion.positions, motion.fps) for motion in (a, b))
    contacts = torch.lerp(stands, steps_on, weight[:, None])
    feet = blend.positions[None, :, CONTACT_INDICES]
    return replace(blend, root=foot_locked_root(feet, blend.root[None], contacts[None])[0])
