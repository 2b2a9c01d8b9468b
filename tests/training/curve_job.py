"""A job of any number of processes that trains small models and keeps the loss of every step.

As a script, `curve_job.py STORE PARAPHRASES OUT`, it is what torchrun starts; :func:`run_curves` does the same in a
process that is alone, with the batch of ``processes`` processes.
"""

import json
import sys
from pathlib import Path

from small import CONFIG, DigestEncoder, changed
from torch import distributed as dist

from motionclip.data.store import Store
from motionclip.training import phases
from motionclip.training.config import PHASES, PRESETS
from motionclip.training.distributed import DistributedContext
from motionclip.training.trainer import train

phases._START_WINDOWS = 64  # as `conftest.py` has it
#: Every loss is in one of them, and windows differ in length. A low rate, at which what two processes round differently
#: does not grow from step to step; no dropout, which differs between processes.
CONFIGS = {
    "ours": changed(
        CONFIG,
        autoencoder={"steps": 8, "lr": 4e-5},
        windows={"seconds": (1.0, 2.0)},
        matcher={"steps": 0},  # it has dropout
        save_every=100,
    ),
    "paper": changed(
        PRESETS["paper"].with_text_encoder("digest", 32, sees_images=True),
        model={"encoder_layers": 1, "decoder_layers": 1, "feedforward": 64, "dropout": 0.0},
        windows={"frames_per_window": 1},
        autoencoder={"epochs": 0, "steps": 6, "batch_size": 6, "lr": 1e-3},
    ),
}


def run_curves(store: Path, paraphrases: Path, out: Path, processes: int = 1) -> None:
    """Train each configuration into a folder of its own; the first process writes the losses of all steps."""
    for run, config in CONFIGS.items():
        losses: list[float] = []

        def on_step(phase: str, step: int, steps: int, loss: float | None, losses: list[float] = losses) -> None:
            if loss is not None:
                losses.append(loss)

        texts = paraphrases if config.paraphrase.steps else None
        batches = {name: {"batch_size": getattr(config, name).batch_size * processes} for name in PHASES}
        larger = changed(config, **batches)
        train(larger, [Store.open(store)], out / run, DigestEncoder(), paraphrases=texts, on_step=on_step)
        if DistributedContext.from_environment().first:
            (out / run / "losses.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    dist.init_process_group("gloo")  # for several runs
    run_curves(*map(Path, sys.argv[1:4]))
    dist.destroy_process_group()
