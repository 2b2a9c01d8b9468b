"""Pictures of windows, as a table: a frozen text encoder sees each of them once, ever.

The paper holds each motion against CLIP's embedding of a picture of one of its frames. Which frame shows best what is
done is a choice here:

``random``     a random pictured frame of the window, as in the paper.
``middle``     the one nearest to the middle of the window.
``extreme``    the one whose pose is farthest from the window's mean pose: the mean distance of the joints, with the
               root at the origin and the hips facing ahead. Where a body starts and ends at rest, or swings about one
               pose, its mean pose is near that, and what sets the action apart is farthest from it: the raised arm of
               a wave, the kick's outstretched leg.
``best-text``  the one whose embedding is nearest to that of the window's words; random in a window without words.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version as package_version
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.data.store import Store, frames_to_render
from motionclip.data.windows import WindowBatch, WindowSet
from motionclip.encoders import ImageEncoder, cache_folder
from motionclip.errors import ModelError
from motionclip.formats.files import replacing
from motionclip.losses.alignment import ImageTargets
from motionclip.model.features import canonicalize, pose
from motionclip.progress import ProgressCallback
from motionclip.training.config import FrameChoice

_CHUNK = 256  # pictures that a stop loses at most


@dataclass(frozen=True, eq=False)
class FrameEmbeddings:
    """Embeddings of all pictured frames of a window set.

    Attributes:
        number: (N,) for each row of the window set its picture's place in the table, or -1.
        embedding: (1, P, E) unit vectors, or (2, P, E) with those of the flipped pictures.
        sixd: (N, 24, 6) rotations of the window set's rows.
    """

    number: Tensor
    embedding: Tensor
    sixd: Tensor

    @classmethod
    def load(
        cls,
        stores: Sequence[Store],
        windows: WindowSet,
        text_encoder: ImageEncoder,
        mirror: bool,
        frames_per_window: int,
        progress: ProgressCallback | None = None,
    ) -> FrameEmbeddings:
        """The table of a window set, from the cache folder as far as it lies there.

        Args:
            stores: those that the window set was made from, in the same order.
            windows: whose frames are wanted.
            text_encoder: sees the pictures.
            mirror: whether mirrored windows will be drawn, so that flipped pictures are needed too.
            frames_per_window: pictures for every two seconds, drawn here, of stores that hold none.
            progress: called with the number of pictures that are embedded and of all, as they are.

        Raises:
            DataError: if a store's pictures are damaged, or two seconds cannot have as many.
        """
        number, frames = _numbered(stores, windows, frames_per_window)
        sides = (False, True) if mirror else (False,)
        embedding, done = torch.empty(len(sides), sum(map(len, frames)), text_encoder.dim), 0
        in_order = embedding.view(-1, text_encoder.dim)
        for flipped in sides:
            for store, wanted in zip(stores, frames, strict=True):
                for vectors in _embedded(store, wanted, text_encoder, flipped):
                    in_order[done : done + len(vectors)] = vectors
                    done += len(vectors)
                    if progress is not None:
                        progress(done, len(in_order))
        return cls(number, embedding, windows.sixd)

    def to(self, device: str) -> FrameEmbeddings:
        """The table on a device."""
        return FrameEmbeddings(self.number.to(device), self.embedding.to(device), self.sixd.to(device))

    def targets(
        self, draw: WindowBatch, text_embeddings: Tensor, choice: FrameChoice, generator: torch.Generator
    ) -> ImageTargets:
        """One picture of each window of a draw, where it has any.

        Args:
            draw: B windows of the window set.
            text_embeddings: (S, E) the text encoder's embeddings of the window set's sentences.
            choice: which picture.
            generator: on the CPU; asked for the same numbers whatever the choice.

        Raises:
            ModelError: if the draw has mirrored windows and the table no flipped pictures.
        """
        device = self.embedding.device
        rows, mask, side = draw.rows.to(device), draw.mask.to(device), draw.mirrored.to(device).long()
        if draw.mirrored.any() and len(self.embedding) == 1:
            raise ModelError("mirrored windows, but no flipped pictures; load the table with mirror")
        number = self.number[rows].masked_fill(~mask, -1)  # (B, T)
        score = torch.rand(rows.shape, generator=generator).to(device)
        if choice == "middle":
            score = _nearness_to_middle(mask)
        elif choice == "extreme":
            score = _distance_from_mean(self.sixd[rows], mask)
        elif choice == "best-text":
            pictures = self.embedding[side[:, None], number.clamp(min=0)]  # (B, T, E)
            text = draw.text.to(device)
            likeness = (pictures * text_embeddings[text.clamp(min=0)][:, None]).sum(-1)
            score = torch.where(text[:, None] >= 0, likeness, score)
        frame = score.masked_fill(number < 0, -torch.inf).argmax(1, keepdim=True)
        chosen = number.gather(1, frame)[:, 0]
        return ImageTargets(self.embedding[side, chosen.clamp(min=0)], (chosen >= 0).float())


def _nearness_to_middle(mask: Tensor) -> Tensor:
    """(B, T) minus the frames to the middle of windows with mask (B, T); of two as near, the earlier is nearer."""
    middle = (mask.sum(1, keepdim=True) - 1) / 2 - 0.25
    return -(torch.arange(mask.shape[1], device=mask.device) - middle).abs()


def _distance_from_mean(sixd: Tensor, mask: Tensor) -> Tensor:
    """(B, T) mean distance of the joints, metres, from the mean pose of windows (B, T, 24, 6) with mask (B, T).

    Each frame has its root at the origin and its hips facing +Z.
    """
    alone, _ = canonicalize(sixd.flatten(0, 1)[:, None], sixd.new_zeros(mask.numel(), 1, 3))
    joints = pose(alone, alone.new_zeros(mask.numel(), 1, 3))[1].view(*sixd.shape[:3], 3)
    real = mask[..., None, None]
    mean = (joints * real).sum(1, keepdim=True) / real.sum(1, keepdim=True)
    return (joints - mean).norm(dim=-1).mean(-1)


def _numbered(
    stores: Sequence[Store], windows: WindowSet, frames_per_window: int
) -> tuple[Tensor, list[list[tuple[int, int]]]]:
    """The table's place of each row's picture (N,), or -1, and of each store the pictures as (entry, frame)."""
    frames: list[list[tuple[int, int]]] = [[] for _ in stores]
    rows: list[int] = []
    for clip in windows.clips:
        store = stores[clip.store]
        spacing = store.rendered_frames.per_window if store.rendered_frames else frames_per_window
        shown = frames_to_render(store.entries[clip.entry].num_frames, spacing)
        frames[clip.store] += [(clip.entry, frame) for frame in shown]
        rows += [clip.first + frame for frame in shown]
    number = torch.full((len(windows.root),), -1)
    number[torch.tensor(rows)] = torch.arange(len(rows))
    return number, frames


def _embedded(
    store: Store, frames: Sequence[tuple[int, int]], text_encoder: ImageEncoder, flipped: bool
) -> Iterator[Tensor]:
    """Yields the embeddings of a store's rendered frames, some (M, E) at a time; the new ones are cached."""
    folder = _shelf(store, frames, text_encoder, flipped)
    sizes = {start: min(_CHUNK, len(frames) - start) for start in range(0, len(frames), _CHUNK)}
    known = {start: _read(folder / f"{start:08d}.npy", (size, text_encoder.dim)) for start, size in sizes.items()}
    unseen = (place for start in sizes if known[start] is None for place in frames[start : start + _CHUNK])
    pictures = store.frame_images(unseen)
    for start, size in sizes.items():
        vectors = known[start]
        if vectors is None:
            vectors = text_encoder.encode_images([_turned(picture, flipped) for picture in islice(pictures, size)])
            _keep(folder / f"{start:08d}.npy", vectors)
        yield vectors


