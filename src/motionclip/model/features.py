"""Motion to tensor and back: the only place where a Motion becomes numbers for the model.

A *window* is a run of frames in its own frame of reference: it starts above the origin and faces
+Z. Rotations are local and 6D (columns of the matrix). :mod:`motionclip.model.features` makes the
network's channels of it.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.model.postprocessing import align_bones
from motionclip.motion import CANONICAL, Motion, forward_kinematics, horizontal, resample
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT


@dataclass(frozen=True)
class Batch:
    """Windows as tensors.

    Attributes:
        sixd: (B, T, 24, 6) local rotations, heading-canonical.
        root: (B, T, 3) root path, metres, starting above the origin.
        mask: (B, T) true where a frame is real and not padding.
    """

    sixd: Tensor
    root: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same windows on a device."""
        return Batch(self.sixd.to(device), self.root.to(device), self.mask.to(device))

    @classmethod
    def padded(cls, batches: Sequence[Batch]) -> Batch:
        """Returns the windows of several batches as one, padded with zeros to the longest."""
        return cls(
            _padded([batch.sixd for batch in batches]),
            _padded([batch.root for batch in batches]),
            _padded([batch.mask for batch in batches]),
        )


def _padded(parts: Sequence[Tensor]) -> Tensor:
    frames = max(part.shape[1] for part in parts)
    return torch.cat([F.pad(part, (0, 0) * (part.dim() - 2) + (0, frames - part.shape[1])) for part in parts])


def yaw_matrix(sixd: Tensor) -> Tensor:
    """Rotations (B, 3, 3) about Y that turn windows (B, T, 24, 6) to face +Z in their first frame.

    The hips lie on the root's x axis, so the facing direction is read from the first column of
    the root's rotation, as :func:`motionclip.motion.heading` reads it from positions.
    """
    return rot.about_y(-rot.yaw_of_left(sixd[:, 0, 0, :3]))


def canonicalize(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Windows (B, T, 24, 6) and paths (B, T, 3) moved to start above the origin, facing +Z."""
    yaw = yaw_matrix(sixd)
    columns = sixd[:, :, 0].unflatten(-1, (2, 3))  # (B, T, 2, 3)
    pelvis = torch.einsum("bij,btcj->btci", yaw, columns).flatten(-2)
    path = torch.einsum("bij,btj->bti", yaw, root - horizontal(root[:, :1]))
    return torch.cat([pelvis[:, :, None], sixd[:, :, 1:]], dim=2), path


def mirror_windows(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror images of windows (B, T, 24, 6) and paths (B, T, 3), as :func:`motionclip.motion.mirror`."""
    sign = sixd.new_tensor([-1.0, 1.0, 1.0])
    signs = (sign[:2, None] * sign).flatten()  # S R S, column by column
    return sixd[:, :, list(CANONICAL.swapped_sides)] * signs, root * sign


def pose(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """World rotations (B, T, 24, 3, 3) and positions (B, T, 24, 3), metres, by forward kinematics."""
    return forward_kinematics(rot.sixd_to_matrix(sixd), root, CANONICAL)


def from_motion(motion: Motion, fps: float) -> Batch:
    """One motion on the canonical skeleton as a batch of one, resampled to ``fps`` and canonical."""
    resampled = resample(motion, fps)
    sixd, root = canonicalize(rot.matrix_to_sixd(resampled.rotations)[None], resampled.root[None])
    return Batch(sixd.float(), root.float(), torch.ones(1, root.shape[1], dtype=torch.bool))


def to_motions(rotations: Tensor, root: Tensor, fps: float) -> list[Motion]:
    """Local rotations (B, T, 24, 3, 3) and paths (B, T, 3) as motions on the canonical skeleton."""
    return [Motion(turned, path, fps, CANONICAL) for turned, path in zip(rotations.float(), root.float(), strict=True)]


# How the frames of a window become the network's feature channels, and back: one layout per convention.
#
# ==============  ===========  ==========================================================================
# layout          channels     rows of a frame
# ==============  ===========  ==========================================================================
# ``positions``   69 + 147     23 places relative to the root (m), and what ``velocity`` has: ours
# ``velocity``    144 + 3      24 rotations, height of the root (m), planar velocity of the root (m/s)
# ``translation`` 25 x 6       24 rotations, place of the root (m) and three zeros: the paper's
# ``published``   25 x 6       24 rotations as *rows*, Z up, and how the right ankle moves about the pelvis (m)
# ==============  ===========  ==========================================================================
#
# ``published`` is what the authors' released checkpoints were trained on: 6D rotations are the first two
# rows of the matrix, the root's in AMASS's axes (Z up). Where the place of the root was meant, the row of
# translation holds that of the right ankle, less its place in the first frame, on a body that was posed without
# its translation: the root's path is in no channel. It is here for those checkpoints only.


_JOINTS = CANONICAL.num_joints
_ROTATIONS = _JOINTS * 6
_PLACES = (_JOINTS - 1) * 3
_TO_Y_UP = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))  # AMASS is Z up: (x, y, z) becomes (x, z, -y)


