"""Window embeddings: motions of any length as joint embeddings of overlapping windows."""

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
        embeddings: (N, J) joint embeddings, on the CPU.
    """

    spans: Tensor
    embeddings: Tensor

    @property
    def mean(self) -> Tensor:
        """The unit direction (J,) of the mean of the windows."""
        return normalize(self.embeddings.mean(dim=0), dim=0)


def embed_windows(model: MotionCLIP, motions: Sequence[Motion], window: float, hop: float) -> list[WindowEmbeddings]:
    """Returns the window embeddings of each motion.

    A motion that is no longer than a window is one window. In a longer one, windows begin every ``hop`` seconds, and
    the last ends where the motion ends.

    Args:
        model: from :func:`motionclip.load`.
        motions: on any human-like skeleton, at any rate, of any length.
        window: seconds of a window, at most what the model takes.
        hop: seconds from the start of a window to that of the next.

    Raises:
        ModelError: if the model does not take such windows, or ``hop`` is not positive or leaves gaps.
        SkeletonError: if no human body is found in a skeleton.
    """
    fps = model.config.fps
    frames, step = model.num_frames(window), round(hop * fps) if 0 < hop <= window else 0
    if step < 1:
        raise ModelError(f"windows of {window:g} s every {hop:g} s; expected them to overlap or to touch")
    windows, spans = [], []
    for motion in motions:
        resampled = resample(on_canonical(motion), fps)
        last = max(resampled.num_frames - frames, 0)
        starts = [*range(0, last, step), last]
        stops = [min(start + frames, resampled.num_frames) for start in starts]
        windows += [resampled.frames(start, stop) for start, stop in zip(starts, stops, strict=True)]
        spans.append(torch.tensor([starts, stops], dtype=torch.float64).T / fps)
    embeddings = model.embed_motions(windows).cpu().split([len(own) for own in spans])
    return [WindowEmbeddings(*pair) for pair in zip(spans, embeddings, strict=True)]


def check_top(top: int) -> None:
    """Raises a ModelError if ``top``, the number of answers that are wanted, is not positive."""
    if top < 1:
        raise ModelError(f"the best {top}; expected at least 1")