def _shelf(store: Store, frames: Sequence[tuple[int, int]], text_encoder: ImageEncoder, flipped: bool) -> Path:
    """The folder of these pictures' embeddings, named after all that they depend on."""
    drawn = f"{store.sha256} by {package_version('motionclip')}"
    pictures = store.rendered_frames.sha256 if store.rendered_frames else drawn
    digest = hashlib.sha256(
        json.dumps([text_encoder.fingerprint, pictures, list(frames), flipped]).encode()
    ).hexdigest()
    return cache_folder() / "pictures" / digest[:32]


def _turned(picture: NDArray[np.uint8], flipped: bool) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture[:, ::-1]) if flipped else picture


def _read(path: Path, shape: tuple[int, int]) -> Tensor | None:
    """The vectors of a file, or None if there is none or it is damaged."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return torch.from_numpy(vectors) if vectors.shape == shape and vectors.dtype == np.float32 else None


def _keep(path: Path, vectors: Tensor) -> None:
    """Put vectors on disk. A cache is never needed: if that fails there is a warning."""
    try:
        with replacing(path) as temporary:
            np.save(temporary, vectors.numpy())
    except OSError as error:
        warnings.warn(
            f"the cache of picture vectors {path.parent}: cannot be used ({error}); "
            f"set MOTIONCLIP_CACHE to a folder that can be written",
            RuntimeWarning,
            stacklevel=2,
        )
