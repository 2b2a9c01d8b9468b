"""Feet that stand where they are planted: root path and legs, corrected by the contacts that the decoder predicts."""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.motion import CANONICAL, forward_kinematics, horizontal
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES
from motionclip.motion.legs import move_ankles
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

#: Of a foot in the air, what is left after a frame of what it was moved by while it stood.
_LET_GO = 0.8
#: Squared probabilities of contact below the first leave a foot free, above the second hold it.
_FREE, _HELD = 0.1, 0.6


def ground(rotations: Tensor, root: Tensor, contacts: Tensor) -> tuple[Tensor, Tensor]:
    """Rotations and root paths (B, T, 3) of windows with their feet planted, and what still slides held by the legs.

    Args:
        rotations: (B, T, 24, 3, 3) local rotations.
        root: decoded root path, metres.
        contacts: (B, T, 4) probability of contact of :data:`~motionclip.motion.contacts.CONTACT_JOINTS`.
    """
    world, places = forward_kinematics(rotations, root, CANONICAL)
    feet = places[:, :, CONTACT_INDICES]
    planted = plant_feet(feet, root, contacts)
    shift = hold_feet(feet + (planted - root)[:, :, None], contacts)
    return move_ankles(rotations, world, places, shift), planted


def plant_feet(feet: Tensor, root: Tensor, contacts: Tensor) -> Tensor:
    """Root paths (B, T, 3) on which standing feet slide least.

    A foot that stands while the body's pose moves it by d relative to the root means that the
    root moved by -d. Where feet stand, the root's planar velocity is replaced by that of the
    standing feet, in proportion to how sure the contact is; in flight it is kept.

    Args:
        feet: (B, T, 4, 3) places of :data:`~motionclip.motion.contacts.CONTACT_JOINTS` in the world, metres.
        root: (B, T, 3) decoded root path, metres.
        contacts: (B, T, 4) probability of contact of the same joints.
    """
    standing = _standing(contacts)
    correction = -_weighted(_slides(feet), standing) * standing.amax(dim=2)[..., None]
    moved = torch.cumsum(correction, dim=1)  # (B, T - 1, 3)
    return torch.cat([root[:, :1], root[:, 1:] + moved], dim=1)


def hold_feet(feet: Tensor, contacts: Tensor) -> Tensor:
    """Shifts (B, T, 2, 3), metres, of the left and the right ankle that keep standing feet where they are.

    What :func:`plant_feet` leaves: the root can make good for one foot, not for two that slide apart. A foot is held
    from both ends of its contact, and what it was moved by fades where it leaves the floor. None is left below it.

    Args:
        feet: (B, T, 4, 3) places of :data:`~motionclip.motion.contacts.CONTACT_JOINTS` in the world, metres.
        contacts: (B, T, 4) probability of contact of the same joints.
    """
    feet, standing = feet.unflatten(2, (2, 2)), _standing(contacts).unflatten(2, (2, 2))  # side, ankle and ball
    held = ((standing.amax(dim=3) - _FREE) / (_HELD - _FREE)).clamp(0, 1)  # (B, T - 1, 2)
    wanted = -_weighted(_slides(feet), standing) * held[..., None]
    below = (feet.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT]) - feet[..., 1]).amax(dim=3).clamp(min=0)  # (B, T, 2)
    return _kept_up(wanted, held) + below[..., None] * feet.new_tensor(rot.Y_AXIS)


def _kept_up(steps: Tensor, held: Tensor) -> Tensor:
    """Shifts (B, T, 2, 3) that change by steps (B, T - 1, 2, 3) where a foot is held (B, T - 1, 2), and fade where not.

    Half of it adds the steps up from the first frame on, half takes them back from the last: so it is of the same size
    at both ends of a contact. A step counts at a frame for what is left of it after the frames between them.
    """
    fade = torch.log(_LET_GO + (1 - _LET_GO) * held).transpose(1, 2)  # (B, 2, T - 1)
    passed = torch.cat([torch.zeros_like(fade[..., :1]), fade.cumsum(dim=-1)], dim=-1)  # (B, 2, T)
    frame = torch.arange(passed.shape[-1], device=steps.device)[:, None]
    later = frame > frame[:-1, 0]  # (T, T - 1): whether the frame comes after the step
    gone = passed[..., :, None] - torch.where(later, passed[..., None, :-1], passed[..., None, 1:])
    weight = torch.where(later, 1.0, -1.0) * torch.exp(-gone.abs()) / 2
    return torch.einsum("bsti,bisx->btsx", weight, steps)


def _slides(feet: Tensor) -> Tensor:
    """What feet (B, T, ..., 3) move over the ground from frame to frame: (B, T - 1, ..., 3) metres."""
    return horizontal(torch.diff(feet, dim=1))


def _standing(contacts: Tensor) -> Tensor:
    """How surely (B, T - 1, 4) a joint is on the floor in two frames on end."""
    return torch.minimum(contacts[:, 1:], contacts[:, :-1]) ** 2


def _weighted(moves: Tensor, standing: Tensor) -> Tensor:
    """Mean (..., 3) of moves (..., F, 3) by weights (..., F); 0 where nothing stands."""
    return (moves * standing[..., None]).sum(dim=-2) / standing.sum(dim=-1, keepdim=True).clamp(min=1e-6)
