"""Segments: the runs of frames of a store's clips that windows are drawn from, with the words for each.

A clip gives itself, each span that a sentence describes, and each two neighbouring spans whose actions are named, as
one segment: what is done first and what is done then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from motionclip.data.store import FPS, Entry, FrameCaption
from motionclip.data.words import Words

#: A sentence is not held to describe a window that shows less than this share of its segment.
_LEAST_SHARE = 0.35
#: Seconds between two spans that are still neighbours.
_GAP = 0.35
#: Who acts, at the beginning of a sentence: not said twice in one of two actions.
_SUBJECT = re.compile(r"(?:(?:a|the) (?:person|man|woman|figure)|someone|they|he|she) ")

#: The sentences of each described span (first frame, one after the last) of a clip.
SpanTexts = Mapping[tuple[int, int], tuple[str, ...]]
#: Sentences of several origins, each origin drawn as often as another; none of them empty.
Wordings = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Segment:
    """A run of frames that windows are drawn from, with the sentences that describe it as a whole.

    Attributes:
        dataset: the data set that it comes from.
        start: first row in the window set's arrays.
        num_frames: its length.
        whole: whether it is all of a clip as the data set describes it; segments of captions may overlap each other.
        texts: sentences that describe it, the preferred one first; may be empty.
        category: what is done, where the data set names it.
        style: how it is done, where the data set names it.
        action: what is done, as a class that is balanced in training; None where nobody named it.
        label: the sentence that stands for all segments of the same meaning; None where there is no such class.
        phrases: what people say for its action, beside its own sentences.
        named: whether the action is that of a span of the clip, such as a window caption's.
        joined: whether it is two neighbouring spans.
        measured: whether its sentences are of its kinematics.
        reversed: whether it is played from its last frame to its first.
    """

    dataset: str
    start: int
    num_frames: int
    whole: bool
    texts: tuple[str, ...]
    category: str | None
    style: str | None
    action: str | None = None
    label: str | None = None
    phrases: tuple[str, ...] = ()
    named: bool = False
    joined: bool = False
    measured: bool = False
    reversed: bool = False

    @property
    def labelled(self) -> bool:
        """Whether the sentences state the clip's category and style, and so hold for any part of it."""
        return self.category is not None

    @property
    def wordings(self) -> Wordings:
        """All sentences, its own first."""
        return tuple(texts for texts in (self.texts, self.phrases) if texts)

    def is_described(self, length: int) -> bool:
        """Whether the sentences can be held to describe a window of ``length`` frames."""
        return bool(self.texts) and (self.labelled or length >= _LEAST_SHARE * self.num_frames)


@dataclass(frozen=True)
class _Span:
    """Frames ``start`` to ``stop`` (exclusive) with their sentences and the name of the action or actions, if any."""

    start: int
    stop: int
    texts: tuple[str, ...]
    action: str | None = None
    joined: bool = False


def span_texts(entry: Entry) -> dict[tuple[int, int], tuple[str, ...]]:
    """Returns the sentences of each described span of a store's entry, in the order of its captions."""
    return _texts(entry.captions)


def _texts(captions: Iterable[FrameCaption]) -> dict[tuple[int, int], tuple[str, ...]]:
    texts: dict[tuple[int, int], tuple[str, ...]] = {}
    for caption in captions:
        span = (caption.start, caption.end)
        texts[span] = (*texts.get(span, ()), caption.text)
    return texts


def segments_of(entry: Entry, first: int, min_frames: int, phrases: Mapping[str, Sequence[str]]) -> list[Segment]:
    """Returns the segments of a store's entry.

    Args:
        entry: the entry.
        first: row of its first frame in the window set's arrays.
        min_frames: shorter ones are left out.
        phrases: what people say for actions, by a name of the action: a label, or one of the sentences.
    """
    named = list(_named_spans(entry))
    spans = [*_plain_spans(entry), *named, *_joined(named)]
    return [_segment(entry, first, span, phrases) for span in spans if span.stop - span.start >= min_frames]


def reversed_segments(segments: Sequence[Segment], words: Words) -> list[Segment]:
    """Returns the segments of named actions that are another action when they are played backwards, as that one."""
    backwards = []
    for segment in segments:
        action = words.reversals.get(segment.action or "")
        if action and segment.named and not segment.joined:
            said = _phrases(words.phrases, (action,))
            found = replace(segment, texts=(action,), action=action, label=action, phrases=said, reversed=True)
            backwards.append(found)
    return backwards


def _segment(entry: Entry, first: int, span: _Span, phrases: Mapping[str, Sequence[str]]) -> Segment:
    action = span.action or entry.category
    stated = entry.category is not None and span.action is None  # the first sentence states category and style
    return Segment(
        entry.dataset,
        first + span.start,
        span.stop - span.start,
        span.stop - span.start == entry.num_frames and span.action is None,
        span.texts,
        entry.category,
        entry.style,
        action,
        span.action or (span.texts[0] if stated and span.texts else None),
        _phrases(phrases, (action, *span.texts)),
        span.action is not None,
        span.joined,
    )


def _phrases(phrases: Mapping[str, Sequence[str]], names: Sequence[str | None]) -> tuple[str, ...]:
    """The phrases for actions that are called as one of some names, each phrase once."""
    found = (phrase for name in names if name is not None for phrase in phrases.get(name, ()))
    return tuple(dict.fromkeys(found))


def _plain_spans(entry: Entry) -> Iterator[_Span]:
    """Yields the spans of captions that name no action, and the whole clip: every frame is worth reconstructing."""
    texts = _texts(caption for caption in entry.captions if not caption.categories)
    texts.setdefault((0, entry.num_frames), ())
    for (start, stop), sentences in texts.items():
        yield _Span(start, stop, sentences)


def _named_spans(entry: Entry) -> Iterator[_Span]:
    """Yields the spans whose action is named, in the order of time; the name is one of the sentences."""
    named = [caption for caption in entry.captions if caption.categories]
    actions = {(caption.start, caption.end): caption.categories[0] for caption in named}
    texts = _texts(named)
    for span in sorted(actions):
        yield _Span(*span, tuple(dict.fromkeys((*texts[span], actions[span]))), actions[span])


def _joined(named: Sequence[_Span]) -> Iterator[_Span]:
    """Yields each two neighbours as one span: of one action, or of what is done first and what is done then."""
    for one, other in pairwise(named):
        if abs(other.start - one.stop) > _GAP * FPS:
            continue
        if one.action == other.action:
            yield _Span(one.start, other.stop, tuple(dict.fromkeys(one.texts + other.texts)), one.action, joined=True)
        else:
            pairs = (*zip(one.texts[:2], other.texts[:2], strict=False), (str(one.action), str(other.action)))
            texts = tuple(
                dict.fromkeys(f"{before}, then {_SUBJECT.sub('', after, count=1)}" for before, after in pairs)
            )
            yield _Span(one.start, other.stop, texts, f"{one.action}, then {other.action}", joined=True)
