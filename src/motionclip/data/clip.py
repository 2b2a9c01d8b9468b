"""A clip, which is a motion with captions, and a source of clips: what every data set is read into."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from motionclip.data.text_files import read_text, shipped
from motionclip.errors import DataError
from motionclip.motion import Motion

SPLITS = ("train", "val", "test")

#: Seconds by which a caption may end after its motion: sources round their times.
_SLACK = 0.2


@dataclass(frozen=True)
class TimedText:
    """A sentence and the span it describes as a data set states them: it may be blank, or reach beyond the motion.

    Attributes:
        text: the sentence.
        start: seconds.
        end: seconds; infinite for the end of the motion.
        categories: action categories, where recognition is measured on the span.
    """

    text: str
    start: float
    end: float
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Caption(TimedText):
    """A sentence about a span of a motion; ``start`` and ``end`` are seconds from its first frame.

    Raises:
        DataError: if the text is blank, or not 0 <= start < end < infinity.
    """

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise DataError("a caption is empty; expected words")
        if not 0 <= self.start < self.end < float("inf"):
            raise DataError(f"caption {self.text!r} spans {self.start} s to {self.end} s; expected 0 <= start < end")


def captions_within(texts: Iterable[TimedText], duration: float, *, offset: float = 0.0) -> tuple[Caption, ...]:
    """Returns the captions of the ``duration`` seconds that begin at ``offset`` on the time of ``texts``.

    Spans are cut to these seconds; those that lie outside and blank texts are left out. Each run of white space
    becomes one blank.
    """
    captions = []
    for timed in texts:
        text = " ".join(timed.text.split())
        start, end = max(timed.start - offset, 0.0), min(timed.end - offset, duration)
        if text and start < end:
            captions.append(Caption(text, start, end, timed.categories))
    return tuple(captions)


@dataclass(frozen=True, eq=False)
class Clip:
    """A motion with its captions.

    Attributes:
        key: name of the clip, unique inside its data set.
        dataset: for example ``cmu`` or ``bandai_namco_2``.
        split: ``train``, ``val`` or ``test``.
        motion: on the skeleton and at the rate of its file.
        captions: the preferred one first; may be empty.
        category: what is done, where the data set names it.
        style: how it is done, where the data set names it.
        lead: seconds of the file before the first frame of ``motion``.

    Raises:
        DataError: if the split is none of those, or a caption lies outside the motion.
    """

    key: str
    dataset: str
    split: str
    motion: Motion
    captions: tuple[Caption, ...]
    category: str | None = None
    style: str | None = None
    lead: float = 0.0

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise DataError(f"clip {self.key}: split {self.split!r}; expected one of {', '.join(SPLITS)}")
        for caption in self.captions:
            if caption.end > self.motion.duration + _SLACK or caption.start >= self.motion.duration:
                raise DataError(
                    f"clip {self.key}: caption {caption.text!r} spans {caption.start:g} s to {caption.end:g} s; "
                    f"expected a span inside the {self.motion.duration:.2f} s of the motion"
                )


class Item(Protocol):
    """One clip of a source, not read yet; picklable, so that any process can read it."""

    @property
    def key(self) -> str:
        """Name of the clip, unique inside its source."""
        ...

    @property
    def path(self) -> Path | None:
        """The file that is read, or None for a clip that is computed."""
        ...

    def read(self) -> Clip:
        """Returns the clip, on the skeleton and at the rate of its file.

        Raises:
            MotionClipError: if the file is missing or damaged, or the clip is known to be unusable.
        """
        ...


@dataclass(frozen=True)
class Source:
    """A data set: its items in a fixed order.

    Attributes:
        spec: how a user names it, for example ``cmu:DIR``.
        items: the clips that can be read, with distinct keys.
        notes: what a user should know before it is read, in whole sentences.
    """

    spec: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()


def fixed_split(dataset: str, key: str) -> str:
    """Returns the split in ``splits.json`` of clip ``key`` of ``cmu`` (by subject) or ``bandai_namco`` (by take).

    Raises:
        DataError: if the fixed splits do not name that clip.
    """
    split = fixed_splits(dataset).get(key)
    if split is None:
        raise DataError(
            f"{key} has no split in {dataset}; expected one of the published clips. "
            "For files of your own use folder:DIR with a captions.csv"
        )
    return split


@cache
def fixed_splits(dataset: str) -> dict[str, str]:
    """Returns the split of each clip of a data set in ``splits.json``; empty if it has none of that data set."""
    splits: dict[str, dict[str, str]] = json.loads(read_text(shipped("splits.json")))
    return splits.get(dataset, {})
