"""Small runs: a text encoder without weights, a configuration of a few steps, and what a run left behind."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.training.config import PRESETS, TrainConfig


class DigestEncoder:
    """A text and image encoder that tells inputs apart and knows nothing else of them."""

    name, dim, fingerprint = "digest", 32, "1"

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        return self._vectors([text.encode() for text in texts])

    def encode_images(self, images: Sequence[np.ndarray]) -> Tensor:
        return self._vectors([image.tobytes() for image in images])

    def _vectors(self, contents: Sequence[bytes]) -> Tensor:
        seeds = [int.from_bytes(hashlib.sha256(content).digest()[:6]) for content in contents]
        drawn = [torch.randn(self.dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return F.normalize(torch.stack(drawn), dim=-1)


def changed(config: TrainConfig, **changes: dict[str, Any] | object) -> TrainConfig:
    """A configuration with other values; those of a part are given as a dict."""
    parts = {
        name: dataclasses.replace(getattr(config, name), **value) if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    return dataclasses.replace(config, **parts)


#: All phases of preset `tiny` in a few steps each.
CONFIG = changed(
    PRESETS["tiny"].with_text_encoder("digest", 32, sees_images=False),
    windows={"seconds": (1.0,)},
    paraphrase={"steps": 3, "batch_size": 8},
    autoencoder={"steps": 5, "batch_size": 4},
    head={"steps": 3, "batch_size": 8},
    prior={"steps": 3, "batch_size": 8},
    encoded_windows=16,
    validate_every=5,
    save_every=2,
)


def rows(run: Path, *phases: str) -> list[dict[str, float]]:
    """The metrics of some phases of a run, or of all."""
    found = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row for row in found if not phases or row["phase"] in phases]
