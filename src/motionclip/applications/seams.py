"""One motion after the other without a seam.

The second motion is placed and turned to where the first one ends. While they overlap, joints turn from one to
the other on an arc, and the body moves with a velocity between the two: a blend of places would drag it.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.errors import MotionError
from motionclip.model.grounding import plant_feet
from motionclip.motion import Motion, heading, horizontal, turn
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES, foot_contacts

#: Frames over which a contact comes and goes, so that planting a foot does not jerk the body.
_SOFT = 5


def join(first: Motion, second: Motion, overlap: int) -> Motion:
    """Both motions as one, of ``overlap`` frames less than they have together.

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
    second = _turned_to(ending, second)
    blend = _blended(ending, second.frames(0, overlap))
    parts = [blend] if start == 0 else [first.frames(0, start), blend]
    if second.num_frames > overlap:
        parts.append(_behind(blend, second, overlap))
    return replace(first, rotations=torch.cat([p.rotations for p in parts]), root=torch.cat([p.root for p in parts]))


def _behind(blend: Motion, second: Motion, overlap: int) -> Motion:
    """What the second motion does after the overlap, moved to where the blend ends."""
    rest = second.frames(overlap, second.num_frames)
    return replace(rest, root=rest.root + horizontal(blend.root[-1] - second.root[overlap - 1]))


def _turned_to(ending: Motion, second: Motion) -> Motion:
    """The second motion, facing in the overlap as the end of the first one does on average."""
    difference = heading(ending) - heading(second.frames(0, ending.num_frames))
    return turn(second, torch.atan2(difference.sin().mean(), difference.cos().mean()))


def _blended(a: Motion, b: Motion) -> Motion:
    """From ``a`` to ``b``, of as many frames each, starting where ``a`` does."""
    weight = _smooth(torch.linspace(0, 1, a.num_frames, dtype=a.root.dtype))
    steps = rot.unwound(rot.matrix_to_rotvec(a.rotations.mT @ b.rotations))
    rotations = a.rotations @ rot.rotvec_to_matrix(weight[:, None, None] * steps)
    between = ((weight[1:] + weight[:-1]) / 2)[:, None]
    velocity = horizontal(torch.lerp(torch.diff(a.root, dim=0), torch.diff(b.root, dim=0), between))
    path = torch.cat([a.root[:1], a.root[:1] + velocity.cumsum(dim=0)])
    path[:, 1] = torch.lerp(a.root[:, 1], b.root[:, 1], weight)
    blend = _grounded(replace(a, rotations=rotations, root=path), a, b, weight)
    contacts = torch.lerp(_contacts(a), _contacts(b), weight[:, None])
    planted = plant_feet(blend.positions[None, :, CONTACT_INDICES], blend.root[None], contacts[None])[0]
    return replace(blend, root=planted)


def _smooth(share: Tensor) -> Tensor:
    """0 to 1 with neither speed nor acceleration at the ends."""
    return share**3 * (10 - 15 * share + 6 * share**2)


def _grounded(blend: Motion, a: Motion, b: Motion, weight: Tensor) -> Motion:
    """The blend, lowered or raised until its lowest foot is as high as those of ``a`` and ``b`` say."""
    low, before, after = (motion.positions[:, CONTACT_INDICES, 1].amin(dim=1) for motion in (blend, a, b))
    higher = torch.lerp(before, after, weight) - low
    return replace(blend, root=blend.root + higher[:, None] * low.new_tensor(rot.Y_AXIS))


def _contacts(motion: Motion) -> Tensor:
    """How surely (T, 4) feet touch the floor, coming and going over several frames."""
    touching = foot_contacts(motion.positions, motion.fps).to(motion.root).T  # (4, T)
    return F.avg_pool1d(touching, _SOFT, stride=1, padding=_SOFT // 2, count_include_pad=False).T