@dataclass(frozen=True)
class Layout(ABC):
    """A convention of feature channels.

    Attributes:
        channels: C, numbers per frame.
        kinds: channels of one kind, which are scaled together where features are normalised.
        metres: for each kind, how many metres of error a unit of it counts as in the linear path.
    """

    channels: int
    kinds: tuple[slice, ...]
    metres: tuple[float, ...]

    @abstractmethod
    def features(self, batch: Batch, fps: float) -> Tensor:
        """Feature channels (B, T, C) of windows."""

    @abstractmethod
    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        """Feature channels (B, T, C) to 6D rotations (B, T, 24, 6), columns, and the root path (B, T, 3), metres."""


class VelocityLayout(Layout):
    """The path as velocities and not places, so that a walk looks alike wherever it has got to.

    The velocity of frame t leads from frame t to t + 1; the last frame repeats the one before it.
    """

    def features(self, batch: Batch, fps: float) -> Tensor:
        planar = batch.root[..., [0, 2]]
        velocity = torch.diff(planar, dim=1) * fps
        velocity = torch.cat([velocity, torch.zeros_like(planar[:, :1])], dim=1)
        follows = torch.cat([batch.mask[:, 1:], batch.mask.new_zeros(batch.mask.shape[0], 1)], dim=1)
        velocity = _hold_last(velocity, follows)
        return torch.cat([batch.sixd.flatten(-2), batch.root[..., 1:2], velocity], dim=-1)

    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        sixd = features[..., :_ROTATIONS].unflatten(-1, (_JOINTS, 6))
        height, velocity = features[..., _ROTATIONS], features[..., _ROTATIONS + 1 :]
        travelled = torch.cumsum(velocity[:, :-1] / fps, dim=1)
        planar = torch.cat([torch.zeros_like(velocity[:, :1]), travelled], dim=1)
        return sixd, torch.stack([planar[..., 0], height, planar[..., 1]], dim=-1)


class PositionLayout(Layout):
    """Places of the joints beside their rotations: a linear path is right about places, where rotations add errors up.

    On the way back the places lead, and rotations say how each bone is turned about itself.
    """

    def features(self, batch: Batch, fps: float) -> Tensor:
        real = batch.mask[..., None, None]
        sixd = torch.where(real, batch.sixd, _identity(batch.sixd))  # padding is no rotation
        places = pose(sixd, torch.zeros_like(batch.root))[1][:, :, 1:]
        return torch.cat([(places * real).flatten(2), LAYOUTS["velocity"].features(batch, fps)], dim=-1)

    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        places = features[..., :_PLACES].unflatten(-1, (_JOINTS - 1, 3))
        sixd, root = LAYOUTS["velocity"].window(features[..., _PLACES:], fps)
        places = torch.cat([torch.zeros_like(places[..., :1, :]), places], dim=-2)
        return rot.matrix_to_sixd(align_bones(rot.sixd_to_matrix(sixd), places)), root


