"""Motions of any length as latents of overlapping windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.errors import ModelError
from motionclip.model.features import Batch, canonicalize
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical

#: Windows that are encoded together.
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Windowed:
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


def encode_windows(model: MotionCLIP, motions: Sequence[Motion], window: float, hop: float) -> list[Windowed]:
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
    prepared = [_prepared(motion, model.config.fps) for motion in motions]
    cuts = [_cuts(len(root), frames, step) for _, root in prepared]
    latents = _encode(model, prepared, cuts).split([len(cut) for cut in cuts])
    return [
        Windowed(torch.tensor(cut, dtype=torch.float64) / model.config.fps, own)
        for cut, own in zip(cuts, latents, strict=True)
    ]


def _prepared(motion: Motion, fps: float) -> tuple[Tensor, Tensor]:
    """Local 6D rotations (T, 24, 6) and root path (T, 3), metres, on the canonical skeleton at the model's rate."""
    resampled = resample(on_canonical(motion), fps)
    return rot.matrix_to_sixd(resampled.rotations).float(), resampled.root.float()


def _cuts(length: int, frames: int, step: int) -> list[tuple[int, int]]:
    """First frame, and one after the last, of each window of a motion of ``length`` frames."""
    if length <= frames:
        return [(0, length)]
    starts = [*range(0, length - frames, step), length - frames]
    return [(start, start + frames) for start in starts]


@torch.inference_mode()
def _encode(
    model: MotionCLIP, prepared: Sequence[tuple[Tensor, Tensor]], cuts: Sequence[Sequence[tuple[int, int]]]
) -> Tensor:
    """Unit latents (N, D) of all windows of all motions, one motion after another."""
    windows = [(motion, start, stop) for motion, own in enumerate(cuts) for start, stop in own]
    # windows of like length go together, so that little is padded
    order = sorted(range(len(windows)), key=lambda number: windows[number][2] - windows[number][1])
    latents = torch.empty(len(windows), model.config.latent_dim)
    for first in range(0, len(order), _BATCH):
        chosen = order[first : first + _BATCH]
        batch = _batch([_window(prepared, *windows[number]) for number in chosen])
        latents[chosen] = normalize(model.network.autoencoder.encode(batch.to(model.device)).float(), dim=-1).cpu()
    return latents


def _window(prepared: Sequence[tuple[Tensor, Tensor]], motion: int, start: int, stop: int) -> tuple[Tensor, Tensor]:
    sixd, root = prepared[motion]
    return sixd[start:stop], root[start:stop]


def _batch(windows: Sequence[tuple[Tensor, Tensor]]) -> Batch:
    """Windows as one batch; shorter ones repeat their last frame where the mask is false."""
    lengths = torch.tensor([len(root) for _, root in windows])
    frames = torch.arange(int(lengths.max()))
    rows = torch.minimum(frames, lengths[:, None] - 1)  # (B, T)
    sixd = torch.stack([sixd[row] for (sixd, _), row in zip(windows, rows, strict=True)])
    root = torch.stack([root[row] for (_, root), row in zip(windows, rows, strict=True)])
    return Batch(*canonicalize(sixd, root), frames < lengths[:, None])
