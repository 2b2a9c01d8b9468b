"""Random windows of prepared stores, with words: what training draws from.

The whole set is one tensor in memory; a batch is gathered by index, so there are no workers.
What is drawn depends on the seed and the step alone: a run that resumes draws what it would have.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motionclip.data.store import Entry, Store
from motionclip.errors import DataError

# Which sentences describe a window: those of its segment, or the labels of all that happens in it, joined.


_SIDE_WORD = re.compile(r"\b(?:(left|right)(wards?)?|(counter[ -]?|anti[ -]?)?clockwise)\b", re.IGNORECASE)


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
class Span:
    """Frames ``start`` to ``stop`` (exclusive) of a clip, and sentences that say the same about them."""

    start: int
    stop: int
    texts: tuple[str, ...]


class Wording(ABC):
    """The sentences of each window of a list of segments."""

    @abstractmethod
    def at(self, index: int, start: int, length: int) -> tuple[str, ...]:
        """Sentences, each of which describes ``length`` frames from ``start`` on of segment ``index``; may be none."""

    @abstractmethod
    def texts(self) -> Iterator[str]:
        """All sentences that :meth:`at` may give."""


class JoinedWording(Wording):
    """The paper's: the labels of all spans that a window touches, in alphabetical order, joined by " and ".

    Labels of a whole clip are used where nothing narrower is touched: BABEL's sequence labels, next to its frame
    labels. Spans with several sentences give one at a time. The set of touched spans changes at a few starts
    only, so all texts of all windows of one length are known beforehand.

    Args:
        clips: (number of frames, spans) of each clip.
        frames: length of the windows; a shorter clip is one window.
    """

    def __init__(self, clips: Sequence[tuple[int, Sequence[Span]]], frames: int):
        self._pieces = [_pieces(count, spans, min(frames, count)) for count, spans in clips]

    def at(self, index: int, start: int, length: int) -> tuple[str, ...]:
        starts, texts = self._pieces[index]
        return texts[bisect_right(starts, start) - 1]

    def texts(self) -> Iterator[str]:
        return (text for _, pieces in self._pieces for texts in pieces for text in texts)


def _pieces(count: int, spans: Sequence[Span], frames: int) -> tuple[list[int], list[tuple[str, ...]]]:
    """First starts of windows that touch the same spans, and the sentences of each."""
    changes = {0, *(span.stop for span in spans), *(span.start - frames + 1 for span in spans)}
    starts = sorted(start for start in changes if 0 <= start <= count - frames)
    touched = [[span for span in spans if span.start < start + frames and span.stop > start] for start in starts]
    narrow = [[span for span in some if (span.start, span.stop) != (0, count)] for some in touched]
    return starts, [_joined(some or all_) for some, all_ in zip(narrow, touched, strict=True)]


def _joined(spans: Sequence[Span]) -> tuple[str, ...]:
    choices = max((len(span.texts) for span in spans), default=0)
    texts = (sorted({span.texts[choice % len(span.texts)] for span in spans}) for choice in range(choices))
    return tuple(dict.fromkeys(" and ".join(labels) for labels in texts))


#: Words of which a window shows less than this share are not held to describe it.
_LEAST_SHARE = 0.35


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
class Place:
    """Where an entry of a store lies in the joined arrays.

    Attributes:
        store: number of the store.
        entry: number of the entry in it.
        first: its first row in the joined arrays.
    """

    store: int
    entry: int
    first: int


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


def spans_of(entry: Entry) -> list[Span]:
    """The described spans of a store's entry, in the order of its captions."""
    texts: dict[tuple[int, int], list[str]] = {}
    for caption in entry.captions:
        texts.setdefault((caption.start, caption.end), []).append(caption.text)
    return [Span(start, end, tuple(said)) for (start, end), said in texts.items()]


def segments_of(entry: Entry, first: int, min_frames: int) -> list[Segment]:
    """The segments of a store's entry whose frames begin at row ``first`` of the joined arrays."""
    spans = {(span.start, span.stop): span.texts for span in spans_of(entry)}
    spans.setdefault((0, entry.num_frames), ())  # every frame is worth reconstructing
    return [
        Segment(
            entry.dataset,
            first + start,
            stop - start,
            stop - start == entry.num_frames,
            texts,
            entry.category,
            entry.style,
        )
        for (start, stop), texts in spans.items()
        if stop - start >= min_frames
    ]


