"""The parts of benchmarks/gpu.py: each is a generator of rows, which run in a process of their own.

They call what users call: ``motionclip.training.trainer.train``, ``motionclip.text_to_motion``, the command.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import hashlib
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import motionclip
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import load_text_encoder
from motionclip.model.pipeline import MotionCLIP
from motionclip.training.config import PRESETS, TrainConfig
from motionclip.training.trainer import train

ROOT = Path(__file__).resolve().parents[1]
#: Windows of the training steps, in seconds.
SECONDS = 2.0
SENTENCES = ("walks slowly", "runs in a circle", "waves with both hands", "jumps forward", "kicks with the right foot")

Row = dict[str, Any]


class Enough(Exception):
    """Ends a training run that was started to be timed."""


@dataclass(frozen=True)
class Setting:
    """What all parts share: the folder of their data, and whether this is the rehearsal on a CPU."""

    folder: Path
    small: bool

    @property
    def device(self) -> torch.device:
        return torch.device("cpu" if self.small else "cuda")

    @property
    def batches(self) -> tuple[int, ...]:
        return (2, 4) if self.small else (20, 64, 256, 1024)

    @property
    def steps(self) -> int:
        """Timed steps, after three that are not."""
        return 3 if self.small else 12


def wait_for(device: torch.device) -> None:
    """Until a device has done all that it was told to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(work: Callable[[], object], device: torch.device, count: int, warm_up: int = 3) -> list[float]:
    """Seconds of ``count`` calls; on a GPU between two events of its own clock."""
    for _ in range(warm_up):
        work()
    taken = []
    for _ in range(count):
        wait_for(device)
        if device.type == "cuda":
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            work()
            end.record()
            end.synchronize()
            taken.append(start.elapsed_time(end) / 1000)
        else:
            before = time.perf_counter()
            work()
            taken.append(time.perf_counter() - before)
    return taken


def noted(what: Row, measure: Callable[[], Row]) -> Row:
    """A row of what was measured, or with a note on why it could not be; a fault is a result here."""
    try:
        return what | measure()
    except torch.OutOfMemoryError:
        note = "out of memory"
    except Exception as error:
        note = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
    gc.collect()  # the tensors of the frames that the error went through
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return what | {"note": note}


# The chip


def measure_matmul(setting: Setting) -> Iterator[Row]:
    """Rates of square matrix products by precision, and the time to launch an operation."""
    device, size = setting.device, 256 if setting.small else 8192
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    for name, kind in kinds.items():
        yield noted({"precision": name}, functools.partial(product_rate, device, size, kind))
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        yield noted({"precision": "tf32"}, functools.partial(product_rate, device, size, torch.float32))
        torch.set_float32_matmul_precision("highest")
    yield noted({"precision": "launch"}, functools.partial(launch_time, device))


def product_rate(device: torch.device, size: int, kind: torch.dtype) -> Row:
    matrix = torch.randn(size, size, device=device).to(kind)
    taken = statistics.median(seconds_of(lambda: matrix @ matrix, device, 10))
    return {"size": size, "tflops": 2 * size**3 / taken / 1e12}


def launch_time(device: torch.device, count: int = 2000) -> Row:
    """Microseconds from one small operation to the next, which is what a step of many of them waits for."""
    value = torch.zeros(1, device=device)

    def many() -> None:
        for _ in range(count):
            value.add_(1)

    many()
    wait_for(device)
    start = time.perf_counter()
    many()
    wait_for(device)
    return {"us_per_operation": 1e6 * (time.perf_counter() - start) / count}


# Tests


