"""The floor: a decoded body that lies, crawls or falls is kept above it, trunk and arms; feet are locked elsewhere.

Shapes: B windows, T frames, the 24 joints of the canonical skeleton. Metres, Y up, y = 0 the floor.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.compiler import is_exporting
from torch.nn import functional as F

from motionclip.motion import CANONICAL, forward_kinematics
from motionclip.motion import rotations as rot
from motionclip.motion.kinematics import local_rotations

#: Least height of a joint's centre: half of the thickness of a hand, in metres.
_LEAST = 0.03
#: Joints that are only lifted with the whole body.
_TRUNK = [
    joint
    for joint, name in enumerate(CANONICAL.names)
    if not any(part in name for part in ("elbow", "wrist", "hand", "ankle", "foot"))
]
#: Bones of both arms from the shoulders down: the joints that turn, and those at the bones' ends.
_ARM_BONES = [
    (CANONICAL.indices([f"left_{joint}", f"right_{joint}"]), CANONICAL.indices([f"left_{end}", f"right_{end}"]))
    for joint, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand"))
]
_ENDS = [end for _, ends in _ARM_BONES for end in ends]
#: Frames before and after one that is lifted over which the lift grows and fades.
_FADE = 8


def keep_above_floor(rotations: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Returns rotations (B, T, 24, 3, 3) and root paths (B, T, 3) whose trunk and arms do not sink into the floor.

    The body is lifted until its trunk is above the floor, with a smooth onset; then each bone of an arm that still ends
    below is swung up about its joint. Feet are left where they are.
    """
    world, positions = forward_kinematics(rotations, root, CANONICAL)
    depth = _LEAST - positions[..., _TRUNK, 1].amin(dim=-1)
    if is_exporting() or depth.amax() > 0:  # a graph that is exported has no branches
        lift = _smooth_bound(depth.clamp(min=0))
        root = torch.cat([root[..., :1], root[..., 1:2] + lift[..., None], root[..., 2:]], dim=-1)
        positions = positions + (root - positions[..., 0, :])[..., None, :]
    if not is_exporting() and positions[..., _ENDS, 1].amin() >= _LEAST:
        return rotations, root
    turned, begin = world.clone(), positions[..., _ARM_BONES[0][0], :]
    for joints, ends in _ARM_BONES:
        bones = (world[..., joints, :, :] @ CANONICAL.offsets[ends].to(world)[..., None])[..., 0]
        aimed = _swung_up(bones, begin[..., 1])
        turned[..., joints, :, :] = rot.shortest_arc(bones, aimed) @ world[..., joints, :, :]
        begin = begin + aimed
    return local_rotations(turned, CANONICAL), root


def _swung_up(bone: Tensor, height: Tensor) -> Tensor:
    """Returns bones (..., 3) that begin at heights (...), swung up in their vertical plane to end above the floor."""
    length = bone.norm(dim=-1)
    rise = torch.maximum(bone[..., 1], (_LEAST - height).clamp(max=length))
    flat = (length**2 - rise**2).clamp(min=0).sqrt()
    aside = F.normalize(bone[..., ::2], dim=-1) * flat[..., None]
    return torch.stack([aside[..., 0], rise, aside[..., 1]], dim=-1)


def _smooth_bound(depth: Tensor) -> Tensor:
    """Returns a smooth curve (B, T) that is nowhere below depths (B, T): their running maximum, averaged."""
    width = 2 * _FADE + 1
    padded = F.pad(depth[:, None], (2 * _FADE, 2 * _FADE), mode="replicate")
    highest = F.max_pool2d(padded[:, None], (1, width), stride=1)  # of one dimension it is exported for one length only
    return F.avg_pool1d(highest[:, 0], width, stride=1)[:, 0]
