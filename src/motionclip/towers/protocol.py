"""What a text tower is, and which words any tower accepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from motionclip.errors import TextError


class TextTower(Protocol):
    """A frozen encoder of sentences.

    Attributes:
        name: short name, as ``load_tower`` takes it and checkpoints store it.
        dim: numbers in a vector.
        fingerprint: changes whenever the vectors would; part of the key of every cached vector.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, dim) of N sentences: float32, on the CPU, without gradient.

        Raises:
            TextError: on words that cannot be encoded (see ``checked_texts``) or that are too long for the tower.
        """
        ...


def checked_texts(texts: Sequence[str]) -> list[str]:
    """The sentences without blanks around them.

    Raises:
        TextError: if ``texts`` is one string instead of a list, or an entry is not a string, is blank, or is
            not valid Unicode.
    """
    if isinstance(texts, str):
        raise TextError(f"one string, {_shortened(texts)}; expected a list of sentences: put it into brackets")
    return [_checked(text, number) for number, text in enumerate(texts, start=1)]


def _checked(text: object, number: int) -> str:
    if not isinstance(text, str):
        raise TextError(f"text {number} is {text!r} of type {type(text).__name__}; expected a string")
    if not text.strip():
        raise TextError(f"text {number} is empty; expected words, such as 'a person walks'")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TextError(f"text {number}, {_shortened(text)}, is not valid Unicode; expected text in UTF-8") from error
    return text.strip()


def _shortened(text: str, limit: int = 60) -> str:
    """The text in quotes, cut for a message."""
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")
