"""The protocols of text and image encoders, and the checks of their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from motionclip.errors import ImageError, TextError


class TextEncoder(Protocol):
    """A frozen encoder of sentences into unit vectors.

    Attributes:
        name: short name, as ``load_text_encoder`` takes it and checkpoints store it.
        dim: size of a vector.
        fingerprint: hash of all that the vectors depend on; the key of caches.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Returns unit vectors (N, dim) of N sentences: float32, on the CPU, without gradient.

        Raises:
            TextError: on words that cannot be encoded (see ``checked_texts``) or that are too long for the encoder.
        """
        ...


@runtime_checkable
class ImageEncoder(TextEncoder, Protocol):
    """A frozen encoder of sentences and images into one space, such as CLIP."""

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Returns unit vectors (N, dim) of N RGB images (H, W, 3), 0 to 255: float32, on the CPU, without gradient.

        Raises:
            ImageError: on anything else (see ``checked_image``).
        """
        ...


def checked_texts(texts: Sequence[str]) -> list[str]:
    """Returns the sentences without white space around them.

    Raises:
        TextError: if ``texts`` is one string instead of a list, or an entry is not a string, is blank, or is
            not valid Unicode.
    """
    if isinstance(texts, str):
        raise TextError(f"one string, {_shortened(texts)}; expected a list of sentences: put it into brackets")
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise TextError(f"text {number} is {text!r} of type {type(text).__name__}; expected a string")
        if not text.strip():
            raise TextError(f"text {number} is empty; expected words, such as 'a person walks'")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise TextError(f"text {number}, {_shortened(text)}, is not valid Unicode; expected UTF-8") from error
    return [text.strip() for text in texts]


def checked_image(image: object, number: int) -> NDArray[np.uint8]:
    """Returns the image, if it is an RGB image (H, W, 3) of uint8.

    Args:
        image: what the caller was given.
        number: its position in the caller's list, from 1, for the message.

    Raises:
        ImageError: if it is anything else, or has no pixels.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(f"image {number} is a {type(image).__name__}; expected an array (H, W, 3) of uint8")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageError(
            f"image {number} has shape {image.shape} and type {image.dtype}; "
            "expected a list of RGB images (H, W, 3) of uint8, 0 to 255"
        )
    return image


def _shortened(text: str, limit: int = 60) -> str:
    """The text in quotes, cut for a message."""
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")
