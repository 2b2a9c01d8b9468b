"""Image embeddings of rendered frames: a frozen image encoder sees each frame once, and the cache folder keeps them.

The paper holds each motion against CLIP's embedding of one of its frames, rendered. Which rendered frame of a window is
taken is a choice here:

``random``     a random one, as in the paper.
``middle``     the one nearest to the middle of the window.
``extreme``    the one whose pose is farthest from the window's mean pose: the mean distance of the joints, with the
               root at the origin and the hips facing ahead. Where a body starts and ends at rest, or swings about one
               pose, its mean pose is near that, and what sets the action apart is farthest from it: the raised arm of
               a wave, the kick's outstretched leg.
``best-text``  the one whose embedding is nearest to that of the window's text; random in a window without text.
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
from torch import Tensor

from motionclip.data.store import Store, frames_to_render
from motionclip.data.windows import WindowBatch, WindowSet
from motionclip.encoders import ImageEncoder, cache_folder
from motionclip.errors import ModelError
from motionclip.formats.files import replacing
from motionclip.gate.arrays import open_array
from motionclip.losses.alignment import ImageTargets
from motionclip.model.features import canonicalize, pose
from motionclip.progress import ProgressCallback
from motionclip.training.config import FrameChoice

#: Rendered frames that are embedded and cached at once: what a run that is stopped loses at most.
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class FrameEmbeddings:
    """Embeddings of all rendered frames of a window set.

    Attributes:
        number: (N,) index of the rendered frame of each row of the window set, or -1.
        embedding: (1, P, E) unit vectors, or (2, P, E) with those of the mirrored images.
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
        image_encoder: ImageEncoder,
        mirror: bool,
        frames_per_window: int,
        progress: ProgressCallback | None = None,
    ) -> FrameEmbeddings:
        """Returns the embeddings for a window set, from the cache folder as far as it has them.

        Args:
            stores: those that the window set was made from, in the same order.
            windows: whose frames are wanted.
            image_encoder: embeds the frames.
            mirror: whether mirrored windows will be drawn, so that mirrored images are needed too.
            frames_per_window: frames for every two seconds, rendered here, of stores that hold none.
            progress: called with the number of frames that are embedded, and of all.

        Raises:
            DataError: if a store's frames are damaged, or two seconds do not have as many.
        """
        frames: list[list[tuple[int, int]]] = [[] for _ in stores]  # (entry, frame) of each store
        rows: list[int] = []
        for clip in windows.clips:
            store = stores[clip.store]
            spacing = store.rendered_frames.per_window if store.rendered_frames else frames_per_window
            shown = frames_to_render(store.entries[clip.entry].num_frames, spacing)
            frames[clip.store] += [(clip.entry, frame) for frame in shown]
            rows += [clip.first + frame for frame in shown]
        number = torch.full((len(windows.root),), -1)
        number[torch.tensor(rows)] = torch.arange(len(rows))
        sides = (False, True) if mirror else (False,)
        embedding, done = torch.empty(len(sides), len(rows), image_encoder.dim), 0
        in_order = embedding.view(-1, image_encoder.dim)
        for mirrored in sides:
            for store, wanted in zip(stores, frames, strict=True):
                for vectors in _embedded(store, wanted, image_encoder, mirrored):
                    in_order[done : done + len(vectors)] = vectors
                    done += len(vectors)
                    if progress is not None:
                        progress(done, len(in_order))
        return cls(number, embedding, windows.sixd)

    def to(self, device: str) -> FrameEmbeddings:
        """Returns the same on a device."""
        return FrameEmbeddings(self.number.to(device), self.embedding.to(device), self.sixd.to(device))

    def targets(
        self, draw: WindowBatch, text_embeddings: Tensor, choice: FrameChoice, generator: torch.Generator
    ) -> ImageTargets:
        """Returns one rendered frame of each window of a batch, where it has any.

        Args:
            draw: B windows of the window set.
            text_embeddings: (S, E) the text encoder's embeddings of the window set's sentences.
            choice: which frame.
            generator: on the CPU; gives the same numbers whatever the choice.

        Raises:
            ModelError: if windows are mirrored and there are no embeddings of mirrored images.
        """
        device = self.embedding.device
        rows, mask, side = draw.rows.to(device), draw.mask.to(device), draw.mirrored.to(device).long()
        if draw.mirrored.any() and len(self.embedding) == 1:
            raise ModelError("mirrored windows, but no mirrored images; load the embeddings with mirror")
        number = self.number[rows].masked_fill(~mask, -1)  # (B, T)
        score = torch.rand(rows.shape, generator=generator).to(device)
        if choice == "middle":
            middle = (mask.sum(1, keepdim=True) - 1) / 2 - 0.25  # of two frames as near, the earlier is nearer
            score = -(torch.arange(mask.shape[1], device=device) - middle).abs()
        elif choice == "extreme":
            score = _distance_from_mean(self.sixd[rows], mask)
        elif choice == "best-text":
            images = self.embedding[side[:, None], number.clamp(min=0)]  # (B, T, E)
            text = draw.text.to(device)
            likeness = (images * text_embeddings[text.clamp(min=0)][:, None]).sum(-1)
            score = torch.where(text[:, None] >= 0, likeness, score)
        frame = score.masked_fill(number < 0, -torch.inf).argmax(1, keepdim=True)
        chosen = number.gather(1, frame)[:, 0]
        return ImageTargets(self.embedding[side, chosen.clamp(min=0)], (chosen >= 0).float())


