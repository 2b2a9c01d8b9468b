"""Motions of any length as latents of overlapping windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.errors import ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, resample
from motionclip.motion.retarget import on_canonical


@dataclass(frozen=True, eq=False)
class WindowEmbeddings:
    """The windows of one motion, in order of time.

    Attributes:
        spans: (N, 2) seconds, the start and the end of each window.
        latents: (N, D) unit latents, on the CPU.
    """

    spans: Tensor
    latents: Tensor

    @property
    def mean(self) -> Tensor:
        """The direction (D,) that all windows have in common."""
        return normalize(self.latents.mean(dim=0), dim=0)


def embed_windows(model: MotionCLIP, motions: Sequence[Motion], window: float, hop: float) -> list[WindowEmbeddings]:
    """Motions of any length as unit latents of windows.

    A motion that is no longer than a window is one window. In a longer one, windows begin every ``hop`` seconds, and
    the last ends where the motion ends.

    Args:
        model: encodes.
        motions: on any known skeleton, at any rate.
        window: seconds of a window, at most what the model takes.
        hop: seconds from the start of a window to that of the next.

    Raises:
        ModelError: if the model does not take such windows, or ``hop`` is not positive or leaves gaps.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    frames, step = model.num_frames(window), round(hop * model.config.fps) if 0 < hop <= window else 0
    if step < 1:
        raise ModelError(f"windows of {window:g} s every {hop:g} s; expected them to overlap or to touch")
    resampled = [resample(on_canonical(motion), model.config.fps) for motion in motions]
    cuts = [_cuts(motion.num_frames, frames, step) for motion in resampled]
    windows = [motion.frames(*cut) for motion, own in zip(resampled, cuts, strict=True) for cut in own]
    latents = normalize(model.encode(windows).float(), dim=-1).cpu().split([len(cut) for cut in cuts])
    return [
        WindowEmbeddings(torch.tensor(cut, dtype=torch.float64) / model.config.fps, own)
        for cut, own in zip(cuts, latents, strict=True)
    ]


def _cuts(length: int, frames: int, step: int) -> list[tuple[int, int]]:
    """First frame, and one after the last, of each window of a motion of ``length`` frames."""
    if length <= frames:
        return [(0, length)]
    starts = [*range(0, length - frames, step), length - frames]
    return [(start, start + frames) for start in starts]
