"""The clips that a data set is measured on, and how the evaluator, which is no part of the model, embeds motions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.data.segments import Segment
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.metrics.evaluator import Evaluator
from motionclip.model.features import Batch, from_motion, to_motions
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.motion import rotations as rot
from motionclip.training.batches import gather

#: Clips or windows that go through a network together.
CHUNK = 64


class Clips:
    """The described segments of a data set, but for those of named actions; if longer than the model takes, the middle.

    Where all segments are of named actions, these.

    Attributes:
        dataset: name of the data set.
        segments: the clips.
        texts: the preferred sentence of each.
        sentences: the distinct ones of them.
        number: (N,) index of each clip's sentence in ``sentences``.
    """

    def __init__(self, windows: WindowSet, dataset: str, max_frames: int):
        self._windows, self.dataset, self._max_frames = windows, dataset, max_frames
        described = [(i, each) for i, each in enumerate(windows.segments) if each.dataset == dataset and each.texts]
        chosen = [(i, each) for i, each in described if not each.named] or described
        self._rows = [row for row, _ in chosen]
        self.segments: list[Segment] = [segment for _, segment in chosen]
        self.texts = [segment.texts[0] for segment in self.segments]
        self.sentences = sorted(set(self.texts))
        number = {text: index for index, text in enumerate(self.sentences)}
        self.number = torch.tensor([number[text] for text in self.texts])

    def __len__(self) -> int:
        return len(self.segments)

    def num_frames(self, clip: int) -> int:
        """Returns the number of frames of a clip as it is measured."""
        return min(self.segments[clip].num_frames, self._max_frames)

    def batches(self) -> Iterator[Batch]:
        """Yields all clips, in order, some at a time."""
        for start in range(0, len(self), CHUNK):
            yield gather(self._windows, self._windows.central(self._rows[start : start + CHUNK], self._max_frames))

    def motions(self, clips: Sequence[int], fps: float) -> list[Motion]:
        """Returns some of the clips as motions, each from above the origin and facing +Z."""
        batch = gather(self._windows, self._windows.central([self._rows[clip] for clip in clips], self._max_frames))
        whole = to_motions(rot.sixd_to_matrix(batch.sixd), batch.root, fps)
        return [motion.frames(0, int(real.sum())) for motion, real in zip(whole, batch.mask, strict=True)]


def known_sentences(stores: Sequence[Store], dataset: str) -> list[tuple[str, str | None, str | None]]:
    """Returns the preferred sentences of a data set, of all splits, each with its content and its style."""
    entries = [entry for store in stores for entry in store.entries if entry.dataset == dataset and entry.captions]
    return sorted({(entry.captions[0].text, entry.category, entry.style) for entry in entries}, key=lambda row: row[0])


def encode_clips(model: MotionCLIP, clips: Clips) -> Tensor:
    """Returns the latents (N, D) of clips, on the CPU."""
    return _rows_of(clips, model.encode_batch)


def embed_clips(model: MotionCLIP, clips: Clips) -> Tensor:
    """Returns the joint embeddings (N, J) of clips, on the CPU."""
    return _rows_of(clips, model.embed_batch)


@torch.inference_mode()
def _rows_of(clips: Clips, embed: Callable[[Batch], Tensor]) -> Tensor:
    return torch.cat([embed(batch).cpu() for batch in clips.batches()])


def batches_of(motions: Sequence[Motion], fps: float) -> Iterator[Batch]:
    """Yields motions as padded batches, in order, some at a time."""
    for start in range(0, len(motions), CHUNK):
        yield Batch.padded([from_motion(motion, fps) for motion in motions[start : start + CHUNK]])


def distance(one: Motion, other: Motion) -> Tensor:
    """Returns the mean distance (scalar) of joints, root at the origin, metres, of two motions of the same length."""
    difference = (one.positions - one.root[:, None]) - (other.positions - other.root[:, None])
    return torch.linalg.vector_norm(difference, dim=-1).mean()


def evenly(count: int, most: int) -> list[int]:
    """Returns at most ``most`` of ``count`` indices, evenly spread from the first to the last."""
    return sorted({int(index) for index in torch.linspace(0, count - 1, min(count, most)).round().tolist()})


@dataclass(frozen=True)
class Classification:
    """The content and the style, by name, that the evaluator's classifier gives each of N motions."""

    contents: tuple[str, ...]
    styles: tuple[str, ...]


def embed_motions(evaluator: Evaluator, motions: Sequence[Motion]) -> Tensor:
    """Returns the evaluator's unit embeddings (N, E) of motions on the canonical skeleton."""
    return torch.cat([evaluator.embed_motion(batch) for batch in batches_of(motions, evaluator.config.fps)])


@torch.inference_mode()
def classify(evaluator: Evaluator, motions: Sequence[Motion], dataset: str) -> Classification | None:
    """Returns the classification of motions; None if the classifier does not know the data set."""
    if evaluator.classifier is None or evaluator.config.dataset != dataset:
        return None
    contents, styles = [], []
    for batch in batches_of(motions, evaluator.config.fps):
        content, style = evaluator.classifier(batch)
        contents += content.argmax(dim=1).tolist()
        styles += style.argmax(dim=1).tolist()
    names = evaluator.config
    return Classification(tuple(names.contents[i] for i in contents), tuple(names.styles[i] for i in styles))


def percent(found: Sequence[object], wanted: Sequence[object]) -> float:
    """Returns the share, in percent, of positions at which two sequences agree."""
    return 100 * sum(one == other for one, other in zip(found, wanted, strict=True)) / len(wanted)
