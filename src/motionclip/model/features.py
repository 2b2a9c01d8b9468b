"""From motions to tensors and back: windows, batches of them, and layouts of feature channels.

A *window* is a motion in its own frame of reference: it starts above the origin and faces +Z. Its rotations are local
and 6D, the first two columns of the matrix. A *layout* is a convention of feature channels, which a network reads and
writes:

==============  ===========  ==========================================================================
layout          channels     a frame
==============  ===========  ==========================================================================
``positions``   69 + 147     positions of 23 joints relative to the root (m), then ``velocity``: ours
``velocity``    144 + 3      24 rotations, height of the root (m), planar velocity of the root (m/s)
``translation`` 25 x 6       24 rotations, position of the root (m) and three zeros: the paper's
``published``   25 x 6       24 rotations as *rows*, Z up, and the right ankle's displacement about the pelvis (m)
==============  ===========  ==========================================================================

``published`` is what the authors' released checkpoints were trained on: 6D rotations are the first two rows of the
matrix, the root's in AMASS's axes (Z up). Where the paper means the root's translation, it holds the position of the
right ankle, less that of the first frame, on a body posed without its translation: the root's path is in no channel.

Shapes: B windows, T frames, C feature channels.
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
    """Windows as tensors, padded to one length.

    Attributes:
        sixd: (B, T, 24, 6) local rotations, facing +Z at the start.
        root: (B, T, 3) root path, metres, starting above the origin.
        mask: (B, T) true for real frames, false for padding.
    """

    sixd: Tensor
    root: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> Batch:
        """Returns the windows on a device."""
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
    """Returns rotations (B, 3, 3) about Y that turn windows (B, T, 24, 6) to face +Z in their first frame.

    The hips lie on the root's x axis, so the heading is read from the first column of the root's rotation, as
    :func:`motionclip.motion.heading` reads it from positions.
    """
    return rot.about_y(-rot.yaw_of_left(sixd[:, 0, 0, :3]))


def canonicalize(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Returns windows (B, T, 24, 6) and paths (B, T, 3), moved to start above the origin and face +Z."""
    yaw = yaw_matrix(sixd)
    columns = sixd[:, :, 0].unflatten(-1, (2, 3))  # (B, T, 2, 3)
    pelvis = torch.einsum("bij,btcj->btci", yaw, columns).flatten(-2)
    path = torch.einsum("bij,btj->bti", yaw, root - horizontal(root[:, :1]))
    return torch.cat([pelvis[:, :, None], sixd[:, :, 1:]], dim=2), path


def mirror_windows(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Returns windows (B, T, 24, 6) and paths (B, T, 3), mirrored as by :func:`motionclip.motion.mirror`."""
    sign = sixd.new_tensor([-1.0, 1.0, 1.0])
    signs = (sign[:2, None] * sign).flatten()  # S R S, column by column
    return sixd[:, :, list(CANONICAL.swapped_sides)] * signs, root * sign


def pose(sixd: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Returns world rotations (B, T, 24, 3, 3) and joint positions (B, T, 24, 3), metres, by forward kinematics."""
    return forward_kinematics(rot.sixd_to_matrix(sixd), root, CANONICAL)


def from_motion(motion: Motion, fps: float) -> Batch:
    """Returns a motion on the canonical skeleton as a batch of one window, resampled to ``fps``."""
    resampled = resample(motion, fps)
    sixd, root = canonicalize(rot.matrix_to_sixd(resampled.rotations)[None], resampled.root[None])
    return Batch(sixd.float(), root.float(), torch.ones(1, root.shape[1], dtype=torch.bool))


def to_motions(rotations: Tensor, root: Tensor, fps: float) -> list[Motion]:
    """Returns local rotations (B, T, 24, 3, 3) and paths (B, T, 3) as motions on the canonical skeleton."""
    return [Motion(local, path, fps, CANONICAL) for local, path in zip(rotations.float(), root.float(), strict=True)]


# --- Layouts ---

_JOINTS = CANONICAL.num_joints
_ROTATIONS = _JOINTS * 6
_POSITIONS = (_JOINTS - 1) * 3
_TO_Y_UP = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))  # AMASS is Z up: (x, y, z) becomes (x, z, -y)
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Layout(ABC):
    """A convention of feature channels.

    Attributes:
        channels: C, numbers per frame.
        kinds: slices of channels of one kind, which are normalised by one scale.
        metres: for each kind, the metres of error that a unit of it counts as in the PCA.
    """

    channels: int
    kinds: tuple[slice, ...]
    metres: tuple[float, ...]

    @abstractmethod
    def features(self, batch: Batch, fps: float) -> Tensor:
        """Returns the feature channels (B, T, C) of windows."""

    @abstractmethod
    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        """Returns the 6D rotations (B, T, 24, 6) and root paths (B, T, 3), metres, of feature channels (B, T, C)."""

    def positions(self, features: Tensor, fps: float) -> Tensor:
        """Returns the joint positions (B, T, 24, 3), metres, of feature channels (B, T, C)."""
        return pose(*self.window(features, fps))[1]


