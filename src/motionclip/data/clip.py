"""A movement with its words: what every data source yields."""

from __future__ import annotations

from dataclasses import dataclass

from motionclip.errors import DataError
from motionclip.motion import Motion

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
