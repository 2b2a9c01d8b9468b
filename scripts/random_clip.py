"""A CLIP with random weights in the layout of the Hugging Face hub: to try, time and test what needs CLIP without it.

    python scripts/random_clip.py .data/random_clip --name clip:ViT-B-32 --seed 0
    motionclip train --text-encoder clip:ViT-B-32 --encoder-weights .data/random_clip ...

The sizes are those of the real model, so times and memory are real; the vectors mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import tyro
from tokenizers import Tokenizer

from motionclip.encoders.clip import (
    PUBLISHED,
    Architecture,
    Stack,
    clip_config,
    full_name,
    merges_tokenizer,
    package_vocabulary,
)
from motionclip.errors import ModelError
from motionclip.formats.files import replacing

#: Small enough for tests; any vocabulary fits into it.
TINY = Architecture(
    dim=32,
    text=Stack(64, 2, 2, 128, "quick_gelu"),
    image=Stack(64, 2, 2, 128, "quick_gelu"),
    image_size=224,
    patch_size=32,
)


def save_random_clip(folder: Path, architecture: Architecture, tokenizer: Tokenizer, seed: int = 0) -> Path:
    """Writes ``config.json``, ``model.safetensors`` (float32) and ``tokenizer.json``; returns the folder.

    Args:
        folder: made if it is missing.
        architecture: sizes of the network.
        tokenizer: as ``merges_tokenizer`` makes it.
        seed: of the weights, which have the spread that CLIP's training starts from.
    """
    from safetensors.torch import save_file
    from transformers import CLIPModel

    config = clip_config(architecture, tokenizer.token_to_id("<|endoftext|>"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = CLIPModel(config)
    write(folder / "model.safetensors", lambda path: save_file(network.state_dict(), path))
    write(folder / "tokenizer.json", lambda path: tokenizer.save(str(path)))
    write(folder / "config.json", lambda path: path.write_text(config.to_json_string()))
    return folder


def write(path: Path, save: Callable[[Path], object]) -> None:
    """Writes a file under a temporary name and renames it."""
    with replacing(path) as temporary:
        save(temporary)


def main(out: tyro.conf.Positional[Path], name: str = "clip", vocabulary: Path | None = None, seed: int = 0) -> None:
    """Write a CLIP with random weights.

    Args:
        out: the folder.
        name: a published CLIP, such as clip:ViT-L-14, or "tiny".
        vocabulary: CLIP's bpe_simple_vocab_16e6.txt.gz; by default that of the package open-clip-torch.
        seed: of the weights.
    """
    try:
        architecture = TINY if name == "tiny" else PUBLISHED[full_name(name).removeprefix("clip:")].recipe.architecture
        tokenizer = merges_tokenizer(package_vocabulary() if vocabulary is None else vocabulary)
    except KeyError:
        raise SystemExit(
            f"{name} is not published with its sizes here; expected one of {', '.join(PUBLISHED)}"
        ) from None
    except ModelError as error:
        raise SystemExit(str(error)) from error
    save_random_clip(out, architecture, tokenizer, seed)
    text_encoder = "clip:random/tiny" if name == "tiny" else full_name(name)
    print(f"wrote {out}; use it with --text-encoder {text_encoder} --encoder-weights {out}")


if __name__ == "__main__":
    tyro.cli(main)
