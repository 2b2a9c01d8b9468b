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
    paraphrases: Path | None = None,
    resume: bool = False,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    steps: int | None = None,
    batch_size: int | None = None,
    head_steps: int | None = None,
    prior_steps: int | None = None,
    seed: int | None = None,
    tower: str | None = None,
    tower_weights: Path | None = None,
    frame_choice: Literal["random", "middle", "extreme", "best-text"] | None = None,
    bf16: bool = False,
    compile: bool = False,
) -> None:
    """Train a model: the text head on paraphrases, the auto-encoder with it, the head once more, then the latent prior.

    Under torchrun all processes train one model together (docs/training.md).

    Args:
        data: stores made by `motionclip prepare`.
        out: the run folder: config, environment, metrics, pictures, TensorBoard events, states and the model.
        preset: the configuration to start from.
        paraphrases: HumanML3D's folder texts, or JSON lines (.xz too) with the captions of one motion in each; the text
            head learns from them first.
        resume: go on with the run in `out` from its last checkpoint.
        device: where to compute; `auto` takes a GPU where there is one, each process of a job its own.
        steps: steps of the auto-encoder, instead of the preset's.
        batch_size: windows per step of each process, instead of the preset's.
        head_steps: steps of the text head alone, instead of the preset's.
        prior_steps: steps of the prior, instead of the preset's.
        seed: of weights, draws and noise, instead of the preset's.
        tower: minilm, clip:ViT-B-32 or another CLIP by name, instead of the preset's; minilm sees no pictures.
        tower_weights: folder or file of the tower's weights, if they are not to come from the hub.
        frame_choice: which picture of a window the image loss takes, instead of the preset's.
        bf16: run the transformers in bfloat16, whatever the preset says.
        compile: compile the transformers, which takes minutes at the start and a C++ compiler: for GPUs.
    """
    from rich.progress import TaskID

    from motionclip.cli.console import progress_bar, say
    from motionclip.cli.job import among
    from motionclip.data.store import Store
    from motionclip.towers import ImageTower, load_tower
    from motionclip.training.distributed import Ranks
    from motionclip.training.presets import preset as named
    from motionclip.training.trainer import train as run

    ranks, base = Ranks.from_environment(), named(preset)
    place = ranks.device(_device(device))
    with among(ranks):
        encoder = load_tower(tower or base.model.tower, tower_weights, place)
        sees_pictures = isinstance(encoder, ImageTower)
        if base.uses_pictures and not sees_pictures and ranks.first:
            say(f"the tower {encoder.name} sees no pictures: training without the image loss")
        changes: dict[str, object] = {"steps": steps, "head_steps": head_steps, "prior_steps": prior_steps}
        changes |= {"batch_size": batch_size, "seed": seed, "frame_choice": frame_choice}
        changes |= {"bf16": bf16 or None, "compile": compile or None}
        if steps is not None:
            changes["epochs"] = 0
        config = dataclasses.replace(
            base.with_tower(encoder.name, encoder.dim, sees_pictures=sees_pictures),
            **{name: value for name, value in changes.items() if value is not None},  # type: ignore[arg-type]
        )
        stores = [Store.open(path) for path in data]
        with progress_bar(shown=ranks.first) as bar:
            tasks: dict[str, TaskID] = {}

            def on_step(phase: str, step: int, total: int, loss: float | None) -> None:
                if phase not in tasks:
                    tasks[phase] = bar.add_task(phase, total=total)
                name = phase if loss is None else f"{phase} loss {loss:.4f}"
                bar.update(tasks[phase], completed=step, description=name)

            model = run(
                config, stores, out, encoder, resume=resume, paraphrases=paraphrases, device=place, on_step=on_step
            )
    if ranks.first:
        say(f"the model is in {model}")


def _device(name: str) -> str:
    """The device to compute on: a GPU for `auto` where there is one."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name
