"""References: what people say, mapped to what bodies do, as JSON lines in ``references.jsonl`` beside this file.

    {"action": "raise both hands", "also": ["raise arms"], "does": ["a person raises both hands above the head"],
     "said": ["surrender", "touchdown!"], "held_out": ["don't shoot!"]}

``action`` and ``also`` (optional) are the names under which data sets label it, so that a line joins described windows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from motionclip.data.text_files import read_text, shipped
from motionclip.errors import DataError
from motionclip.gate.documents import DocumentError, parse

#: Words; not blanks alone.
Phrase = Annotated[str, Meta(pattern=r"\S")]


@dataclass(frozen=True)
class Reference:
    """An action and the phrases that stand for it.

    Attributes:
        action: its name, a label of the window captions or the words of a caption where there is one.
        does: plain sentences of what the body does.
        said: what people say for it: wordings, idioms, characters, exclamations, misspellings, other languages.
        also: other labels of the same action.
        held_out: figurative phrases kept from training, to measure with; none is said of any action.
    """

    action: Phrase
    does: Annotated[tuple[Phrase, ...], Meta(min_length=1)]
    said: Annotated[tuple[Phrase, ...], Meta(min_length=1)]
    also: tuple[Phrase, ...] = ()
    held_out: tuple[Phrase, ...] = ()


#: Marks that say nothing, and who it is that does it.
_MARKS = re.compile(r"[^\w\s'-]")
_WHO = re.compile(
    r"^(((a|the) (person|man|woman|figure|character)|someone|somebody|he|she)( is)? )?(like )?((a|an|the) )?(?=\w)"
)


@cache
def load_references() -> tuple[Reference, ...]:
    """Returns the references that the package ships."""
    return read_references(shipped("references.jsonl"))


def read_references(path: Path) -> tuple[Reference, ...]:
    """Returns the references of a file, in its order.

    Raises:
        DataError: if it is missing or empty, a line is no reference, or two lines are about one action.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing; expected a file of references, JSON lines")
    references: dict[str, Reference] = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            reference = parse(line, Reference)
        except DocumentError as error:
            raise DataError(
                f"{path}, line {number}: not a reference ({error}); expected a JSON object "
                "with action, a name, and does and said, lists of phrases, and optionally also and held_out, lists too"
            ) from error
        if reference.action in references:
            raise DataError(f"{path}, line {number}: a second {reference.action!r}; expected one line of each action")
        references[reference.action] = reference
    if not references:
        raise DataError(f"{path} has no line; expected a file of references, JSON lines")
    return tuple(references.values())


def as_read(text: str) -> str:
    """Returns what a body does where a text is said for it ("surrender"), word for word; else the text as it is.

    >>> as_read("Surrender!")
    'a person raises both hands above the head'
    """
    return _readings().get(_plain(text), text)


@cache
def _readings() -> dict[str, str]:
    return {_plain(said): reference.does[0] for reference in load_references() for said in reference.said}


def _plain(text: str) -> str:
    """Returns a text without what does not change its meaning: case, marks, blanks, articles and who does it."""
    return _WHO.sub("", " ".join(_MARKS.sub(" ", text.lower()).split()))
