"""`motionclip train`: a model from prepared stores."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro


def train(
    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="STORE")],
    out: Path,
    preset: str = "base",
    resume: bool = False,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    steps: int | None = None,
    prior_steps: int | None = None,
    seed: int | None = None,
) -> None:
    """Train a model: the auto-encoder with its text head, then the latent prior.

    Args:
        data: stores made by `motionclip prepare`.
        out: the run folder: config, environment, metrics, pictures, TensorBoard events, states and the model.
        preset: the configuration to start from.
        resume: go on with the run in `out` from its last checkpoint.
        device: where to compute; `auto` takes a GPU where there is one.
        steps: steps of the auto-encoder, instead of the preset's.
        prior_steps: steps of the prior, instead of the preset's.
        seed: of weights, draws and noise, instead of the preset's.
    """
    import torch
    from rich.progress import TaskID

    from motionclip.cli.console import progress_bar, say
    from motionclip.data.store import Store
    from motionclip.towers import load_tower
    from motionclip.training.presets import preset as named
    from motionclip.training.trainer import train as run

    base = named(preset)
    config = dataclasses.replace(
        base,
        steps=base.steps if steps is None else steps,
        prior_steps=base.prior_steps if prior_steps is None else prior_steps,
        seed=base.seed if seed is None else seed,
    )
    stores = [Store.open(path) for path in data]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    with progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def on_step(phase: str, step: int, total: int, loss: float) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=total)
            bar.update(tasks[phase], completed=step, description=f"{phase} loss {loss:.4f}")

        tower = load_tower(config.model.tower)
        model = run(config, stores, out, tower, resume=resume, device=device, on_step=on_step)
    say(f"the model is in {model}")
