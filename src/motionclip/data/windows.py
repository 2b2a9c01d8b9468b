"""Random windows of prepared stores, with words: what training draws from.

The whole set is one tensor in memory; a batch is gathered by index, so there are no workers.
What is drawn depends on the seed and the step alone: a run that resumes draws what it would have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motionclip.data.store import Entry, Store
from motionclip.errors import DataError

_SIDE_WORD = re.compile(r"\b(?:(left|right)(wards?)?|(counter[ -]?|anti[ -]?)?clockwise)\b", re.IGNORECASE)

#: Words of which a window shows less than this share are not held to describe it.
_LEAST_SHARE = 0.35


def mirror_words(text: str) -> str:
    """The sentence for the mirror image: left and right exchanged, and the senses of turning.

    >>> mirror_words("a person waves with the left hand, then turns clockwise")
    'a person waves with the right hand, then turns counterclockwise'
    """

    def other(match: re.Match[str]) -> str:
        side, suffix, against = match.groups()
        if side is None:
            return "clockwise" if against else "counterclockwise"
        return ("right" if side.lower() == "left" else "left") + (suffix or "")

    return _SIDE_WORD.sub(other, text)


@dataclass(frozen=True)
class Segment:
    """A run of frames that one set of sentences describes.

    Attributes:
        dataset: the data set it comes from.
        start: first row in the joined arrays.
        num_frames: its length.
        whole: true if it is all of a clip; segments of captions may overlap each other.
        category: what is done, where the data set names it.
        style: how it is done, where the data set names it.
        texts: sentences that describe it; the first is the preferred one. May be empty.
    """

    dataset: str
    start: int
    num_frames: int
    whole: bool
    texts: tuple[str, ...]
    category: str | None
    style: str | None

    @property
    def labelled(self) -> bool:
        """True if the sentences say the clip's category and style, and so hold for any part of it."""
        return self.category is not None

    def is_described(self, length: int) -> bool:
        """Whether the sentences can be held to describe a window of ``length`` frames."""
        return bool(self.texts) and (self.labelled or length >= _LEAST_SHARE * self.num_frames)


@dataclass(frozen=True)
class Draw:
    """Which windows make a batch.

    Attributes:
        rows: (B, T) rows in the joined arrays; padding repeats the last row.
        mask: (B, T) true for real frames.
        mirrored: (B,) true where the mirror image is wanted.
        text: (B,) index into :attr:`WindowSet.texts`, or -1 for a window without words.
        label: (B,) id of the clip's label, or -1.
    """

    rows: Tensor
    mask: Tensor
    mirrored: Tensor
    text: Tensor
    label: Tensor


def _central(segment: Segment, max_frames: int) -> tuple[int, int]:
    """First row and length of the middle of a segment."""
    length = min(segment.num_frames, max_frames)
    return segment.start + (segment.num_frames - length) // 2, length


