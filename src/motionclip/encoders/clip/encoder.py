"""CLIP's pictures: shorter side to the model's size, bicubic, and the middle square of that.

On pixels, as OpenAI's code does (torchvision's Resize and CenterCrop on a Pillow image).
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motionclip.encoders.base import checked_image, checked_texts
from motionclip.encoders.clip.files import find_files
from motionclip.encoders.clip.recipe import DEFAULT, Recipe, full_name, recipe_of
from motionclip.encoders.clip.weights import load_network
from motionclip.encoders.clip.words import clean, load_tokenizer
from motionclip.errors import ModelError, TextError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


# The text encoder ``clip``: any CLIP of OpenAI or OpenCLIP, by transformers, with words and pictures prepared as theirs.
#
# transformers takes about 4 s to import, so it is imported when a text encoder is made.


_NEEDS = ("transformers", "huggingface_hub", "ftfy")
_TEXTS, _PICTURES = 64, 64


class ClipEncoder:
    """A frozen CLIP: sentences and pictures to unit vectors of one space.

    Args:
        name: "clip" (ViT-B-32 of OpenAI), a name of ``PUBLISHED`` after "clip:", or "clip:ORG/REPO" of the
            Hugging Face hub.
        weights: a folder in the hub's layout, or a safetensors file; by default the hub's cache, or else the hub.
        device: "cpu" or "cuda".
        dtype: what the network computes in. The vectors of half precision differ from those of float32 by about
            a hundredth of their norm at most.

    Attributes:
        name: full name, without any path.
        dim: numbers in a vector.
        fingerprint: of weights, vocabulary, sizes and precision; not of where the files lie.

    Raises:
        ModelError: if the name is unknown, files are missing, damaged or of another model, or there is no such device.
    """

    def __init__(
        self,
        name: str = DEFAULT,
        weights: str | Path | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        self.name = full_name(name)
        self._device = _checked_device(device)
        _check_packages()
        files = find_files(self.name, weights)
        self._recipe = recipe_of(self.name, files.config, files.preprocessor)
        architecture = self._recipe.architecture
        self._tokenizer = load_tokenizer(files.tokenizer, architecture.vocabulary)
        self._end = self._tokenizer.encode("").ids[-1]
        network: Any = load_network(architecture, self._end, files.weights)
        self._network = network.to(self._device, dtype)
        self.dim = architecture.dim
        self.fingerprint = _fingerprint(files.weights, self._tokenizer, self._recipe, dtype)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, dim) of N sentences: float32, CPU. A sentence's vector does not depend on its neighbours.

        A text of more than 77 tokens, its two marks counted, is cut as OpenAI's code cuts it, with one warning a call.

        Raises:
            TextError: on anything but words.
        """
        cleaned = checked_texts(texts)
        tokens = [self._tokens(text) for text in cleaned]
        limit = self._recipe.architecture.context
        if cut := [text for text, ids in zip(cleaned, tokens, strict=True) if len(ids) > limit]:
            self._warn_of_cut(cut, limit)
        tokens = [ids if len(ids) <= limit else [*ids[: limit - 1], self._end] for ids in tokens]
        vectors = torch.empty(len(tokens), self.dim)
        order = sorted(range(len(tokens)), key=lambda number: len(tokens[number]))  # little padding
        for start in range(0, len(order), _TEXTS):
            batch = order[start : start + _TEXTS]
            vectors[batch] = self._encode_tokens([tokens[number] for number in batch])
        return vectors

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Unit vectors (N, dim) of N RGB pictures (H, W, 3) of any size: float32, on the CPU.

        The pictures are asked for 64 at a time, so the sequence may read them from a file as it goes.

        Raises:
            ImageError: on anything but such pictures.
        """
        size = self._recipe.architecture.image_size
        vectors = torch.empty(len(images), self.dim)
        for start in range(0, len(images), _PICTURES):
            batch = range(start, min(start + _PICTURES, len(images)))
            pixels = np.stack([middle_square(checked_image(images[number], number + 1), size) for number in batch])
            vectors[batch.start : batch.stop] = self._encode_pixels(torch.from_numpy(pixels))
        return vectors

    def _tokens(self, text: str) -> list[int]:
        """Token numbers of a sentence with its two marks, however many."""
        ids: list[int] = self._tokenizer.encode(clean(text)).ids
        if len(ids) < 3:
            raise TextError(f"{text[:40]!r} has no word that {self.name} knows; expected English words")
        return ids

    def _warn_of_cut(self, texts: list[str], limit: int) -> None:
        shown = ", ".join(repr(f"{text[:60]}...") for text in texts[:3])
        warnings.warn(
            f"{self.name} reads {limit} tokens; the rest is cut off {len(texts)} text(s): {shown}",
            UserWarning,
            stacklevel=3,
        )

    def _encode_tokens(self, tokens: list[list[int]]) -> Tensor:
        """Unit vectors (B, dim). Tokens attend backwards only: what follows the end mark is as good as not there."""
        longest = max(map(len, tokens))
        ids = torch.tensor([row + [self._end] * (longest - len(row)) for row in tokens], device=self._device)
        # A caller's autocast would otherwise end up in cached vectors.
        with torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            return _unit(self._network.get_text_features(ids).pooler_output)

    def _encode_pixels(self, pixels: Tensor) -> Tensor:
        """Unit vectors (B, dim) of squares (B, S, S, 3) of uint8."""
        mean, std = (torch.tensor(values, device=self._device) for values in (self._recipe.mean, self._recipe.std))
        with torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            values = (pixels.to(self._device) / 255 - mean) / std
            features = self._network.get_image_features(values.permute(0, 3, 1, 2).contiguous())
            return _unit(features.pooler_output)


def _unit(features: Tensor) -> Tensor:
    return nn.functional.normalize(features.float(), dim=-1).cpu()


def _checked_device(device: str) -> torch.device:
    if device not in ("cpu", "cuda"):
        raise ModelError(f"the device {device!r}; expected cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("there is no GPU that torch can use; take the device cpu")
    return torch.device(device)


def _check_packages() -> None:
    for package in _NEEDS:
        if find_spec(package) is None:
            raise ModelError(
                f"the text encoder clip needs the package {package}; install it with: pip install 'motionclip[clip]'"
            )


def _fingerprint(weights: Path, tokenizer: Tokenizer, recipe: Recipe, dtype: torch.dtype) -> str:
    """A hash of all that makes the vectors: one pass over the weights, once per load."""
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    vocabulary = sorted(tokenizer.get_vocab().items())
    precision = [] if dtype == torch.float32 else [str(dtype)]
    digest.update(json.dumps([vocabulary, asdict(recipe), *precision]).encode())
    return digest.hexdigest()[:16]


def middle_square(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The middle (size, size, 3) of a picture (H, W, 3) whose shorter side is made ``size`` pixels long."""
    from PIL import Image

    height, width = image.shape[:2]
    shorter = min(height, width)
    high, wide = size * height // shorter, size * width // shorter
    if (high, wide) != (height, width):
        image = np.asarray(Image.fromarray(image).resize((wide, high), Image.Resampling.BICUBIC))
    top, left = round((high - size) / 2), round((wide - size) / 2)
    return image[top : top + size, left : left + size]
