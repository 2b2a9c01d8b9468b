"""Which sentences describe a window: those of its segment, or the labels of all that happens in it, joined."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
