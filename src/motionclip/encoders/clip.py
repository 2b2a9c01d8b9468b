"""CLIP (Radford et al., ICML 2021) as a frozen encoder of texts and images, loaded by transformers.

A model is a folder in transformers' layout: ``config.json``, ``preprocessor_config.json``, tokenizer and weights.
OpenAI's models and OpenCLIP's conversions on the Hugging Face hub have it. Safetensors are taken where there are any;
of a ``pytorch_model.bin``, transformers reads tensors only (``weights_only=True``), so that no file can run code.

Importing transformers takes about 3 s; it is imported when an encoder is made.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from logging import CRITICAL
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motionclip.encoders.base import checked_image, checked_texts
from motionclip.errors import ModelError, TextError

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

#: Repositories of the hub by short name, the part after "clip:".
PUBLISHED = {
    "ViT-B-32": "openai/clip-vit-base-patch32",
    "ViT-B-16": "openai/clip-vit-base-patch16",
    "ViT-L-14": "openai/clip-vit-large-patch14",
    "ViT-L-14-336": "openai/clip-vit-large-patch14-336",
    "ViT-B-32-laion2B-s34B-b79K": "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    "ViT-B-16-laion2B-s34B-b88K": "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    "ViT-L-14-laion2B-s32B-b82K": "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    "ViT-H-14-laion2B-s32B-b79K": "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
}

_PREFIX = "clip:"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_PACKAGES = ("transformers", "huggingface_hub", "ftfy")

_WEIGHTS = ("model*.safetensors*", "pytorch_model*.bin*")  # patterns; a repository may have both: the first is taken
_PARTS = (  # of a model's folder, each under one of several names
    ("config.json",),
    ("preprocessor_config.json",),
    ("tokenizer.json", "vocab.json"),
    ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"),
)
_LAYOUT = f"a CLIP as transformers saves it: {', '.join(files[0] for files in _PARTS)}"

_VOCABULARY = 49408  # tokens of OpenAI's vocabulary, which OpenCLIP's models share
_KNOWN_TEXT = "a person walks forward, then turns left!"
_KNOWN_IDS = [49406, 320, 2533, 8192, 2342, 267, 1594, 3185, 1823, 256, 49407]

_BATCH = 64


class ClipEncoder:
    """A frozen CLIP: texts and images to unit vectors of one space.

    Args:
        name: "clip" (ViT-B-32 of OpenAI), a key of ``PUBLISHED`` after "clip:", or "clip:ORG/REPO" of the hub.
        weights: a folder in transformers' layout; by default the hub's cache, or else the hub.
        device: "cpu", "cuda", or one GPU of several, as each process of a job has: "cuda:1".

    Attributes:
        name: full name, without any path.
        dim: size of a vector.
        fingerprint: hash of weights, vocabulary and image preprocessing; not of where the files are.

    Raises:
        ModelError: if the name is unknown, files are missing, damaged or of another model, or there is no such device.
    """

    def __init__(self, name: str = "clip", weights: str | Path | None = None, device: str = "cpu"):
        self.name = _full_name(name)
        self._device = _checked_device(device)
        for package in _PACKAGES:
            if find_spec(package) is None:
                raise ModelError(
                    f"the text encoder clip needs the package {package}; install it: pip install 'motionclip[clip]'"
                )
        folder = _hub_folder(self.name) if weights is None else Path(weights).expanduser()
        if not folder.is_dir():
            raise ModelError(f"{folder} is no folder; expected a folder with {_LAYOUT}")
        if missing := _missing(folder):
            raise ModelError(f"{folder} has no {missing}; expected {_LAYOUT}")
        with _quiet():
            network = _load_network(folder)
            self._tokenizer = _load_tokenizer(folder, network.config.text_config.vocab_size)
            self._processor = _load_processor(folder, network.config.vision_config.image_size)
        # The text's vector is read at its end token; older config.json name another one.
        self._end: int = self._tokenizer.eos_token_id
        network.text_model.eos_token_id = self._end
        self._context: int = network.config.text_config.max_position_embeddings
        self._network = network.to(self._device)
        self.dim: int = network.config.projection_dim
        self.fingerprint = _fingerprint(network, self._tokenizer, self._processor)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Returns unit vectors (N, dim) of N sentences: float32, on the CPU. Batching does not change a vector.

        A text of more than 77 tokens, start and end counted, is truncated as in OpenAI's code, with one warning a call.

        Raises:
            TextError: on anything but words.
        """
        cleaned = checked_texts(texts)
        tokens = [self._tokens(text) for text in cleaned]
        if long := [text for text, ids in zip(cleaned, tokens, strict=True) if len(ids) > self._context]:
            shown = ", ".join(repr(f"{text[:60]}...") for text in long[:3])
            warnings.warn(
                f"{self.name} reads {self._context} tokens; the rest is cut off {len(long)} text(s): {shown}",
                UserWarning,
                stacklevel=2,
            )
        tokens = [ids if len(ids) <= self._context else [*ids[: self._context - 1], self._end] for ids in tokens]
        vectors = torch.empty(len(tokens), self.dim)
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))  # similar lengths: little padding
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            length = len(tokens[batch[-1]])
            # Attention is causal and the vector is read at the first end token: padding after it changes nothing.
            ids = torch.tensor([tokens[index] + [self._end] * (length - len(tokens[index])) for index in batch])
            vectors[batch] = self._unit_features(self._network.get_text_features, ids)
        return vectors

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Returns unit vectors (N, dim) of N RGB images (H, W, 3) of any size: float32, on the CPU.

        The images are read 64 at a time, so the sequence may load them from a file as it goes.

        Raises:
            ImageError: on anything but such images.
        """
        vectors = torch.empty(len(images), self.dim)
        for start in range(0, len(images), _BATCH):
            batch = range(start, min(start + _BATCH, len(images)))
            pixels = self._processor([checked_image(images[index], index + 1) for index in batch], return_tensors="pt")
            vectors[batch.start : batch.stop] = self._unit_features(
                self._network.get_image_features, pixels["pixel_values"]
            )
        return vectors

    def _tokens(self, text: str) -> list[int]:
        """Returns the token ids of a text between start and end token, not truncated."""
        ids: list[int] = self._tokenizer(_clean(text), verbose=False)["input_ids"]
        if len(ids) < 3:
            raise TextError(f"{text[:40]!r} has no word that {self.name} knows; expected English words")
        return ids

    def _unit_features(self, encode: Any, batch: Tensor) -> Tensor:
        # A caller's autocast would otherwise end up in cached vectors.
        with torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            features: Tensor = encode(batch.to(self._device)).pooler_output
            return nn.functional.normalize(features, dim=-1).cpu()


def _clean(text: str) -> str:
    """Returns the text as OpenAI's ``basic_clean`` does: encoding and quotes repaired, HTML entities undone twice."""
    import ftfy

    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def _full_name(name: str) -> str:
    """Returns the name as checkpoints store it: "clip" is "clip:ViT-B-32"; others are checked and stay."""
    full = "clip:ViT-B-32" if name == "clip" else name
    short = full.removeprefix(_PREFIX)
    if not full.startswith(_PREFIX) or not (short in PUBLISHED or _REPOSITORY.fullmatch(short)):
        raise ModelError(
            f"no CLIP is called {name!r}; expected {', '.join(_PREFIX + known for known in PUBLISHED)}, or "
            "clip:ORG/REPO of the Hugging Face hub; files of your own are given as weights (--encoder-weights)"
        )
    return full


