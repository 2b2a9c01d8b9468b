"""HumanML3D's captions of clips of AMASS sequences.

As published: ``index.csv`` (``source_path``, ``start_frame``, ``end_frame``, ``new_name``), and beside it or in its
folder ``HumanML3D``: ``texts/NAME.txt`` with lines ``sentence#tokens#from#to``, and the lists of names ``train.txt``,
``val.txt`` and ``test.txt``.
Or one ``.jsonl`` (or ``.jsonl.xz``) with the same in lines of ``id``, ``source``, ``start_frame``, ``end_frame``,
``split`` and ``captions`` (``[text, from, to]``). Mirrored clips (``M000000``) and HumanAct12 are left out.

Frames are those of the data set's own processing, https://github.com/EricGuo5513/HumanML3D (raw_pose_processing.ipynb):
every ``int(rate / 20)``-th frame of the file, after a lead that was cut off; so at 150 or 250 Hz they are not quite 20
per second. ``from`` and ``to`` are seconds of 20 such frames; 0 to 0 is the whole clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct

from motionclip.data.amass_names import sequence_key
from motionclip.data.clip import SPLITS, Caption, TimedText, captions_within
from motionclip.data.tables import read_table
from motionclip.data.text_files import read_text, text_lines
from motionclip.errors import DataError
from motionclip.gate.documents import Number, parse

#: Frames per second of HumanML3D, nominally.
RATE = 20

#: HumanML3D frames that were cut off before clips were counted, by sub-data set.
LEADS = {"Eyes_Japan_Dataset": 60, "HDM05": 60, "TotalCapture": 20, "PosePrior": 20, "Transitions": 10}

_ELSEWHERE = "humanact12"  # clips of another data set than AMASS


@dataclass(frozen=True)
class HumanML3DClip:
    """A clip of an AMASS sequence.

    Attributes:
        name: ``000000``.
        sequence: the key of the AMASS sequence.
        split: ``train``, ``val`` or ``test``; None for the two clips that are in no split.
        start: first HumanML3D frame, after the lead of its sub-data set.
        end: one after the last.
        texts: at least one; in seconds of the clip, 0 to 0 for all of it.
    """

    name: str
    sequence: str
    split: str | None
    start: int
    end: int
    texts: tuple[TimedText, ...]

    def span(self, fps: float) -> tuple[int, int]:
        """Returns the clip's first frame in the AMASS file, and one after its last, at the file's frames per second."""
        lead, stride = LEADS.get(self.sequence.split("/")[0], 0), _stride(fps)
        return (lead + self.start) * stride, (lead + self.end) * stride

    def captions(self, fps: float, duration: float) -> tuple[Caption, ...]:
        """Returns the captions of an AMASS file of ``fps`` and ``duration`` seconds that holds the clip."""
        start, end = (frame / fps for frame in self.span(fps))
        second = RATE * _stride(fps) / fps  # a nominal second of the clip
        texts = []
        for timed in self.texts:
            since, until = sorted((timed.start, timed.end))
            part = (start + since * second, min(end, start + until * second)) if since < until else (start, end)
            texts.append(TimedText(timed.text, *part))
        return captions_within(texts, duration)


def read_humanml3d(path: Path) -> tuple[HumanML3DClip, ...]:
    """Returns the clips of AMASS sequences, in the order of the index.

    Args:
        path: the folder with ``index.csv``, or a ``.jsonl`` or ``.jsonl.xz``.

    Raises:
        DataError: if it is neither, or a line of it is not a clip.
    """
    if path.is_dir():
        return tuple(_published(path))
    if not path.is_file() or not path.name.endswith((".jsonl", ".jsonl.xz")):
        raise DataError(f"{path} is no HumanML3D; expected its folder with index.csv, or a .jsonl or .jsonl.xz")
    return tuple(_lines(path))


def _stride(fps: float) -> int:
    return max(int(fps / RATE), 1)


class _Line(Struct):
    """A line of JSON: a clip, and its captions with their first and last second."""

    id: str
    source: str
    split: str | None
    start_frame: int
    end_frame: int
    captions: list[tuple[str, Number, Number]]


def _lines(path: Path) -> Iterator[HumanML3DClip]:
    for number, line in enumerate(text_lines(path), 1):
        try:
            row = parse(line, _Line)
            if row.source.startswith(_ELSEWHERE):
                continue
            texts = tuple(timed_text(*caption) for caption in row.captions)
            yield _clip(row.id, row.source, row.split, row.start_frame, row.end_frame, texts)
        except ValueError as error:
            raise DataError(
                f"{path}, line {number}: {error}; "
                "expected id, source, split, start_frame, end_frame and captions of an AMASS sequence"
            ) from error


def _published(folder: Path) -> Iterator[HumanML3DClip]:
    index = folder / "index.csv"
    inner = next((path for path in (folder / "HumanML3D", folder) if (path / "texts").is_dir()), None)
    if not index.is_file() or inner is None:
        raise DataError(
            f"{folder} lacks index.csv or the folder texts; expected a copy of the HumanML3D repository, "
            "with HumanML3D/texts.zip unpacked"
        )
    split: dict[str, str] = {}
    for part in SPLITS:
        names = inner / f"{part}.txt"
        if not names.is_file():
            raise DataError(
                f"{names} is missing; expected HumanML3D's train.txt, val.txt and test.txt beside its texts"
            )
        split |= dict.fromkeys(read_text(names).split(), part)
    for number, row in read_table(index, needed=("source_path", "start_frame", "end_frame", "new_name")):
        try:
            source = row["source_path"].removeprefix("./").removeprefix("pose_data/")
            if source.startswith(_ELSEWHERE):
                continue
            name = row["new_name"].removesuffix(".npy")
            texts = read_texts(inner / "texts" / f"{name}.txt")
            yield _clip(name, source, split.get(name), row["start_frame"], row["end_frame"], texts)
        except ValueError as error:
            raise DataError(
                f"{index}, line {number}: {error}; "
                "expected source_path,start_frame,end_frame,new_name of an AMASS sequence"
            ) from error


def read_texts(path: Path) -> tuple[TimedText, ...]:
    """Returns the sentences of a clip, from its file of ``texts``.

    Raises:
        DataError: if there is none.
        ValueError: if a line of it is not ``sentence#tokens#from#to``.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing; expected the texts of every clip of index.csv: unpack texts.zip again")
    lines = [line.rsplit("#", 3) for line in read_text(path).splitlines() if line.strip()]
    return tuple(timed_text(text, start, end) for text, _, start, end in lines)


def timed_text(text: str, start: Any, end: Any) -> TimedText:
    """Returns a sentence about ``start`` to ``end``; a few of the published times are ``nan``, which stands for 0."""
    since, until = float(start), float(end)
    return TimedText(text, 0.0 if since != since else since, 0.0 if until != until else until)


def _clip(
    name: str, source: str, split: str | None, start: Any, end: Any, texts: tuple[TimedText, ...]
) -> HumanML3DClip:
    key = sequence_key(PurePosixPath(source))
    if key is None:
        raise ValueError(f"{source!r} is in no sub-data set of AMASS")
    if not 0 <= int(start) < int(end):
        raise ValueError(f"frames {start} to {end}")
    return HumanML3DClip(name, key, split, int(start), int(end), texts)
