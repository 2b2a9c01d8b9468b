"""CLIP's tokens: cleaned as OpenAI's code cleans, byte-pair encoded, between two marks.

Cleaning: ftfy, HTML entities undone twice, runs of blanks to one, lower case. The first two are done here, the
rest by the tokenizer. (https://github.com/openai/CLIP, clip/simple_tokenizer.py, for the steps and the pattern.)
"""

from __future__ import annotations

import gzip
import html
import re
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from motionclip.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PACKAGE = "open-clip-torch"
INSTALL = f"pip install --no-deps {PACKAGE}"
START, END = "<|startoftext|>", "<|endoftext|>"
KNOWN_TEXT = "a person walks forward, then turns left!"
KNOWN_IDS = [49406, 320, 2533, 8192, 2342, 267, 1594, 3185, 1823, 256, 49407]

_PATTERN = rf"{re.escape(START)}|{re.escape(END)}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+"
_FULL_SIZE = 49408
_MERGES = _FULL_SIZE - 2 * 256 - 2  # the published file goes on for five times as long; CLIP's vocabulary ends here


def clean(text: str) -> str:
    """Text with mended encoding, plain quotes and no HTML entities."""
    import ftfy

    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def load_tokenizer(path: Path, vocabulary: int) -> Tokenizer:
    """The tokenizer in ``tokenizer.json``; where there is none, CLIP's own from the package open-clip-torch.

    Args:
        path: the file, which may be missing.
        vocabulary: tokens of the model.

    Raises:
        ModelError: if the file is damaged or another model's, or is missing and so is the package.
    """
    if path.is_file():
        tokenizer = _read(path)
    elif vocabulary == _FULL_SIZE:
        tokenizer = merges_tokenizer(package_vocabulary(path))
    else:
        raise ModelError(f"{path} is missing; put the tokenizer.json of these weights there")
    _check(tokenizer, path, vocabulary)
    return tokenizer


def package_vocabulary(missing: Path | None = None) -> Path:
    """CLIP's published merges in the package open-clip-torch, found without importing it.

    Args:
        missing: the tokenizer file that was looked for first, for the message.

    Raises:
        ModelError: if the package is not installed.
    """
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        first = "" if missing is None else f"{missing} is missing: put the tokenizer.json of the weights there, or "
        raise ModelError(f"{first}get CLIP's vocabulary with: {INSTALL}") from None
    return Path(str(package.locate_file("open_clip/bpe_simple_vocab_16e6.txt.gz")))


def merges_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a file of merges as OpenAI publishes it: a first line to skip, then one pair a line.

    The numbers of the tokens follow from the order: 256 bytes, the same at the end of a word, the merges, two marks.

    Args:
        path: plain text, or gzip where the name ends in ``.gz``.

    Raises:
        ModelError: if it cannot be read, or a line is not two tokens.
    """
    from tokenizers import Tokenizer, models

    merges = _read_merges(path)
    bytes_ = _byte_letters()
    tokens = [*bytes_, *(letter + "</w>" for letter in bytes_), *("".join(pair) for pair in merges), START, END]
    numbers = {token: number for number, token in enumerate(tokens)}
    try:
        bpe = models.BPE(numbers, merges, unk_token=END, end_of_word_suffix="</w>")
    except Exception as error:  # the library's own errors are plain Exceptions
        raise ModelError(
            f"{path} is damaged ({error}); expected CLIP's merges, bpe_simple_vocab_16e6.txt.gz"
        ) from error
    tokenizer = Tokenizer(bpe)
    _set_rules(tokenizer, numbers)
    return tokenizer


def _set_rules(tokenizer: Tokenizer, numbers: dict[str, int]) -> None:
    """Blanks, case, words and marks, as CLIP has them."""
    from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers, processors

    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in (START, END)])
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = pre_tokenizers.Split(Regex(_PATTERN), behavior="removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    marks = [(START, numbers[START]), (END, numbers[END])]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{START} $A {END}", special_tokens=marks)


def _read_merges(path: Path) -> list[tuple[str, str]]:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = content.decode("utf-8").splitlines()[1 : _MERGES + 1]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read ({error}); get CLIP's vocabulary with: {INSTALL}") from error
    pairs = [tuple(line.split()) for line in lines]
    if odd := [line for line, pair in zip(lines, pairs, strict=True) if len(pair) != 2]:
        raise ModelError(f"{path} has a line {odd[0]!r}; expected two tokens: get CLIP's vocabulary with: {INSTALL}")
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]


def _byte_letters() -> list[str]:
    """A letter for each byte, in CLIP's order: those that print stand for themselves, the rest for U+0100 onwards."""
    printing = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(byte) for byte in printing] + [chr(256 + number) for number in range(256 - len(printing))]


def _read(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library's own errors are plain Exceptions
        raise ModelError(f"{path} is damaged ({error}); get the tokenizer.json of the weights again") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _check(tokenizer: Tokenizer, path: Path, vocabulary: int) -> None:
    size = tokenizer.get_vocab_size()
    ids = tokenizer.encode(KNOWN_TEXT).ids
    marked = bool(ids) and ids[0] == tokenizer.token_to_id(START) and ids[-1] == tokenizer.token_to_id(END)
    if size > vocabulary or not marked or (vocabulary == _FULL_SIZE and ids != KNOWN_IDS):
        raise ModelError(
            f"{path} makes {ids[:12]} of {KNOWN_TEXT!r} with {size} tokens; expected CLIP's tokenizer with "
            f"{vocabulary} tokens between {START} and {END}: get the tokenizer.json of these weights"
        )
