"""BABEL's labels of AMASS sequences, as published: ``train.json``, ``val.json``, ``test.json`` and two ``extra`` files.

Each file is an object of sequences by number: ``feat_p`` (the AMASS file), ``dur`` (seconds), ``seq_ann`` and
``frame_ann``, either of which may be null; in the extra files, which hold further annotators' labels, the lists
``seq_anns`` and ``frame_anns``. ``test.json`` has no labels. An annotation has ``labels``, each with ``raw_label``,
``proc_label``, ``act_cat`` (a list, or null) and, in frame annotations, ``start_t`` and ``end_t`` in seconds.

Sources: https://babel.is.tue.mpg.de/data.html, https://github.com/abhinanda-punnakkal/BABEL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated

from msgspec import Meta, Struct

from motionclip.data.amass_names import sequence_key
from motionclip.data.clip import TimedText
from motionclip.data.store import FPS, Store
from motionclip.data.text_files import read_text, shipped
from motionclip.errors import DataError
from motionclip.gate.documents import DocumentError, Name, Number, checked, parse_object

#: The files and the split of their sequences; labels of the first ones come first.
FILES = {
    "train.json": "train",
    "val.json": "val",
    "test.json": "test",
    "extra_train.json": "train",
    "extra_val.json": "val",
}


@dataclass(frozen=True)
class BabelSequence:
    """BABEL's labels of one AMASS sequence.

    Attributes:
        split: ``train``, ``val`` or ``test`` of BABEL.
        duration: seconds.
        labels: infinitely long ones are about the whole sequence. The dense annotation comes first (frame labels, else
            sequence labels) and alone has categories: recognition is measured on it.
    """

    split: str
    duration: float
    labels: tuple[TimedText, ...]


def read_babel(folder: Path) -> dict[str, BabelSequence]:
    """Returns the labelled sequences by their key (``amass_names.sequence_key``), from all ``FILES`` that are there.

    Raises:
        DataError: if none is there, or one is not a file of BABEL.
    """
    paths = [folder / name for name in FILES if (folder / name).is_file()]
    if not paths:
        raise DataError(f"no labels in {folder}; expected BABEL's folder with {', '.join(FILES)}")
    found: dict[str, BabelSequence] = {}
    for path in paths:
        for key, sequence in _sequences(path):
            first = found.get(key)
            found[key] = sequence if first is None else replace(first, labels=first.labels + sequence.labels)
    return found


def _sequences(path: Path) -> Iterator[tuple[str, BabelSequence]]:
    try:
        rows = list(parse_object(path.read_bytes()).items())
    except DocumentError as error:
        raise DataError(f"{path} is damaged ({error}); expected an object of sequences by number") from error
    for number, values in rows:
        try:
            row = checked(values, _Sequence)
            key = sequence_key(PurePosixPath(row.feat_p))
            sequence = BabelSequence(FILES[path.name], row.dur, tuple(_labels(row)))
        except DocumentError as error:
            raise DataError(
                f"{path}, sequence {number}: {error}; expected feat_p, dur, and seq_ann and "
                "frame_ann (in extra files seq_anns and frame_anns) with labels"
            ) from error
        if key is None:
            raise DataError(f"{path}, sequence {number}: {row.feat_p!r} is in no sub-data set of AMASS")
        yield key, sequence


class _Label(Struct):
    """A label, with seconds in annotations of frames."""

    raw_label: str | None
    proc_label: str | None
    act_cat: list[str] | None
    start_t: Number | None = None
    end_t: Number | None = None


class _Annotation(Struct):
    """What one person said about a sequence."""

    labels: list[_Label]


class _Sequence(Struct):
    """A sequence of AMASS."""

    feat_p: Name
    dur: Annotated[float, Meta(gt=0, le=1e6)]
    seq_ann: _Annotation | None = None
    frame_ann: _Annotation | None = None
    seq_anns: list[_Annotation] | None = None
    frame_anns: list[_Annotation] | None = None


def _labels(row: _Sequence) -> Iterator[TimedText]:
    """Yields all labels of a sequence. Those of extra files never count in recognition."""
    frame, sequence = row.frame_ann, row.seq_ann
    annotations = [(frame, True, True), (sequence, False, frame is None)]  # with times? the dense one?
    annotations += [(annotation, True, False) for annotation in row.frame_anns or ()]
    annotations += [(annotation, False, False) for annotation in row.seq_anns or ()]
    for annotation, timed, dense in annotations:
        for label in annotation.labels if annotation is not None else ():
            if timed and (label.start_t is None or label.end_t is None):
                raise DocumentError("a label of frames without start_t and end_t")
            start, end = (label.start_t or 0.0, label.end_t or 0.0) if timed else (0.0, float("inf"))
            categories = tuple(label.act_cat or ())
            texts = (label.raw_label, label.proc_label, " and ".join(categories))
            text = next((text for text in texts if text and text.strip()), None)
            if text is not None:
                yield TimedText(text, start, end, categories if dense else ())


# ---- action recognition: the classes of BABEL-60 and BABEL-120, and the chunks to classify ----

#: Frames of a chunk: five seconds.
CHUNK = int(5 * FPS)


@dataclass(frozen=True)
class Chunk:
    """Frames ``start`` to ``stop`` (exclusive, at most five seconds) of an entry, with their classes.

    Attributes:
        entry: index in the store's entries.
        classes: indices into :func:`babel_actions`, at least one; by the protocol each of them is right.
    """

    entry: int
    start: int
    stop: int
    classes: tuple[int, ...]


@cache
def babel_actions(count: int = 60) -> tuple[str, ...]:
    """Returns the classes of BABEL-60 or BABEL-120, the most frequent first; BABEL-60 is the first 60 of the 120.

    Source: action_label_2_idx.json of https://github.com/abhinanda-punnakkal/BABEL as of the release of BABEL 1.0 (its
    later version renames and reorders some), https://github.com/abhinanda-punnakkal/BABEL/issues/8.

    Raises:
        DataError: if ``count`` is neither 60 nor 120.
    """
    if count not in (60, 120):
        raise DataError(f"BABEL-{count}; expected 60 or 120 classes")
    names: list[str] = json.loads(read_text(shipped("babel_actions.json")))
    return tuple(names[:count])


def babel_chunks(store: Store, split: str, count: int = 60) -> Iterator[Chunk]:
    """Yields the chunks that BABEL's recognition protocol classifies, of a split of a store prepared with BABEL.

    Each labelled segment (of the frame annotation, else of the sequence annotation; extra files do not count) is
    cut into contiguous chunks of five seconds at 30 fps. The last may be shorter: BABEL's code fills it up with
    zeros, its paper repeats it; here it stays as it is. A segment of which no category is a class is left out.
    BABEL counts a chunk once for each of its classes; MotionCLIP, which classifies windows of two seconds, counts it
    as right if any is hit. BABEL's figures are of its own validation split: prepare with ``split=babel``.

    Source: data_gen/create_dataset.py of https://github.com/abhinanda-punnakkal/BABEL.

    Raises:
        DataError: if no caption of the split has a category, or ``count`` is neither 60 nor 120.
    """
    number = {name: index for index, name in enumerate(babel_actions(count))}
    captions = [(entry, caption) for entry in store.split(split) for caption in store.entries[entry].captions]
    if not any(caption.categories for _, caption in captions):
        raise DataError(
            f"no caption of split {split} in {store.folder} has a category of BABEL; "
            "prepare the store from amass:DIR,babel=DIR,split=babel"
        )
    for entry, caption in captions:
        classes = tuple(dict.fromkeys(number[name] for name in caption.categories if name in number))
        for start in range(caption.start, caption.end, CHUNK) if classes else ():
            yield Chunk(entry, start, min(start + CHUNK, caption.end), classes)