def _checked_device(device: str) -> torch.device:
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise ModelError(f"the device {device!r}; expected cpu or cuda, or one GPU of several such as cuda:1")
    if device != "cpu" and not torch.cuda.is_available():
        raise ModelError("there is no GPU that torch can use; take the device cpu")
    return torch.device(device)


# Files


def _hub_folder(name: str) -> Path:
    """Returns the folder of a model in the hub's cache, downloaded if it is not there.

    The cache is asked first: a model that is there needs no network and stays the same.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

    short = name.removeprefix(_PREFIX)
    repository = PUBLISHED.get(short, short)
    for cached in (True, False):
        try:
            for weights in _WEIGHTS:
                patterns = ["*.json", "*.txt", weights]
                folder = Path(snapshot_download(repository, allow_patterns=patterns, local_files_only=cached))
                if not _missing(folder):
                    return folder
        except RepositoryNotFoundError as error:
            raise ModelError(f"the Hugging Face hub has no public model {repository}") from error
        except Exception as error:  # what the hub's client raises includes errors of its HTTP library
            if not (cached and isinstance(error, LocalEntryNotFoundError)):
                raise ModelError(
                    f"{repository} is not in the cache of the Hugging Face hub, which cannot be reached "
                    f"({_first_line(error)}); get its files from https://huggingface.co/{repository} on another "
                    "machine and give their folder with --encoder-weights FOLDER (in Python: weights=FOLDER)"
                ) from error
    raise ModelError(f"the repository {repository} has no {_missing(folder)}; expected {_LAYOUT}")


def _missing(folder: Path) -> str:
    """Returns the names of the parts that a folder lacks, for a message; "" if it is complete."""
    return ", ".join(files[0] for files in _PARTS if not any((folder / file).is_file() for file in files))


def _load_network(folder: Path) -> Any:
    """Returns the CLIPModel of a folder: float32, on the CPU, in evaluation mode, without gradients."""
    from transformers import AutoConfig, CLIPModel

    try:
        config = AutoConfig.from_pretrained(folder)
        if config.model_type != "clip":
            raise ModelError(f"{folder / 'config.json'} is of a model {config.model_type!r}; expected clip")
        loaded: Any = CLIPModel.from_pretrained(
            folder, config=config, dtype=torch.float32, weights_only=True, output_loading_info=True
        )
        network, report = loaded
    except ModelError:
        raise
    except Exception as error:  # of transformers, safetensors, torch and json, by what is damaged
        raise ModelError(
            f"{folder} holds no CLIP that can be loaded ({_first_line(error)}); expected {_LAYOUT}: get the files again"
        ) from error
    # from_pretrained fills what a file lacks with random numbers and leaves out what it has not asked for.
    if odd := sorted(report["missing_keys"] | report["unexpected_keys"]):
        raise ModelError(
            f"the weights in {folder} are not those of its config.json: {odd[0]} is missing or has no place there "
            f"({len(odd)} names differ); get the files again"
        )
    return network.eval().requires_grad_(False)


def _load_tokenizer(folder: Path, vocabulary: int) -> CLIPTokenizer:
    """Returns the tokenizer of a folder, checked against ids that OpenAI's own code gives."""
    from transformers import CLIPTokenizer

    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder)
        ids = tokenizer(_KNOWN_TEXT)["input_ids"]
    except Exception as error:  # the errors of the tokenizers library are plain Exceptions
        raise ModelError(f"the tokenizer in {folder} is damaged ({_first_line(error)}); get its files again") from error
    if len(tokenizer) > vocabulary or (vocabulary == _VOCABULARY and ids != _KNOWN_IDS):
        raise ModelError(
            f"the tokenizer in {folder} makes {ids} of {_KNOWN_TEXT!r} with {len(tokenizer)} tokens; expected CLIP's, "
            f"with {vocabulary} tokens: get its files again"
        )
    return tokenizer


