"""`motionclip train` and `motionclip train-evaluator`: networks from prepared stores."""

# Annotations are evaluated where they stand, for `train_command` makes a signature of types that it imports itself.

import argparse
import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motionclip.cli.console import progress_bar, say, show_cursor
from motionclip.cli.options import Device, SeedNumber, Stores, optional, torch_device
from motionclip.errors import ProcessError

if TYPE_CHECKING:
    from motionclip.training.distributed import DistributedContext
    from motionclip.training.learner import StepCallback

#: Seconds that torchrun gets to notice a dead process and stop this one.
_GRACE = 10.0


def train() -> None:
    """Train a model: the text head on paraphrases, the auto-encoder with it, the head once more, the latent prior."""


def train_command(arguments: Sequence[str]) -> Callable[..., None]:
    """Returns the command `train`, with a flag for every field of the preset that the arguments name."""
    from motionclip.data.store import Store
    from motionclip.encoders import ImageEncoder, load_text_encoder
    from motionclip.training.config import TrainConfig
    from motionclip.training.config import preset as find_preset
    from motionclip.training.distributed import DistributedContext
    from motionclip.training.trainer import train as run

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default="base")
    default = find_preset(parser.parse_known_args(arguments)[0].preset)

    def command(
        data: Stores,
        out: Path,
        preset: str = "base",
        paraphrases: Annotated[Path | None, optional(Path, "PATH")] = None,
        resume: bool = False,
        device: Device = "auto",
        steps: Annotated[int | None, optional(int, "N")] = None,
        batch_size: Annotated[int | None, optional(int, "N")] = None,
        text_encoder: Annotated[str | None, optional(str, "NAME", default="the preset's")] = None,
        encoder_weights: Annotated[Path | None, optional(Path, "PATH")] = None,
        config: Annotated[TrainConfig, tyro.conf.arg(name="")] = default,
    ) -> None:
        """Train a model: the text head on paraphrases, the auto-encoder with it, the head once more, the latent prior.

        Under torchrun all processes train one model together (docs/training.md).

        Args:
            out: The run folder: configuration, environment, metrics, images, TensorBoard events, states and the model.
            preset: The configuration to start from: base, paper or tiny. The flags below show its values.
            paraphrases: HumanML3D's folder texts, or JSON lines (.xz too) with the captions of one motion in each; the
                text head learns from them first.
            resume: Go on with the run in `out` from its last checkpoint.
            device: Where to compute; `auto` takes a GPU if there is one, each process of a job its own.
            steps: Most steps of each phase; a preset that counts epochs takes this many steps.
            batch_size: Windows per step of the auto-encoder, of each process: --autoencoder.batch-size.
            text_encoder: minilm, clip:ViT-B-32 or another CLIP by name; minilm sees no images.
            encoder_weights: Folder or file with the text encoder's weights, in place of the Hugging Face hub.
            config: The fields of the preset.
        """
        if batch_size is not None:
            config = dataclasses.replace(
                config, autoencoder=dataclasses.replace(config.autoencoder, batch_size=batch_size)
            )
        if steps is not None:
            config = config.shortened(steps)
        distributed = DistributedContext.from_environment()
        place = distributed.device(torch_device(device))
        with _job_member(distributed):
            encoder = load_text_encoder(text_encoder or config.model.text_encoder, encoder_weights, place)
            sees_images = isinstance(encoder, ImageEncoder)
            if config.uses_images and not sees_images and distributed.first:
                say(f"the text encoder {encoder.name} sees no images: training without the image loss")
            config = config.with_text_encoder(encoder.name, encoder.dim, sees_images=sees_images)
            stores = [Store.open(path) for path in data]
            with _phase_bars(shown=distributed.first) as on_step:
                model = run(
                    config,
                    stores,
                    out,
                    encoder,
                    resume=resume,
                    paraphrases=paraphrases,
                    device=place,
                    on_step=on_step,
                )
        if distributed.first:
            say(f"the model is in {model}")

    return command


@contextmanager
def _phase_bars(*, shown: bool = True) -> Iterator["StepCallback"]:
    """A progress bar for each phase; gives what is to be called after every step."""
    with progress_bar(shown=shown) as bar:
        tasks = {}

        def on_step(phase: str, step: int, total: int, loss: float | None) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=total)
            name = phase if loss is None else f"{phase} loss {loss:.4f}"
            bar.update(tasks[phase], completed=step, description=name)

        yield on_step


@contextmanager
def _job_member(distributed: "DistributedContext") -> Iterator[None]:
    """Around the work of one process of a torchrun job: when another one dies, it ends too, and says how to go on."""
    if distributed.size == 1:
        yield
        return
    _end_on_sigterm(
        f"motionclip: process {distributed.rank} of {distributed.size} was told to stop, as when another one ended; "
        "torchrun's report names the first; the same command with --resume goes on from the last checkpoint"
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


def train_evaluator(
    data: Stores,
    out: Path,
    classifier_steps: int = 600,
    pair_steps: int = 800,
    seed: SeedNumber = 1729,
) -> None:
    """Train the networks that `motionclip evaluate` measures with, on the `train` split: minutes on two cores.

    A run that is stopped starts anew.

    Args:
        out: Folder to write.
        classifier_steps: Steps of the classifier of content and style.
        pair_steps: Steps of the text-motion pair.
        seed: Of weights and draws; take another than the model's.
    """
    from motionclip.data.store import Store
    from motionclip.encoders import CachedEncoder, load_text_encoder
    from motionclip.metrics.evaluator import save_evaluator
    from motionclip.training.evaluator import EvaluatorSettings
    from motionclip.training.evaluator import train_evaluator as run

    settings = EvaluatorSettings(classifier_steps=classifier_steps, pair_steps=pair_steps, seed=seed)
    stores = [Store.open(path) for path in data]
    with _phase_bars() as on_step:
        network = run(stores, CachedEncoder(load_text_encoder("minilm")), settings, on_step)
    save_evaluator(network, out)
    known = network.config
    say(f"the evaluator is in {out}: {len(known.contents)} contents and {len(known.styles)} styles of {known.dataset}")