def run_tests(setting: Setting) -> Iterator[Row]:
    """The tests marked ``gpu``, each when it ends, then pytest's last line and why tests failed."""
    if find_spec("pytest") is None:
        yield {"note": "pytest is not installed: pip install -e '.[dev]'"}
        return
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", "-rf", "-vv", "--color=no"]
    threads = {"OMP_NUM_THREADS": "1" if setting.small else str(min(8, os.cpu_count() or 1))}
    last, failed = "no output", []
    with subprocess.Popen(
        [*command, "tests/test_gpu.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | threads
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last = line.strip() or last
            if line.startswith(("FAILED", "ERROR")):
                failed.append(last)
            elif ended := re.match(r"\S*test_gpu\.py::(.+) (PASSED|FAILED|ERROR)", line):
                yield {"test": ended[1].strip(), "outcome": ended[2].lower()}
    yield {"test": "all", "outcome": last.strip("= "), "failures": failed}


# Training steps


class RandomClip:
    """Random unit vectors under the name of CLIP, whose weights are not here: a step only looks them up."""

    name, dim, fingerprint = "clip:ViT-B-32", 512, "random"

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        return self._vectors([text.encode() for text in texts])

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        return self._vectors([image.tobytes() for image in images])

    def _vectors(self, contents: Sequence[bytes]) -> Tensor:
        seeds = [int.from_bytes(hashlib.sha256(content).digest()[:6]) for content in contents]
        drawn = [torch.randn(self.dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return F.normalize(torch.stack(drawn), dim=-1)


class StepTimer:
    """Follows a training run: times its steps, then counts the arithmetic of one, then ends it.

    Called after each step: ``motionclip.training.trainer.train`` is what is measured, as a user calls it.
    """

    def __init__(self, device: torch.device, steps: int, counts: bool, warm_up: int = 3):
        self._device, self._warm_up, self._steps, self._counts = device, warm_up, steps, counts
        self._counter = FlopCounterMode(display=False)
        self.ends: list[float] = []
        self.gflop: float | None = None

    def __call__(self, phase: str, step: int, steps: int, loss: float | None) -> None:
        if phase != "autoencoder":
            return
        wait_for(self._device)
        self.ends.append(time.perf_counter())
        if step < self._warm_up + self._steps:
            return
        if not self._counts:
            raise Enough
        if step == self._warm_up + self._steps:
            self._counter.__enter__()
            return
        self._counter.__exit__(None, None, None)
        self.gflop = self._counter.get_total_flops() / 1e9
        raise Enough

    @property
    def seconds(self) -> list[float]:
        """Of each timed step."""
        ends = self.ends[self._warm_up - 1 : self._warm_up + self._steps]
        return [after - before for before, after in itertools.pairwise(ends)]


def measure_steps(setting: Setting) -> Iterator[Row]:
    """Training steps in float32 and bfloat16, the smaller batches first; and how long drawing such a batch takes."""
    for batch in setting.batches:
        yield noted(
            {"preset": "any", "batch": batch, "mode": "drawing alone"}, functools.partial(drawing_time, setting, batch)
        )
        for preset in ("paper", "base"):
            for mode in ("float32", "bfloat16"):
                what = {"preset": preset, "batch": batch, "mode": mode}
                yield noted(what, functools.partial(step_time, setting, preset, batch, mode))


def measure_compiled(setting: Setting) -> Iterator[Row]:
    """Training steps in bfloat16 (on a CPU float32), compiled anew for each batch, which takes most of the time.

    The presets' own batches come first, then the largest: what the time does not reach is of least interest.
    """
    full = [("paper", 20), ("base", 64), ("paper", 1024), ("base", 1024)]
    full += [("paper", 256), ("base", 256), ("paper", 64), ("base", 20)]
    for preset, batch in [("base", 2)] if setting.small else full:
        torch.compiler.reset()
        what = {"preset": preset, "batch": batch, "mode": "compiled"}
        yield noted(what, functools.partial(step_time, setting, preset, batch, "compiled"))


def drawing_time(setting: Setting, batch: int) -> Row:
    """Seconds to draw the windows of a batch, which the processor does while the GPU waits."""
    windows = WindowSet([Store.open(setting.folder / "store")], "train", {}, min_frames=21)
    generator = torch.Generator().manual_seed(0)
    draw = functools.partial(windows.draw, generator, batch, round(SECONDS * 30), mirror=True)
    return {"step_s": statistics.median(seconds_of(draw, torch.device("cpu"), 5)), "gflop": None}


def step_time(setting: Setting, preset: str, batch: int, mode: str) -> Row:
    """The median step of a run of the autoencoder phase, its arithmetic, and the peak memory of the GPU."""
    device, began = setting.device, time.perf_counter()
    bf16 = mode == "bfloat16" or (mode == "compiled" and not setting.small)
    config = step_config(setting, preset, batch)
    config = dataclasses.replace(config, bf16=bf16, compile=mode == "compiled")
    encoder = RandomClip() if preset == "paper" else load_text_encoder("minilm")
    timer = StepTimer(device, setting.steps, counts=mode != "compiled")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as out, suppress(Enough):
        store = Store.open(setting.folder / "store")
        train(config, [store], Path(out) / "run", encoder, device=str(device), on_step=timer)
    row = {
        "precision": "bfloat16" if bf16 else "float32",
        "step_s": statistics.median(timer.seconds),
        "slowest_s": max(timer.seconds),
        "gflop": timer.gflop,
        "until_timed_s": timer.ends[2] - began,
    }
    if device.type == "cuda":
        row["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return row


def step_config(setting: Setting, preset: str, batch: int) -> TrainConfig:
    """The preset with a batch and windows of one length, in the rehearsal with a small network."""
    config = PRESETS["tiny" if setting.small and preset == "base" else preset]
    if setting.small and preset == "paper":
        config = dataclasses.replace(
            config, model=dataclasses.replace(config.model, feedforward=64, encoder_layers=1, decoder_layers=1)
        )
    many = 1_000_000  # the timer ends the run, before it would save or validate
    return dataclasses.replace(
        config,
        autoencoder=dataclasses.replace(config.autoencoder, epochs=0, steps=many, batch_size=batch),
        windows=dataclasses.replace(config.windows, seconds=(SECONDS,)),
        save_every=many,
        validate_every=many,
    )


# Text to motion


def measure_text(setting: Setting) -> Iterator[Row]:
    """Latency and throughput of text to motion with the shipped model, four seconds each, and where the time goes."""
    model = motionclip.load(device=str(setting.device))
    for batch in (1, 4) if setting.small else (1, 64, 1024):
        yield noted({"batch": batch}, functools.partial(text_time, setting, model, batch))


def text_time(setting: Setting, model: MotionCLIP, batch: int) -> Row:
    device, repeats = setting.device, 2 if setting.small else 20 if batch == 1 else 5
    texts = [f"a person {SENTENCES[number % len(SENTENCES)]}, take {number}" for number in range(batch)]
    embedded = model.embed_text(texts)
    drawn = model.sample(embedded, 4.0, guidance=1.5, seed=0)
    calls = {
        "all": lambda: motionclip.text_to_motion(model, texts, seconds=4.0),
        "text": lambda: model.embed_text(texts),
        "prior": lambda: model.sample(embedded, 4.0, guidance=1.5, seed=0),
        "decoding": lambda: model.decode(drawn, 4.0),
    }
    taken = {name: seconds_of(call, device, repeats, warm_up=1) for name, call in calls.items()}
    parts = {f"{name}_s": statistics.median(taken[name]) for name in ("text", "prior", "decoding")}
    middle = statistics.median(taken["all"])
    return {"latency_s": middle, "slowest_s": max(taken["all"]), "motions_per_s": batch / middle} | parts


# A run


def measure_training(setting: Setting) -> Iterator[Row]:
    """A short run of all phases, as `motionclip train --preset base --steps 100 --bf16`, then a sentence."""
    yield noted({"preset": "tiny" if setting.small else "base"}, functools.partial(short_run, setting))


def short_run(setting: Setting) -> Row:
    losses: dict[str, list[float]] = {}

    def follow(phase: str, step: int, steps: int, loss: float | None) -> None:
        if loss is not None:
            losses.setdefault(phase, []).append(loss)

    config = PRESETS["tiny"].shortened(10) if setting.small else PRESETS["base"].shortened(100)
    config = dataclasses.replace(
        config,
        bf16=not setting.small,
        validate_every=50,
        encoded_windows=min(config.encoded_windows, 4096),
    )
    began, device = time.perf_counter(), str(setting.device)
    with tempfile.TemporaryDirectory() as out:
        stores, run = [Store.open(setting.folder / "store")], Path(out) / "run"
        folder = train(config, stores, run, load_text_encoder("minilm"), device=device, on_step=follow)
        taken = time.perf_counter() - began
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        motion = motionclip.text_to_motion(motionclip.load(folder, device=device), "a person walks", seconds=SECONDS)
    return {
        "seconds": taken,
        "steps": {phase: len(values) for phase, values in losses.items()},
        "first_loss": {phase: values[0] for phase, values in losses.items()},
        "last_loss": {phase: statistics.mean(values[-10:]) for phase, values in losses.items()},
        "validation": [row for row in rows if row["phase"] == "validation"],
        "motion_is_finite": bool(motion.rotations.isfinite().all() and motion.root.isfinite().all()),
    }


# Processes


def measure_nccl(setting: Setting) -> Iterator[Row]:
    """The exchanges of a job in a group of one process, for the paper's network, then the command under torchrun."""
    backend = "gloo" if setting.small else "nccl"
    yield from (noted({"what": backend} | row, call) for row, call in exchanges(setting, backend))
    yield noted({"what": "torchrun, one process"}, functools.partial(under_torchrun, setting))


def exchanges(setting: Setting, backend: str) -> Iterator[tuple[Row, Callable[[], Row]]]:
    """What a training job sends: gradients once a step, the rows of a batch for the contrast, weights at the start."""
    device = setting.device
    numbers = 10_000 if setting.small else 35_900_000
    gradient, rows = torch.ones(numbers, device=device), torch.ones(64, 512, device=device)

    def timed(exchange: Callable[[], object]) -> Row:
        if not dist.is_initialized():
            dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
        return {"seconds": statistics.median(seconds_of(exchange, device, 10))}

    calls: dict[str, tuple[int, Callable[[], object]]] = {
        "all_reduce": (gradient.numel(), lambda: dist.all_reduce(gradient)),
        "all_gather": (rows.numel(), lambda: dist.all_gather([torch.empty_like(rows)], rows)),
        "broadcast": (gradient.numel(), lambda: dist.broadcast(gradient, src=0)),
    }
    for name, (count, call) in calls.items():
        yield {"exchange": name, "mib": count * 4 / 2**20}, functools.partial(timed, call)


def under_torchrun(setting: Setting) -> Row:
    """Seconds of the whole command with two steps in each phase."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1", "-m"]
        train = ["motionclip", "train", "--preset", "tiny", "--steps", "2", "--device", setting.device.type]
        folders = ["--data", str(setting.folder / "store"), "--out", f"{out}/run"]
        done = subprocess.run([*launch, *train, *folders], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    return {"seconds": time.perf_counter() - began}


PARTS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "matmul": measure_matmul,
    "tests": run_tests,
    "steps": measure_steps,
    "text": measure_text,
    "training": measure_training,
    "nccl": measure_nccl,
    "compiled": measure_compiled,
}