def _distance_from_mean(sixd: Tensor, mask: Tensor) -> Tensor:
    """Returns the mean distance (B, T) of the joints, metres, from the mean pose of windows (B, T, 24, 6), mask (B, T).

    Each frame has its root at the origin and its hips facing +Z.
    """
    alone, _ = canonicalize(sixd.flatten(0, 1)[:, None], sixd.new_zeros(mask.numel(), 1, 3))
    joints = pose(alone, alone.new_zeros(mask.numel(), 1, 3))[1].view(*sixd.shape[:3], 3)
    real = mask[..., None, None]
    mean = (joints * real).sum(1, keepdim=True) / real.sum(1, keepdim=True)
    return (joints - mean).norm(dim=-1).mean(-1)


def _embedded(
    store: Store, frames: Sequence[tuple[int, int]], image_encoder: ImageEncoder, mirrored: bool
) -> Iterator[Tensor]:
    """Yields the embeddings of a store's rendered frames, some (M, E) at a time; the new ones are cached."""
    folder = _cache_folder(store, frames, image_encoder, mirrored)
    sizes = {start: min(_CHUNK, len(frames) - start) for start in range(0, len(frames), _CHUNK)}
    known = {start: _read(folder / f"{start:08d}.npy", (size, image_encoder.dim)) for start, size in sizes.items()}
    new = (frame for start in sizes if known[start] is None for frame in frames[start : start + _CHUNK])
    images = store.frame_images(new)
    for start, size in sizes.items():
        vectors = known[start]
        if vectors is None:
            side = -1 if mirrored else 1
            chunk = [np.ascontiguousarray(image[:, ::side]) for image in islice(images, size)]
            vectors = image_encoder.encode_images(chunk)
            _write(folder / f"{start:08d}.npy", vectors)
        yield vectors


def _cache_folder(store: Store, frames: Sequence[tuple[int, int]], image_encoder: ImageEncoder, mirrored: bool) -> Path:
    """Returns the folder of these embeddings, named after all that they depend on."""
    rendered_here = f"{store.sha256} by {package_version('motionclip')}"
    images = store.rendered_frames.sha256 if store.rendered_frames else rendered_here
    digest = hashlib.sha256(json.dumps([image_encoder.fingerprint, images, list(frames), mirrored]).encode())
    return cache_folder() / "pictures" / digest.hexdigest()[:32]


def _read(path: Path, shape: tuple[int, int]) -> Tensor | None:
    """Returns the vectors of a file, or None if there is none or it is damaged."""
    if not path.is_file():
        return None
    try:
        vectors = np.array(open_array(path, shape, "float32"))
    except ValueError as error:
        warnings.warn(f"the cache of image embeddings: {error}; it is built anew", RuntimeWarning, stacklevel=2)
        return None
    return torch.from_numpy(vectors) if np.isfinite(vectors).all() else None


def _write(path: Path, vectors: Tensor) -> None:
    """Write vectors. A cache is never needed: if that fails there is a warning."""
    try:
        with replacing(path) as temporary:
            np.save(temporary, vectors.numpy())
    except OSError as error:
        warnings.warn(
            f"the cache of image embeddings {path.parent}: cannot be used ({error}); "
            f"set MOTIONCLIP_CACHE to a folder that can be written",
            RuntimeWarning,
            stacklevel=2,
        )
