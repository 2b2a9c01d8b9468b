"""Paraphrases: captions of the same motions by several people, without the motions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from motionclip.data.clip import TimedText
from motionclip.data.humanml3d import read_texts, timed_text
from motionclip.data.text_files import text_lines
from motionclip.errors import DataError
from motionclip.gate.documents import Number, parse

#: Sentences about one motion.
Group = Sequence[str]


def read_paraphrases(path: Path) -> list[Group]:
    """Returns groups of at least two sentences, each group about one motion.

    Args:
        path: HumanML3D's folder ``texts``, whose mirrored clips are left out; or JSON lines, packed if the name ends in
            ``.xz``, with ``captions`` in each: a list of sentences, or of lists ``[sentence, from, to]``. Sentences
            about the same span of a clip are a group.

    Raises:
        DataError: if it is missing or damaged, or has no group.
    """
    clips: Iterator[Sequence[TimedText]] = _texts(path) if path.is_dir() else _lines(path)
    groups: list[Group] = []
    for captions in clips:
        spans: dict[tuple[float, float], dict[str, None]] = {}  # dict keys: distinct sentences in their order
        for caption in captions:
            spans.setdefault((caption.start, caption.end), {})[caption.text.strip()] = None
        groups += [tuple(sentences) for sentences in spans.values() if len(sentences) > 1]
    if not groups:
        raise DataError(f"{path} has no two sentences about one motion; expected several captions of each clip")
    return groups


def apart_from(groups: Iterable[Group], sentences: Iterable[str]) -> list[Group]:
    """Returns the groups none of whose sentences is one of those given, regardless of case and punctuation."""
    known = {_bare(sentence) for sentence in sentences}
    return [group for group in groups if known.isdisjoint(map(_bare, group))]


def _bare(sentence: str) -> str:
    return " ".join(re.findall(r"\w+", sentence.lower()))


def _texts(folder: Path) -> Iterator[tuple[TimedText, ...]]:
    for path in sorted(folder.glob("[!M]*.txt")):
        try:
            yield read_texts(path)
        except ValueError as error:
            raise DataError(f"{path}: {error}; expected lines of sentence#tokens#from#to") from error


def _lines(path: Path) -> Iterator[list[TimedText]]:
    if not path.is_file():
        raise DataError(f"{path} is missing; expected HumanML3D's folder texts, or JSON lines with captions")
    for number, line in enumerate(text_lines(path), 1):
        yield _captions(path, number, line)


class _Captions(Struct):
    """A line: sentences, or sentences with their first and last second."""

    captions: list[str | tuple[str, Number, Number]]


def _captions(path: Path, number: int, line: str) -> list[TimedText]:
    try:
        captions = parse(line, _Captions).captions
        return [timed_text(*(caption, 0, 0) if isinstance(caption, str) else caption) for caption in captions]
    except ValueError as error:
        raise DataError(f"{path}, line {number}: {error!r}; expected an object with a list of captions") from error
