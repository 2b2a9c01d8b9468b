"""Random CLIPs as scripts/random_clip.py makes them; the tiny one needs no package for its vocabulary."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from types import ModuleType

from motionclip.encoders.clip import merges_tokenizer

TINY_NAME = "clip:random/tiny"


def script() -> ModuleType:
    """scripts/random_clip.py as a module."""
    path = Path(__file__).parents[2] / "scripts" / "random_clip.py"
    spec = importlib.util.spec_from_file_location("scripts_random_clip", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tiny_clip(folder: Path, seed: int = 0) -> Path:
    """Writes a CLIP of 2 layers, width 64 and 32 numbers a vector, with a vocabulary of its own, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    merges = folder / "merges.txt"
    merges.write_text("\n".join(["first line", "w a", "wa l", "wal k</w>", "wal k", "walk s</w>"]) + "\n")
    tokenizer = merges_tokenizer(merges)
    module = script()
    architecture = dataclasses.replace(module.TINY, vocabulary=tokenizer.get_vocab_size())
    saved: Path = module.save_random_clip(folder, architecture, tokenizer, seed)
    return saved