class VelocityLayout(Layout):
    """The root's path as velocities, so that a walk looks the same wherever it has got to.

    The velocity of frame t leads to frame t + 1; the last real frame repeats the one before it, padding has 0.
    """

    def features(self, batch: Batch, fps: float) -> Tensor:
        velocity = torch.diff(batch.root[..., [0, 2]], dim=1) * fps
        velocity = F.pad(velocity, (0, 0, 0, 1)) * F.pad(batch.mask[:, 1:], (0, 1))[..., None]
        frame, last = torch.arange(velocity.shape[1], device=velocity.device), batch.mask.sum(dim=1)[:, None, None] - 1
        held = velocity.gather(1, (last - 1).clamp(min=0).expand(-1, 1, 2))
        velocity = torch.where(frame[:, None] == last, held, velocity)
        return torch.cat([batch.sixd.flatten(-2), batch.root[..., 1:2], velocity], dim=-1)

    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        sixd = features[..., :_ROTATIONS].unflatten(-1, (_JOINTS, 6))
        height, velocity = features[..., _ROTATIONS], features[..., _ROTATIONS + 1 :]
        planar = F.pad(torch.cumsum(velocity[:, :-1] / fps, dim=1), (0, 0, 1, 0))
        return sixd, torch.stack([planar[..., 0], height, planar[..., 1]], dim=-1)


class PositionLayout(Layout):
    """Joint positions beside rotations, whose errors would add up from the pelvis to the hands.

    On the way back, bones take their directions from the positions and only their twist from the rotations
    (:func:`~motionclip.model.postprocessing.align_bones`).
    """

    def features(self, batch: Batch, fps: float) -> Tensor:
        real = batch.mask[..., None, None]
        sixd = torch.where(real, batch.sixd, batch.sixd.new_tensor(_IDENTITY))  # padding is no rotation
        positions = pose(sixd, torch.zeros_like(batch.root))[1][:, :, 1:]
        return torch.cat([(positions * real).flatten(2), LAYOUTS["velocity"].features(batch, fps)], dim=-1)

    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        sixd, root = LAYOUTS["velocity"].window(features[..., _POSITIONS:], fps)
        return rot.matrix_to_sixd(align_bones(rot.sixd_to_matrix(sixd), self._from_root(features))), root

    def positions(self, features: Tensor, fps: float) -> Tensor:
        """Returns the joint positions (B, T, 24, 3), metres, that the channels hold; bones have no certain length."""
        root = LAYOUTS["velocity"].window(features[..., _POSITIONS:], fps)[1]
        return self._from_root(features) + root[:, :, None]

    def _from_root(self, features: Tensor) -> Tensor:
        return F.pad(features[..., :_POSITIONS].unflatten(-1, (_JOINTS - 1, 3)), (0, 0, 1, 0))  # root at 0


class TranslationLayout(Layout):
    """The paper's 25 rows of 6 numbers: 24 rotations, then the root's position and three zeros."""

    def features(self, batch: Batch, fps: float) -> Tensor:
        return torch.cat([batch.sixd.flatten(-2), batch.root, torch.zeros_like(batch.root)], dim=-1)

    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        return features[..., :_ROTATIONS].unflatten(-1, (_JOINTS, 6)), features[..., _ROTATIONS : _ROTATIONS + 3]


class PublishedLayout(Layout):
    """The conventions of the authors' released checkpoints."""

    def features(self, batch: Batch, fps: float) -> Tensor:
        ankle = pose(batch.sixd, torch.zeros_like(batch.root))[1][:, :, CANONICAL.index("right_ankle")]
        turn = ankle.new_tensor(_TO_Y_UP)
        matrices = rot.sixd_to_matrix(batch.sixd)
        root = turn.T @ matrices[:, :, :1]
        rows = torch.cat([root, matrices[:, :, 1:]], dim=2)[..., :2, :]
        moved = (ankle - ankle[:, :1]) @ turn
        return torch.cat([rows.flatten(2), moved, torch.zeros_like(moved)], dim=-1)

    def window(self, features: Tensor, fps: float) -> tuple[Tensor, Tensor]:
        """Returns rotations and a root that stays in place, since its path is in no channel.

        The first frame is turned to +Z (AMASS faces anywhere) and raised so that its lowest foot is on the floor.
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


def _slices(*sizes: int) -> tuple[slice, ...]:
    """Returns consecutive slices of these sizes."""
    ends = list(itertools.accumulate(sizes))
    return tuple(slice(end - size, end) for end, size in zip(ends, sizes, strict=True))


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "positions": PositionLayout(
            _POSITIONS + _ROTATIONS + 3,
            _slices(_POSITIONS, _ROTATIONS, 1, 2),
            # a wrong root is wrong for all joints at once, and squared errors of joints add up
            metres=(1.0, 0.05, _JOINTS**0.5, 0.4),
        ),
        "velocity": VelocityLayout(_ROTATIONS + 3, _slices(_ROTATIONS, 1, 2), metres=(0.5, 1.0, 0.5)),
        "translation": TranslationLayout(_ROTATIONS + 6, _slices(_ROTATIONS, 6), metres=(0.5, 1.0)),
        "published": PublishedLayout(_ROTATIONS + 6, _slices(_ROTATIONS, 6), metres=(0.5, 1.0)),
    }
)