def _load_processor(folder: Path, size: int) -> Any:
    """Returns the image preprocessing of a folder: shorter side to ``size``, bicubic; centre crop; normalization.

    This is the implementation on Pillow, as OpenAI's code has it; the other one needs torchvision.
    """
    from transformers import CLIPImageProcessorPil

    path = folder / "preprocessor_config.json"
    try:
        processor = CLIPImageProcessorPil.from_pretrained(folder)
        with np.errstate(all="ignore"):
            pixels = processor(np.zeros((9, 9, 3), np.uint8), return_tensors="pt")["pixel_values"]
    except Exception as error:  # of transformers or numpy, by what is damaged
        raise ModelError(f"{path} is damaged ({_first_line(error)}); get it again") from error
    if pixels.shape != (1, 3, size, size) or not pixels.isfinite().all():
        raise ModelError(f"{path} makes images of shape {tuple(pixels.shape[1:])}; expected finite (3, {size}, {size})")
    return processor


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps transformers from logging and drawing bars; what matters of it is raised as an error here."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _fingerprint(network: nn.Module, tokenizer: CLIPTokenizer, processor: Any) -> str:
    """Returns a hash of all that makes the vectors: sizes, weights, vocabulary and image preprocessing."""
    config: Any = network.config
    # What no shape shows; the version that wrote the files is no part of it.
    shapeless = [
        (part.hidden_act, part.num_attention_heads, part.layer_norm_eps)
        for part in (config.text_config, config.vision_config)
    ]
    vocabulary = sorted(tokenizer.get_vocab().items())
    digest = hashlib.sha256(json.dumps([shapeless, vocabulary, processor.to_dict()], default=str).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.numpy())
    return digest.hexdigest()[:16]


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