class SegmentWording(Wording):
    """The sentences of the segment that a window is drawn from, where enough of it is seen."""

    def __init__(self, segments: Sequence[Segment]):
        self._segments = segments

    def at(self, index: int, start: int, length: int) -> tuple[str, ...]:
        segment = self._segments[index]
        return segment.texts if segment.is_described(length) else ()

    def texts(self) -> Iterator[str]:
        return (text for segment in self._segments for text in segment.texts)


class WindowSet:
    """All windows of one split of some stores.

    Args:
        stores: prepared stores at the same frame rate.
        split: ``train``, ``val`` or ``test``.
        weights: how often a data set is drawn per second of it, 1 where it is not named.
        min_frames: shorter segments are left out.
        joined: frames of the windows that will be drawn, each described by the labels of all that happens in
            it (:class:`JoinedWording`); 0 for windows of any length, described by their segment's sentences.

    Raises:
        DataError: if no segment is left.
    """

    def __init__(
        self, stores: Sequence[Store], split: str, weights: Mapping[str, float], min_frames: int, joined: int = 0
    ):
        self.segments: list[Segment] = []
        self.places: list[Place] = []
        spans: list[tuple[int, list[Span]]] = []
        sixd, root, first = [], [], 0
        for store_number, store in enumerate(stores):
            for number, entry in enumerate(store.entries):
                if entry.split != split:
                    continue
                self.places.append(Place(store_number, number, first))
                segments = segments_of(entry, first, min_frames)
                if joined:
                    segments = [segment for segment in segments if segment.whole]
                    spans += [(entry.num_frames, spans_of(entry)) for _ in segments]
                self.segments += segments
                rows = slice(entry.start, entry.start + entry.num_frames)
                sixd.append(torch.from_numpy(np.array(store.sixd[rows])))
                root.append(torch.from_numpy(np.array(store.root[rows])))
                first += entry.num_frames
        if not self.segments:
            folders = ", ".join(str(store.folder) for store in stores)
            raise DataError(f"no {split} segment of {min_frames} frames or more in {folders}; prepare longer clips")
        self.sixd, self.root = torch.cat(sixd), torch.cat(root)  # (N, 24, 6), (N, 3)
        self._probability = self._draw_probability(weights)
        self._wording = JoinedWording(spans, joined) if joined else SegmentWording(self.segments)
        said = set(self._wording.texts())
        #: All sentences, those of the mirror images too.
        self.texts: list[str] = sorted(said | {mirror_words(text) for text in said})
        self._number = {text: number for number, text in enumerate(self.texts)}

    def _draw_probability(self, weights: Mapping[str, float]) -> Tensor:
        amount = [segment.num_frames * weights.get(segment.dataset, 1.0) for segment in self.segments]
        return torch.tensor(amount, dtype=torch.float64)

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
        starts, lengths, texts, labels, flips = [], [], [], [], []
        for index, (where, which, side) in zip(chosen, chance, strict=True):
            segment = self.segments[index]
            length = min(segment.num_frames, max_frames)
            start = int(where * (segment.num_frames - length + 1))
            words, mirrored = self._wording.at(index, start, length), mirror and side < 0.5
            starts.append(segment.start + start)
            lengths.append(length)
            flips.append(mirrored)
            texts.append(self._place(words[int(which * len(words))], mirrored) if words else -1)
            labels.append(self._place(words[0], mirrored) if words and segment.labelled else -1)
        rows, mask = _rows(starts, lengths)
        return Draw(rows, mask, torch.tensor(flips), torch.tensor(texts), torch.tensor(labels))

    def _place(self, text: str, mirrored: bool = False) -> int:
        """Place in :attr:`texts` of a sentence, or of that of its mirror image."""
        return self._number[mirror_words(text) if mirrored else text]

    def central(self, segments: Sequence[int], max_frames: int) -> Draw:
        """The middle of each of the named segments, with its preferred sentence."""
        runs = [_central(self.segments[index], max_frames) for index in segments]
        rows, mask = _rows([start for start, _ in runs], [length for _, length in runs])
        told = [self.segments[index].texts for index in segments]
        first = [self._place(texts[0]) if texts else -1 for texts in told]
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
