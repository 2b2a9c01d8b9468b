"""`motionclip train`: a model from prepared stores."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from motionclip.cli.console import show_cursor
from motionclip.errors import ProcessError

if TYPE_CHECKING:
    from motionclip.training.distributed import DistributedContext


import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro

# A command that is one process of a torchrun job: when another one dies, it ends too, and says how to go on.


#: Seconds that torchrun gets to notice a dead process and stop this one.
_GRACE = 10.0


@contextmanager
def among(ranks: DistributedContext) -> Iterator[None]:
    """Around the work of one process of a job."""
    if ranks.size == 1:
        yield
        return
    _end_on_sigterm(
        f"motionclip: process {ranks.rank} of {ranks.size} was told to stop, as when another one ended; torchrun's "
        "report names the first; the same command with --resume goes on from the last checkpoint"
    )
    try:
        yield
    except ProcessError:
        # torchrun blames the first process that it sees end: that must be the one that died, not one that noticed.
        time.sleep(_GRACE)
        raise


def _end_on_sigterm(message: str) -> None:
    """End the process with a message when torchrun or the cluster stops it, even in the middle of an exchange.

    Python's own handlers wait until a call into torch returns, and an exchange on a GPU with a process that is gone
    does not: so a thread reads the signal's number from a pipe.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGTERM, lambda number, frame: None)

    def wait() -> None:
        while os.read(reader, 1)[0] != signal.SIGTERM:
            pass  # Ctrl-C, which Python handles
        show_cursor()
        print(message, file=sys.stderr, flush=True)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


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
    text_encoder: str | None = None,
    encoder_weights: Path | None = None,
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
        text_encoder: minilm, clip:ViT-B-32 or another CLIP by name, instead of the preset's; minilm sees no pictures.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        frame_choice: which picture of a window the image loss takes, instead of the preset's.
        bf16: run the transformers in bfloat16, whatever the preset says.
        compile: compile the transformers, which takes minutes at the start and a C++ compiler: for GPUs.
    """
    from rich.progress import TaskID

    from motionclip.cli.console import progress_bar, say
    from motionclip.data.store import Store
    from motionclip.encoders import ImageEncoder, load_text_encoder
    from motionclip.training.config import preset as named
    from motionclip.training.distributed import DistributedContext
    from motionclip.training.trainer import train as run

    ranks, base = DistributedContext.from_environment(), named(preset)
    place = ranks.device(_device(device))
    with among(ranks):
        encoder = load_text_encoder(text_encoder or base.model.text_encoder, encoder_weights, place)
        sees_pictures = isinstance(encoder, ImageEncoder)
        if base.uses_pictures and not sees_pictures and ranks.first:
            say(f"the text encoder {encoder.name} sees no pictures: training without the image loss")
        changes: dict[str, object] = {"steps": steps, "head_steps": head_steps, "prior_steps": prior_steps}
        changes |= {"batch_size": batch_size, "seed": seed, "frame_choice": frame_choice}
        changes |= {"bf16": bf16 or None, "compile": compile or None}
        if steps is not None:
            changes["epochs"] = 0
        config = dataclasses.replace(
            base.with_text_encoder(encoder.name, encoder.dim, sees_pictures=sees_pictures),
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


# `motionclip train-evaluator`: the networks that `motionclip evaluate` judges motions by.


def train_evaluator(
    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="STORE")],
    out: Path,
    classifier_steps: int | None = None,
    pair_steps: int | None = None,
    seed: int | None = None,
) -> None:
    """Train the evaluator on the `train` split: a few minutes on two cores, so one that is stopped starts anew.

    Args:
        data: stores made by `motionclip prepare`.
        out: the folder to write.
        classifier_steps: steps of the classifier of content and style, instead of the usual number.
        pair_steps: steps of the text-motion pair, instead of the usual number.
        seed: of weights and draws; take another than the model's.
    """
    import dataclasses

    from rich.progress import TaskID

    from motionclip.cli.console import progress_bar, say
    from motionclip.data.store import Store
    from motionclip.encoders import CachedEncoder, load_text_encoder
    from motionclip.metrics.evaluator import save_evaluator
    from motionclip.training.evaluator import EvaluatorSettings
    from motionclip.training.evaluator import train_evaluator as train

    changes = {"classifier_steps": classifier_steps, "pair_steps": pair_steps, "seed": seed}
    settings = dataclasses.replace(
        EvaluatorSettings(), **{name: value for name, value in changes.items() if value is not None}
    )
    stores = [Store.open(path) for path in data]
    with progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def on_step(name: str, step: int, steps: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=steps)
            bar.update(tasks[name], completed=step)

        network = train(stores, CachedEncoder(load_text_encoder("minilm")), settings, on_step)
    save_evaluator(network, out)
    known = network.config
    say(f"the evaluator is in {out}: {len(known.contents)} contents and {len(known.styles)} styles of {known.dataset}")
