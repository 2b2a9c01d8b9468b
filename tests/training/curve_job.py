"""A job of any number of processes that trains small models and keeps the loss of every step.

As a script, `curve_job.py STORE PARAPHRASES OUT`, it is what torchrun starts; :func:`run_curves` does the same in a
process that is alone, with the batch of ``processes`` processes.
"""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional as F

from motionclip.data.store import Store
from motionclip.model.config import ModelConfig
from motionclip.training.config import PRESETS, TrainConfig
from motionclip.training.distributed import DistributedContext
from motionclip.training.trainer import train


class DigestEncoder:
    """A text encoder that tells texts and pictures apart and knows nothing else of them."""

    name, dim, fingerprint = "digest", 32, "1"

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        return self._vectors([text.encode() for text in texts])

    def encode_images(self, images: Sequence[np.ndarray]) -> Tensor:
        return self._vectors([image.tobytes() for image in images])

    def _vectors(self, contents: Sequence[bytes]) -> Tensor:
        seeds = [int.from_bytes(hashlib.sha256(content).digest()[:6]) for content in contents]
        drawn = [torch.randn(self.dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return F.normalize(torch.stack(drawn), dim=-1)


def _paper(config: TrainConfig) -> ModelConfig:
    """The paper's network, small and without dropout, which differs between processes."""
    return dataclasses.replace(config.model, encoder_layers=1, decoder_layers=1, feedforward=64, dropout=0.0)


def configs() -> dict[str, TrainConfig]:
    """Every loss is in one of them; windows differ in length, and some have no words.

    A low rate, at which what two processes round differently does not grow from step to step.
    """
    ours = PRESETS["tiny"].with_text_encoder("digest", 32, sees_pictures=False)
    ours = dataclasses.replace(ours, steps=25, lr=4e-5, window_seconds=(1.0, 2.0), save_every=100, validate_every=100)
    paper = PRESETS["paper"].with_text_encoder("digest", 32, sees_pictures=True)
    sizes = {"epochs": 0, "steps": 15, "batch_size": 6, "frames_per_window": 1, "lr": 1e-3}
    return {"ours": ours, "paper": dataclasses.replace(paper, model=_paper(paper), **sizes)}


def run_curves(store: Path, paraphrases: Path, out: Path, processes: int = 1) -> None:
    """Train each configuration into a folder of its own; the first process writes the losses of all steps."""
    for name, config in configs().items():
        batches = {part: getattr(config, part) * processes for part in ("batch_size", "head_batch", "prior_batch")}
        losses: list[float] = []

        def on_step(phase: str, step: int, steps: int, loss: float | None, losses: list[float] = losses) -> None:
            if loss is not None:
                losses.append(loss)

        said = paraphrases if config.paraphrase_steps else None
        config = dataclasses.replace(config, **batches)
        train(config, [Store.open(store)], out / name, DigestEncoder(), paraphrases=said, on_step=on_step)
        if DistributedContext.from_environment().first:
            (out / name / "losses.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    dist.init_process_group("gloo")  # for several runs
    run_curves(*map(Path, sys.argv[1:4]))
    dist.destroy_process_group()