class TranslationLayout(Layout):
    """The paper's 25 rows of 6 numbers; the last row is the place of the root and three zeros."""

    def features(self, batch: Batch, fps: float) -> Tensor:
        return torch.cat([batch.sixd.flatten(-2), batch.root, torch.zeros_like(batch.root)], dim=-1)

    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        return features[..., :_ROTATIONS].unflatten(-1, (_JOINTS, 6)), features[..., _ROTATIONS : _ROTATIONS + 3]


class PublishedLayout(Layout):
    """The conventions of the authors' checkpoints."""

    def features(self, batch: Batch, fps: float) -> Tensor:
        ankle = pose(batch.sixd, torch.zeros_like(batch.root))[1][:, :, CANONICAL.index("right_ankle")]
        turn = ankle.new_tensor(_TO_Y_UP)
        matrices = rot.sixd_to_matrix(batch.sixd)
        root = turn.T @ matrices[:, :, :1]
        rows = torch.cat([root, matrices[:, :, 1:]], dim=2)[..., :2, :]
        moved = (ankle - ankle[:, :1]) @ turn
        return torch.cat([rows.flatten(2), moved, torch.zeros_like(moved)], dim=-1)

    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        """As :meth:`Layout.window`, but that the root stays where it is: its path cannot be known.

        The first frame faces +Z, for AMASS faces anywhere, above the origin with its lowest foot joint on the floor.
        """
        turn = features.new_tensor(_TO_Y_UP)
        rows = features[..., :_ROTATIONS].unflatten(-1, (_JOINTS, 6))
        matrices = rot.sixd_to_matrix(rows).transpose(-1, -2)  # rows are the columns of the transpose
        sixd = rot.matrix_to_sixd(torch.cat([turn @ matrices[:, :, :1], matrices[:, :, 1:]], dim=2))
        origin = torch.zeros_like(features[:, :1, :3])
        feet = pose(sixd[:, :1], origin)[1][:, 0, CONTACT_INDICES, 1]
        lowest = (feet - feet.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2)).amin(dim=-1)
        root = origin - lowest[:, None, None] * origin.new_tensor(rot.Y_AXIS)
        return canonicalize(sixd, root.expand(-1, features.shape[1], -1))


def _hold_last(velocity: Tensor, follows: Tensor) -> Tensor:
    """Velocities (B, T, 2), with the last real frame's replaced by the one before, zero in padding."""
    count = follows.sum(dim=1)  # frames that have a successor
    last = (count - 1).clamp(min=0)[:, None, None].expand(-1, 1, 2)
    held = velocity.gather(1, last) * (count > 0)[:, None, None]
    step = torch.arange(velocity.shape[1], device=velocity.device)
    at_end = (step == count[:, None])[..., None]
    return torch.where(follows[..., None], velocity, torch.where(at_end, held, torch.zeros_like(velocity)))


def _identity(like: Tensor) -> Tensor:
    return like.new_tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])


def _slices(*sizes: int) -> tuple[slice, ...]:
    """Slices of these sizes, one behind the other."""
    ends = list(itertools.accumulate(sizes))
    return tuple(slice(end - size, end) for end, size in zip(ends, sizes, strict=True))


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "positions": PositionLayout(
            _PLACES + _ROTATIONS + 3, _slices(_PLACES, _ROTATIONS, 1, 2), metres=(1.0, 0.1, 1.0, 0.2)
        ),
        "velocity": VelocityLayout(_ROTATIONS + 3, _slices(_ROTATIONS, 1, 2), metres=(0.5, 1.0, 0.5)),
        "translation": TranslationLayout(_ROTATIONS + 6, _slices(_ROTATIONS, 6), metres=(0.5, 1.0)),
        "published": PublishedLayout(_ROTATIONS + 6, _slices(_ROTATIONS, 6), metres=(0.5, 1.0)),
    }
)
