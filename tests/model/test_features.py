"""Motions to windows and back; canonical windows start above the origin, facing +Z."""

import roma
import torch

from motionclip.model.features import (
    canonicalize,
    from_motion,
    mirror_windows,
    to_motions,
)
from motionclip.motion import CANONICAL, Motion, canonicalize_heading, heading, mirror
from motionclip.motion import rotations as rot


def random_motion(frames: int, seed: int = 0) -> Motion:
    generator = torch.Generator().manual_seed(seed)
    turns = torch.randn(frames, 24, 3, generator=generator) * 0.5
    root = torch.randn(frames, 3, generator=generator) * 0.3 + torch.tensor([2.0, 0.9, -1.0])
    return Motion(roma.rotvec_to_rotmat(turns), root, 30.0, CANONICAL)


def test_canonical_windows_agree_with_canonical_motions() -> None:
    motion = random_motion(20)
    expected = canonicalize_heading(motion)
    batch = from_motion(motion, 30.0)
    made = to_motions(rot.sixd_to_matrix(batch.sixd), batch.root, 30.0)[0]
    torch.testing.assert_close(made.positions, expected.positions, atol=1e-5, rtol=0)
    assert abs(heading(made)[0].item()) < 1e-5


def test_mirrored_windows_agree_with_mirrored_motions() -> None:
    motion = random_motion(12)
    sixd, root = mirror_windows(rot.matrix_to_sixd(motion.rotations)[None], motion.root[None])
    made = to_motions(rot.sixd_to_matrix(sixd), root, 30.0)[0]
    torch.testing.assert_close(made.positions, mirror(motion).positions, atol=1e-5, rtol=0)


def test_canonicalize_is_idempotent() -> None:
    batch = from_motion(random_motion(8), 30.0)
    sixd, root = canonicalize(batch.sixd, batch.root)
    torch.testing.assert_close(sixd, batch.sixd, atol=1e-5, rtol=0)
    torch.testing.assert_close(root, batch.root, atol=1e-5, rtol=0)
