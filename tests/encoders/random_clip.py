"""A tiny CLIP with random weights, in a folder as transformers saves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from tokenizers import pre_tokenizers
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

TINY_NAME = "clip:random/tiny"


def tiny_clip(folder: Path, seed: int = 0, tokenizer: CLIPTokenizer | None = None) -> Path:
    """Writes a CLIP of 2 layers, width 64 and 32 numbers a vector into a folder and returns it.

    Args:
        folder: made if it is missing.
        seed: of the weights.
        tokenizer: by default one that knows bytes, "walk" and "walks".
    """
    tokenizer = tokenizer or CLIPTokenizer(vocab=vocabulary(WALK), merges=list(WALK))
    stack = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}
    end = tokenizer.eos_token_id
    config = CLIPConfig(
        text_config={**stack, "vocab_size": len(tokenizer), "eos_token_id": end, "bos_token_id": end - 1},
        vision_config={**stack, "image_size": 224, "patch_size": 32},
        projection_dim=32,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = CLIPModel(config)
    for part in (network, tokenizer, CLIPImageProcessorPil()):
        part.save_pretrained(folder)
    return folder


WALK = {("w", "a"): 0, ("wa", "l"): 1, ("wal", "k</w>"): 2, ("wal", "k"): 3, ("walk", "s</w>"): 4}


def vocabulary(merges: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Token ids in CLIP's order: bytes, bytes that end a word, merges by their rank, start, end."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    by_rank = {rank: "".join(pair) for pair, rank in merges.items()}
    merged = [by_rank.get(rank, f"(unknown {rank})") for rank in range(max(by_rank) + 1)]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *merged, "<|startoftext|>", "<|endoftext|>"]
    return {token: index for index, token in enumerate(tokens)}
