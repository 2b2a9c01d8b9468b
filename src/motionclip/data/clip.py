"""A movement with its words: what every data source yields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from motionclip.errors import DataError
from motionclip.motion import Motion

# The fixed splits of the CMU and Bandai-Namco sets (names only), shipped with the package.
#
# CMU is split by subject; Bandai-Namco does not name its actors and is split by take.


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files("motionclip.data").joinpath("splits.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table


def split_of(family: str, key: str) -> str:
    """``train``, ``val`` or ``test`` for clip ``key`` of ``cmu`` or ``bandai_namco``.

    Raises:
        DataError: if the fixed splits do not name that clip.
    """
    split = _table().get(family, {}).get(key)
    if split is None:
        raise DataError(
            f"{key} has no split in {family}; expected one of the published clips. "
            "For files of your own use folder:DIR with a captions.csv"
        )
    return split


SPLITS = ("train", "val", "test")

#: Seconds by which a caption may end after its motion: sources round their times.
_SLACK = 0.2


@dataclass(frozen=True)
class Caption:
    """A sentence about a span of a motion.

    Attributes:
        text: the words, not empty.
        start: seconds from the first frame of the clip, at least 0.
        end: seconds from the first frame of the clip, after ``start``.
        categories: classes of what is done, where the data set has them and measures recognition on such spans.

    Raises:
        DataError: if the text is empty or the span is not one.
    """

    text: str
    start: float
    end: float
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise DataError("a caption is empty; expected words")
        if not 0 <= self.start < self.end < float("inf"):
            raise DataError(f"caption {self.text!r} spans {self.start} s to {self.end} s; expected 0 <= start < end")


@dataclass(frozen=True, eq=False)
class Clip:
    """A motion and what is known about it.

    Attributes:
        key: name of the clip, unique inside its data set.
        dataset: for example ``cmu`` or ``bandai_namco_2``.
        split: ``train``, ``val`` or ``test``.
        motion: T frames on the skeleton and at the rate of the file it was read from.
        captions: sentences, each with the span it describes; the first is the preferred one.
        category: what is done, where the data set names it.
        style: how it is done, where the data set names it.

    Raises:
        DataError: on an unknown split, or a caption that ends after the motion.
    """

    key: str
    dataset: str
    split: str
    motion: Motion
    captions: tuple[Caption, ...]
    category: str | None = None
    style: str | None = None

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise DataError(f"clip {self.key}: split {self.split!r}; expected one of {', '.join(SPLITS)}")
        for caption in self.captions:
            if caption.end > self.motion.duration + _SLACK or caption.start >= self.motion.duration:
                raise DataError(
                    f"clip {self.key}: caption {caption.text!r} spans {caption.start:g} s to {caption.end:g} s; "
                    f"expected a span inside the {self.motion.duration:.2f} s of the motion"
                )


def clamp_caption(
    text: str, start: float, end: float, duration: float, categories: tuple[str, ...] = ()
) -> Caption | None:
    """A caption cut to the ``duration`` seconds of its motion, or None where nothing of it is left.

    Leading and trailing white space is dropped, and runs of it become one blank.
    """
    words = " ".join(text.split())
    start, end = max(start, 0.0), min(end, duration)
    return Caption(words, start, end, categories) if words and start < end else None


# What a data source is: named items, each of which reads itself into a clip.


class Item(Protocol):
    """One clip that can be read; picklable, so that any process can read it."""

    @property
    def key(self) -> str:
        """Name of the clip, unique inside its source."""
        ...

    @property
    def path(self) -> Path | None:
        """The file that is read, or None for a clip that is made."""
        ...

    def read(self) -> Clip:
        """The clip, on the skeleton and at the rate of its file.

        Raises:
            MotionClipError: if the file is missing or damaged, or the clip is known to be unusable.
        """
        ...


@dataclass(frozen=True)
class Source:
    """Items in a fixed order.

    Attributes:
        spec: how a user names it, for example ``cmu:DIR``.
        items: what can be read, with distinct keys.
        notes: what a user should know before it is read, in whole sentences.
    """

    spec: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
