"""Feet that stand where they are planted: the root path, corrected by the contacts the decoder predicts."""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.model.features import pose
from motionclip.motion import CANONICAL
from motionclip.motion.contacts import CONTACT_JOINTS


def plant_feet(sixd: Tensor, root: Tensor, contacts: Tensor) -> Tensor:
    """Root paths (B, T, 3) on which standing feet slide least.

    A foot that stands while the body's pose moves it by d relative to the root means that the
    root moved by -d. Where feet stand, the root's planar velocity is replaced by that of the
    standing feet, in proportion to how sure the contact is; in flight it is kept.

    Args:
        sixd: (B, T, 24, 6) local rotations.
        root: (B, T, 3) decoded root path, metres.
        contacts: (B, T, 4) probability of contact of :data:`CONTACT_JOINTS`.
    """
    _, positions = pose(sixd, root)
    feet = positions[:, :, CANONICAL.indices(CONTACT_JOINTS)][..., [0, 2]]  # (B, T, 4, 2)
    slide = torch.diff(feet, dim=1)  # metres per frame, in the world
    standing = torch.minimum(contacts[:, 1:], contacts[:, :-1])[..., None] ** 2
    weight = standing.sum(dim=2)
    sure = standing.amax(dim=2)
    correction = -(slide * standing).sum(dim=2) / weight.clamp(min=1e-6) * sure  # (B, T - 1, 2)
    moved = torch.cumsum(correction, dim=1)
    shift = torch.zeros_like(root)
    shift[:, 1:, 0], shift[:, 1:, 2] = moved[..., 0], moved[..., 1]
    return root + shift
