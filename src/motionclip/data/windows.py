"""Random windows of prepared stores, each with a caption: the training batches.

The frames of a whole split are one tensor in memory, and a batch is gathered from it by row numbers, so there are no
loader processes. A batch depends on the given generator alone: a run that resumes draws what it would have drawn.

Which sentences describe a window is decided by a captioning policy: those of the segment that the window is drawn from
(:class:`SegmentCaptions`), or, as in the paper, the labels of all that happens in it, joined (:class:`JoinedLabels`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motionclip.data.measured import measured_segments
from motionclip.data.segments import Segment, SpanTexts, Wordings, reversed_segments, segments_of, span_texts
from motionclip.data.store import Store
from motionclip.data.words import Words
from motionclip.errors import DataError
from motionclip.sides import mirror_words


class CaptionPolicy(ABC):
    """Decides which sentences describe a window of a segment, given by its index in a list of segments."""

    @abstractmethod
    def texts_of(self, index: int, start: int, length: int) -> Wordings:
        """Returns sentences, each about ``length`` frames from frame ``start`` of a segment; may be none."""

    @abstractmethod
    def all_texts(self) -> Iterator[str]:
        """Yields all sentences that :meth:`texts_of` may return."""


class SegmentCaptions(CaptionPolicy):
    """The sentences of the segment that a window is drawn from, where the window shows enough of it."""

    def __init__(self, segments: Sequence[Segment]):
        self._segments = segments

    def texts_of(self, index: int, start: int, length: int) -> Wordings:
        segment = self._segments[index]
        return segment.wordings if segment.is_described(length) else ()

    def all_texts(self) -> Iterator[str]:
        return (text for segment in self._segments for texts in segment.wordings for text in texts)


class JoinedLabels(CaptionPolicy):
    """The paper's policy: the labels of all spans that a window touches, in alphabetical order, joined by " and ".

    Labels of a whole clip (BABEL's sequence labels) are used only where no narrower span (its frame labels) is touched.
    Spans with several sentences give one of them at a time. The set of touched spans changes at few starts, so the
    sentences of all windows of one length are computed beforehand.

    Args:
        clips: (number of frames, sentences of its spans) of each clip; segments are whole clips here.
        frames: length of the windows; a shorter clip is one window.
    """

    def __init__(self, clips: Sequence[tuple[int, SpanTexts]], frames: int):
        # of each clip, the first starts of windows that touch the same spans, and the sentences of each
        self._starts: list[list[int]] = []
        self._texts: list[list[tuple[str, ...]]] = []
        for count, spans in clips:
            length = min(frames, count)
            changes = {0} | {stop for _, stop in spans} | {start - length + 1 for start, _ in spans}
            starts = sorted(start for start in changes if 0 <= start <= count - length)
            self._starts.append(starts)
            self._texts.append([_joined_labels(spans, count, start, start + length) for start in starts])

    def texts_of(self, index: int, start: int, length: int) -> Wordings:
        texts = self._texts[index][bisect_right(self._starts[index], start) - 1]
        return (texts,) if texts else ()

    def all_texts(self) -> Iterator[str]:
        return (text for clip in self._texts for texts in clip for text in texts)


def _joined_labels(spans: SpanTexts, num_frames: int, start: int, stop: int) -> tuple[str, ...]:
    """Returns the sentences of frames ``start`` to ``stop`` (exclusive) of a clip."""
    touched = [span for span in spans if span[0] < stop and span[1] > start]
    narrow = [span for span in touched if span != (0, num_frames)]
    labels = [spans[span] for span in narrow or touched]
    choices = range(max(map(len, labels), default=0))
    joined = (" and ".join(sorted({texts[choice % len(texts)] for texts in labels})) for choice in choices)
    return tuple(dict.fromkeys(joined))


@dataclass(frozen=True)
class ClipRows:
    """Which rows of a window set's arrays are a clip.

    Attributes:
        store: index of its store.
        entry: index of its entry in the store.
        first: its first row.
    """

    store: int
    entry: int
    first: int


@dataclass(frozen=True)
class WindowBatch:
    """The windows of a batch, as rows of the window set's arrays.

    Attributes:
        rows: (B, T) row numbers; padding repeats the last row.
        mask: (B, T) true for real frames.
        mirrored: (B,) true where the mirror image is wanted.
        text: (B,) index into :attr:`WindowSet.texts`, or -1 for a window without sentences.
        label: (B,) the same of the segment's label, or -1 where it has none.
    """

    rows: Tensor
    mask: Tensor
    mirrored: Tensor
    text: Tensor
    label: Tensor


class WindowSet:
    """All windows of one split of some stores.

    Attributes:
        segments: where windows are drawn from.
        clips: the clips that the arrays hold, in their order.
        sixd: (N, 24, 6) rotations of all clips.
        root: (N, 3) pelvis positions of all clips, metres.
        texts: all sentences, those of the mirror images too, sorted.

    Args:
        stores: prepared stores.
        split: ``train``, ``val`` or ``test``.
        weights: how often a data set is drawn per second of it; 1 where it is not named.
        min_frames: shorter segments are left out.
        joined: frames of the windows that will be drawn, each described by the labels of all that happens in
            it (:class:`JoinedLabels`); 0 for windows of any length, described by their segment's sentences.
        words: what words the windows get beside the data set's, and how often each action is drawn.

    Raises:
        DataError: if no segment is left.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        split: str,
        weights: Mapping[str, float],
        min_frames: int,
        joined: int = 0,
        *,
        words: Words | None = None,
    ):
        words = words or Words()
        self.segments: list[Segment] = []
        self.clips: list[ClipRows] = []
        clip_texts: list[tuple[int, SpanTexts]] = []
        sixd, root, first = [], [], 0
        for number, store in enumerate(stores):
            for index in store.split(split):
                entry = store.entries[index]
                self.clips.append(ClipRows(number, index, first))
                segments = segments_of(entry, first, min_frames, words.phrases)
                segments += reversed_segments(segments, words)
                if joined:
                    segments = [segment for segment in segments if segment.whole]
                    clip_texts += [(entry.num_frames, span_texts(entry)) for _ in segments]
                self.segments += segments
                rows = slice(entry.start, entry.start + entry.num_frames)
                sixd.append(torch.from_numpy(np.array(store.sixd[rows])))
                root.append(torch.from_numpy(np.array(store.root[rows])))
                first += entry.num_frames
        if not self.segments:
            folders = ", ".join(str(store.folder) for store in stores)
            raise DataError(f"no {split} segment of {min_frames} frames or more in {folders}; prepare longer clips")
        self.sixd, self.root = torch.cat(sixd), torch.cat(root)
        if words.measured:
            whole = [segment for segment in self.segments if segment.whole]
            self.segments += measured_segments(whole, self.sixd, self.root)
        self._amount = _amounts(self.segments, weights, words)
        self._policy = JoinedLabels(clip_texts, joined) if joined else SegmentCaptions(self.segments)
        texts = set(self._policy.all_texts())
        self.texts: list[str] = sorted(texts | {mirror_words(text) for text in texts})
        self._number = {text: number for number, text in enumerate(self.texts)}

    def to(self, device: str) -> WindowSet:
        """Moves the arrays to a device; returns itself."""
        self.sixd, self.root = self.sixd.to(device), self.root.to(device)
        return self

    def draw(
        self,
        generator: torch.Generator,
        batch_size: int,
        max_frames: int,
        mirror: bool,
        *,
        with_words: bool = False,
    ) -> WindowBatch:
        """Returns a batch of ``batch_size`` windows of at most ``max_frames`` frames, by a generator on the CPU.

        Segments are drawn in proportion to their length, their data set's weight and how rare their action is; only
        those whose sentences describe a window of that length, if ``with_words``. Half of the windows are mirrored, if
        ``mirror``.
        """
        amount = self._amount
        if with_words:
            amount = amount * torch.tensor([s.is_described(min(s.num_frames, max_frames)) for s in self.segments])
        chosen = torch.multinomial(amount, batch_size, replacement=True, generator=generator).tolist()
        chance = torch.rand(batch_size, 3, generator=generator).tolist()
        starts, lengths, texts, labels, flips = [], [], [], [], []
        for index, (where, which, side) in zip(chosen, chance, strict=True):
            segment = self.segments[index]
            length = min(segment.num_frames, max_frames)
            start = int(where * (segment.num_frames - length + 1))
            wordings, mirrored = self._policy.texts_of(index, start, length), mirror and side < 0.5
            starts.append(segment.start + (start + length - 1 if segment.reversed else start))
            lengths.append(-length if segment.reversed else length)
            flips.append(mirrored)
            texts.append(self._text_number(_chosen(wordings, which), mirrored) if wordings else -1)
            labels.append(self._text_number(segment.label, mirrored) if wordings and segment.label else -1)
        rows, mask = _rows(starts, lengths)
        return WindowBatch(rows, mask, torch.tensor(flips), torch.tensor(texts), torch.tensor(labels))

    def central(self, segments: Sequence[int], max_frames: int) -> WindowBatch:
        """Returns the middle of each of the segments with these indices, with its preferred sentence."""
        chosen = [self.segments[index] for index in segments]
        lengths = [min(segment.num_frames, max_frames) for segment in chosen]
        starts = [s.start + (s.num_frames - length) // 2 for s, length in zip(chosen, lengths, strict=True)]
        rows, mask = _rows(starts, lengths)
        text = [self._text_number(segment.texts[0]) if segment.texts else -1 for segment in chosen]
        label = [self._text_number(segment.label) if segment.label else -1 for segment in chosen]
        return WindowBatch(
            rows, mask, torch.zeros(len(rows), dtype=torch.bool), torch.tensor(text), torch.tensor(label)
        )

    def tiles(self, frames: int, dataset: str | None = None) -> Tensor:
        """Returns the rows (N, frames) of all windows that tile the clips (of one data set), without overlap."""
        starts = [
            start
            for segment in self.segments
            if segment.whole and dataset in (None, segment.dataset)
            for start in range(segment.start, segment.start + segment.num_frames - frames + 1, frames)
        ]
        return torch.tensor(starts, dtype=torch.long)[:, None] + torch.arange(frames)

    def _text_number(self, text: str, mirrored: bool = False) -> int:
        """Returns the index in :attr:`texts` of a sentence, or of its mirror image's."""
        return self._number[mirror_words(text) if mirrored else text]


def _amounts(segments: Sequence[Segment], weights: Mapping[str, float], words: Words) -> Tensor:
    """Returns how often each segment is drawn (S,): by its length, its data set's weight and how rare its action is."""
    amounts = [segment.num_frames * weights.get(segment.dataset, 1.0) for segment in segments]
    total: defaultdict[str, float] = defaultdict(float)
    for segment, amount in zip(segments, amounts, strict=True):
        total[segment.action or segment.dataset] += amount
    rarity = [(total[segment.action or segment.dataset] or 1.0) ** -words.balance for segment in segments]
    drawn = torch.tensor(amounts, dtype=torch.float64) * torch.tensor(rarity, dtype=torch.float64)
    measured = torch.tensor([segment.measured for segment in segments])
    told = torch.tensor([bool(segment.texts) for segment in segments]) & ~measured
    if measured.any() and told.any():
        share = words.measured / (1 - words.measured)
        drawn[measured] *= share * drawn[told].sum() / drawn[measured].sum()
    return drawn


def _chosen(wordings: Wordings, chance: float) -> str:
    """Returns one of the sentences: first one of the tuples by a chance in [0, 1), then one of its sentences."""
    share, group = math.modf(chance * len(wordings))
    sentences = wordings[int(group)]
    return sentences[int(share * len(sentences))]


def _rows(starts: Sequence[int], lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Returns rows (B, T) and mask (B, T) of runs of frames, padded by repeating each run's last row.

    A run of negative length goes back from its start.
    """
    signed = torch.tensor(lengths)[:, None]
    frames, length = torch.arange(int(signed.abs().max())), signed.abs()
    return torch.tensor(starts)[:, None] + signed.sign() * torch.minimum(frames, length - 1), frames < length