def _rows(starts: Sequence[int], lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Rows (B, T) and mask (B, T) of runs of frames, padded by repeating each run's last row."""
    frames, length = torch.arange(max(lengths)), torch.tensor(lengths)[:, None]
    return torch.tensor(starts)[:, None] + torch.minimum(frames, length - 1), frames < length


def segments_of(entry: Entry, first: int, min_frames: int) -> list[Segment]:
    """The segments of a store's entry whose frames begin at row ``first`` of the joined arrays."""
    spans: dict[tuple[int, int], list[str]] = {}
    for caption in entry.captions:
        spans.setdefault((caption.start, caption.end), []).append(caption.text)
    spans.setdefault((0, entry.num_frames), [])  # every frame is worth reconstructing
    return [
        Segment(
            entry.dataset,
            first + start,
            stop - start,
            stop - start == entry.num_frames,
            tuple(texts),
            entry.category,
            entry.style,
        )
        for (start, stop), texts in spans.items()
        if stop - start >= min_frames
    ]


class WindowSet:
    """All windows of one split of some stores.

    Args:
        stores: prepared stores at the same frame rate.
        split: ``train``, ``val`` or ``test``.
        weights: how often a data set is drawn per second of it, 1 where it is not named.
        min_frames: shorter segments are left out.

    Raises:
        DataError: if no segment is left.
    """

    def __init__(self, stores: Sequence[Store], split: str, weights: Mapping[str, float], min_frames: int):
        self.segments: list[Segment] = []
        sixd, root, first = [], [], 0
        for store in stores:
            for entry in store.entries:
                if entry.split != split:
                    continue
                self.segments += segments_of(entry, first, min_frames)
                rows = slice(entry.start, entry.start + entry.num_frames)
                sixd.append(torch.from_numpy(np.array(store.sixd[rows])))
                root.append(torch.from_numpy(np.array(store.root[rows])))
                first += entry.num_frames
        if not self.segments:
            folders = ", ".join(str(store.folder) for store in stores)
            raise DataError(f"no {split} segment of {min_frames} frames or more in {folders}; prepare longer clips")
        self.sixd, self.root = torch.cat(sixd), torch.cat(root)  # (N, 24, 6), (N, 3)
        self._probability = self._draw_probability(weights)
        self._index_texts()

    def _draw_probability(self, weights: Mapping[str, float]) -> Tensor:
        amount = [segment.num_frames * weights.get(segment.dataset, 1.0) for segment in self.segments]
        return torch.tensor(amount, dtype=torch.float64)

    def _index_texts(self) -> None:
        """Number all sentences and labels, those of the mirror images too."""
        said = {text for segment in self.segments for text in segment.texts}
        self.texts: list[str] = sorted(said | {mirror_words(text) for text in said})
        number = {text: index for index, text in enumerate(self.texts)}
        self._texts = [
            [[number[text] for text in segment.texts], [number[mirror_words(text)] for text in segment.texts]]
            for segment in self.segments
        ]

    def to(self, device: str) -> WindowSet:
        """Move the arrays to a device; returns itself."""
        self.sixd, self.root = self.sixd.to(device), self.root.to(device)
        return self

    def draw(
        self, seed: int, step: int, batch_size: int, max_frames: int, mirror: bool, *, with_words: bool = False
    ) -> Draw:
        """The batch of a step: ``batch_size`` windows of at most ``max_frames`` frames.

        Segments are drawn in proportion to their length and their data set's weight; only those
        whose sentences describe a window of that length, if ``with_words``.
        """
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        share = self._probability
        if with_words:
            share = share * torch.tensor([s.is_described(min(s.num_frames, max_frames)) for s in self.segments])
        chosen = torch.multinomial(share, batch_size, replacement=True, generator=generator).tolist()
        chance = torch.rand(batch_size, 3, generator=generator).tolist()
        starts, lengths, texts, labels = [], [], [], []
        for index, (where, which, side) in zip(chosen, chance, strict=True):
            segment = self.segments[index]
            length = min(segment.num_frames, max_frames)
            starts.append(segment.start + int(where * (segment.num_frames - length + 1)))
            lengths.append(length)
            words = self._texts[index][mirror and side < 0.5]
            describes = segment.is_described(length)
            texts.append(words[int(which * len(words))] if describes else -1)
            labels.append(words[0] if describes and segment.labelled else -1)
        rows, mask = _rows(starts, lengths)
        mirrored = torch.tensor([mirror and side < 0.5 for _, _, side in chance])
        return Draw(rows, mask, mirrored, torch.tensor(texts), torch.tensor(labels))

    def central(self, segments: Sequence[int], max_frames: int) -> Draw:
        """The middle of each of the named segments, with its preferred sentence."""
        runs = [_central(self.segments[index], max_frames) for index in segments]
        rows, mask = _rows([start for start, _ in runs], [length for _, length in runs])
        first = [self._texts[index][0][0] if self.segments[index].texts else -1 for index in segments]
        label = [text if self.segments[index].labelled else -1 for index, text in zip(segments, first, strict=True)]
        return Draw(rows, mask, torch.zeros(len(rows), dtype=torch.bool), torch.tensor(first), torch.tensor(label))

    def tiles(self, frames: int, dataset: str | None = None) -> Tensor:
        """Rows (N, frames) of all windows that tile the clips (of one data set), without overlap."""
        starts = [
            start
            for segment in self.segments
            if segment.whole and dataset in (None, segment.dataset)
            for start in range(segment.start, segment.start + segment.num_frames - frames + 1, frames)
        ]
        return torch.tensor(starts, dtype=torch.long)[:, None] + torch.arange(frames)
