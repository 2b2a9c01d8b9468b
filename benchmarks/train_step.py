"""One training step of the `paper` preset beside the published recipe written plainly (`benchmarks/plain`).

Both train the same transformers on the same kinds of loss. The plain recipe runs CLIP's two encoders and skins 6,890
vertices twice in every step, as published; ours looks embeddings up in a table (the encoders are frozen) and has the
vertex loss in closed form, which knows no pose blend shapes of SMPL: plain's vertices move by them, too. What each of
the two gives alone stands beside the sum, as how many times faster ours is than plain without that part
(`times_faster_left`), and what filling the table costs (`table_s`): plain's encoders once for each window of an epoch,
as if no two windows shared a sentence or picture; later epochs take nothing. On a GPU, plain's CLIP is in float32,
which flatters ours there. Every measurement is a process of its own, so that its peak memory is its own, and the sides
take turns, so that both meet the same machine. Decoding is measured too, and what bfloat16 costs in accuracy.

    python benchmarks/train_step.py
    python benchmarks/train_step.py --device cuda

Prints a table and writes benchmarks/results/train_step.json (train_step_cuda.json).
"""

from __future__ import annotations

import functools
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import torch
import tyro
from torch import Tensor
from torch.nn import functional as F

# Each side is imported by the processes that measure it: the peak memory of one is not to hold the other's packages.

RESULTS = Path(__file__).parent / "results"
CLIPS, FRAMES, LATENT = 40, 60, 512
DECODED, DECODES = (1, 64), 12
Side = Literal["plain", "ours", "ours bf16"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Setting:
    """What all measurements share: the data, the device, threads of a CPU, timed steps per process, and compiling.

    The data is a folder with a prepared store and its frames (N, 150) in one array, for the plain side.
    """

    data: Path
    device: str
    threads: int
    steps: int
    compiled: bool

    def enter(self) -> torch.device:
        """Set the process up."""
        torch.set_num_threads(self.threads)
        torch.manual_seed(0)
        return torch.device(self.device)


@dataclass(frozen=True)
class Measured:
    """One process: seconds of each part of a step (median of its steps), of a step, and peak memory in MiB.

    ``processor_s`` is the time of all threads, which other programs on the machine disturb less.
    """

    parts: dict[str, float]
    step_s: float
    processor_s: float
    peak_mib: float


class Clock:
    """Times the parts of steps."""

    def __init__(self, device: torch.device):
        self.device, self.parts = device, defaultdict[str, float](float)
        self.start()

    def start(self) -> None:
        """Begin a step."""
        self.parts.clear()
        self.last, self.processor = self._now(), time.process_time()

    def lap(self, name: str) -> None:
        """The part ``name`` ends."""
        now = self._now()
        self.parts[name] += now - self.last
        self.last = now

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def timed(step: Callable[[], object], clock: Clock, count: int) -> Measured:
    """Run steps that report their parts to the clock, the first ones unmeasured."""
    steps, processor = [], []
    warm_up = 3 if clock.device.type == "cuda" else 1
    for number in range(warm_up + count):
        clock.start()
        step()
        if number >= warm_up:
            steps.append(dict(clock.parts))
            processor.append(time.process_time() - clock.processor)
    parts = {name: statistics.median(taken[name] for taken in steps) for name in steps[0]}
    total = statistics.median(sum(taken.values()) for taken in steps)
    return Measured(parts, total, statistics.median(processor), peak_mib(clock.device))


def peak_mib(device: torch.device) -> float:
    """Most memory that this process had: of the GPU where it used one."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**10


def measure_step(setting: Setting, side: Side, batch: int) -> Measured:
    """Steps of a side."""
    device = setting.enter()
    clock = Clock(device)
    if side == "plain":
        from plain.recipe import PlainRecipe

        recipe = PlainRecipe(torch.from_numpy(np.load(setting.data / "frames.npy")), device)
        return timed(lambda: recipe.step(batch, clock.lap), clock, setting.steps)
    from ours.step import Ours

    ours = Ours(setting.data / "store", device, bf16=side == "ours bf16")
    if setting.compiled:
        ours.compile()
    ours.watch(clock.lap)
    return timed(lambda: ours.step(batch, clock.lap), clock, setting.steps)


def measure_decoding(setting: Setting, side: Side, count: int) -> Measured:
    """Decoding of ``count`` latents into 60 frames each."""
    device = setting.enter()
    clock, latent = Clock(device), torch.randn(count, LATENT, device=device)
    mask = torch.ones(count, FRAMES, dtype=torch.bool, device=device)
    decode = decoder_of(side, device)

    def step() -> None:
        with torch.inference_mode():
            decode(latent, mask)
        clock.lap("decode")

    return timed(step, clock, DECODES)


def decoder_of(side: Side, device: torch.device) -> Callable[[Tensor, Tensor], object]:
    """What turns latents and masks into frames."""
    if side == "plain":
        from plain.network import Decoder

        return Decoder().to(device).eval()
    from ours.step import network

    return network(device, bf16=side == "ours bf16").eval().decode


def bf16_error(setting: Setting, batch: int) -> dict[str, float]:
    """Relative errors that bfloat16 makes in the loss and the gradient of one batch, same weights and dropout.

    A processor without its instructions imitates it, so slowly that one window has to do.
    """
    from ours.step import Ours

    ours = Ours(setting.data / "store", setting.enter(), bf16=False)
    loss, gradient = ours.gradient(batch)
    ours.model.compute_dtype = torch.bfloat16
    rough_loss, rough_gradient = ours.gradient(batch)
    return {
        "loss": float((rough_loss - loss).abs() / loss),
        "gradient": float((rough_gradient - gradient).norm() / gradient.norm()),
        "gradient_cosine": float(F.cosine_similarity(rough_gradient.double(), gradient.double(), dim=0)),
    }


def matrix_products(setting: Setting, batches: Sequence[int]) -> dict[str, float]:
    """Rates of square matrix products, GFLOP/s, and the GFLOP of all matrix products in a step of ours."""
    from ours.step import Ours

    device = setting.enter()
    size, found = (8192 if device.type == "cuda" else 2048), {}
    for kind in (torch.float32, torch.bfloat16)[: 1 + has_bf16(setting.device)]:
        matrix, clock = torch.randn(size, size, device=device).to(kind), Clock(device)
        taken = timed(functools.partial(square, matrix, clock), clock, 5)
        found[f"{kind}_gflops".removeprefix("torch.")] = round(2 * size**3 / taken.step_s / 1e9, 1)
    ours = Ours(setting.data / "store", device, bf16=False)
    return found | {f"step_{batch}_gflop": round(ours.gflop(batch), 1) for batch in batches}


def square(matrix: Tensor, clock: Clock) -> None:
    """One matrix product."""
    matrix @ matrix
    clock.lap("product")


def in_turns(setting: Setting, rounds: int, batches: Sequence[int]) -> dict[str, list[Measured]]:
    """Every measurement ``rounds`` times, each in a new process, the sides one after the other."""
    sides: tuple[Side, ...] = get_args(Side) if has_bf16(setting.device) else ("plain", "ours")
    kinds = {"step": (measure_step, batches), "decode": (measure_decoding, DECODED)}
    found: dict[str, list[Measured]] = {}
    for kind, (measure, sizes) in kinds.items():
        for size in sizes:
            for _ in range(rounds):
                for side in sides:
                    measured = alone(measure, setting, side, size)
                    found.setdefault(f"{kind} {size}, {side}", []).append(measured)
                    print(f"{kind} {size}, {side}: {measured.step_s:.3f} s, {measured.peak_mib:.0f} MiB", flush=True)
    return found


def has_bf16(device: str) -> bool:
    """Whether a device computes in bfloat16."""
    from motionclip.model.bfloat16 import has_bfloat16

    return has_bfloat16(device)


def alone(function: Callable[..., Result], *arguments: object) -> Result:
    """The result of a function in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def summary(found: dict[str, list[Measured]], products: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Of each measurement the median over its rounds, and how many times better than plain that is."""
    rows: dict[str, dict[str, Any]] = {}
    for name, runs in found.items():
        best = sorted(runs, key=lambda run: run.step_s)[len(runs) // 2]
        plain = found[name.split(",")[0] + ", plain"]
        rows[name] = {
            "seconds": round(best.step_s, 4),
            "processor_seconds": round(best.processor_s, 4),
            "peak_mib": round(best.peak_mib),
            "per_second": round(int(name.split()[1].rstrip(",")) / best.step_s, 2),
            "times_faster": round(median_of(plain, "step_s") / median_of(runs, "step_s"), 2),
            "times_less_processor_time": round(median_of(plain, "processor_s") / median_of(runs, "processor_s"), 2),
            "times_less_memory": round(median_of(plain, "peak_mib") / median_of(runs, "peak_mib"), 2),
            "share": {part: round(taken / best.step_s, 3) for part, taken in best.parts.items()},
        }
        if name.startswith("step") and "ours" in name:
            rate = products["bfloat16_gflops" if name.endswith("bf16") else "float32_gflops"]
            done = products[name.split(",")[0].replace(" ", "_") + "_gflop"] / best.step_s
            rows[name] |= {"gflops": round(done, 1), "share_of_matrix_rate": round(done / rate, 3)} | left(best, plain)
    return rows


def left(ours: Measured, plain: Sequence[Measured]) -> dict[str, Any]:
    """How many times faster than plain without the work that ours saves, and the seconds of that work."""
    parts = {part: statistics.median(run.parts[part] for run in plain) for part in plain[0].parts}
    step, encoders = sum(parts.values()), parts["text encoders"]
    losses = parts["losses, forward"] + parts["losses, backward"]
    saved = {"encoders": encoders, "losses": losses, "both": encoders + losses}
    faster = {part: round((step - seconds) / ours.step_s, 2) for part, seconds in saved.items()}
    return {"times_faster_left": faster, "table_s": round(encoders, 4)}


def median_of(runs: Sequence[Measured], name: str) -> float:
    """The median of a figure over rounds."""
    return statistics.median(getattr(run, name) for run in runs)


def main(
    device: str = "cpu",
    threads: int = 2,
    batches: tuple[int, ...] = (20, 64),
    rounds: int = 3,
    compiled: bool = False,
) -> None:
    """Measure, print a table and write the results.

    Args:
        device: cpu or cuda.
        threads: of a CPU.
        batches: windows in a step.
        rounds: how often each side is measured; the median counts.
        compiled: compile our transformers on a CPU, too, which takes two minutes in each process.
    """
    with tempfile.TemporaryDirectory() as folder:
        alone(make_data, Path(folder))
        setting = Setting(Path(folder), device, threads, steps=3, compiled=compiled or device == "cuda")
        load = os.getloadavg()[0]
        found = in_turns(setting, rounds, batches)
        products = alone(matrix_products, setting, batches)
        report: dict[str, Any] = {
            "command": f"python benchmarks/train_step.py --device {device} --threads {threads} --rounds {rounds}"
            + " --compiled" * compiled,
            "commit": commit(),
            "machine": machine(device),
            "load": {"before": round(load, 2), "after": round(os.getloadavg()[0], 2)},
            "matrix_products": products,
            "bf16_relative_error": alone(bf16_error, setting, batches[0] if has_bf16(device) else 1),
            "figures": summary(found, products),
        }
    marks = ["train_step", *([] if device == "cpu" else [device]), *(["compiled"] if compiled else [])]
    path = RESULTS / f"{'_'.join(marks)}.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    print_table(report["figures"])


def make_data(folder: Path) -> None:
    """A synthetic store, and its frames as the paper lays them out: 24 rotations, the root's place, three zeros."""
    from motionclip.data.prepare import prepare
    from motionclip.data.sources import open_source
    from motionclip.data.store import Store

    prepare(open_source(f"synthetic:{CLIPS}"), folder / "store", workers=1)
    store = Store.open(folder / "store")
    root = np.array(store.root)
    np.save(folder / "frames.npy", np.concatenate([store.sixd.reshape(-1, 144), root, 0 * root], axis=1))


def print_table(figures: dict[str, dict[str, Any]]) -> None:
    """The figures as Markdown."""
    columns = ("seconds", "per_second", "peak_mib", "times_faster", "times_less_processor_time", "times_less_memory")
    print("| what | " + " | ".join(columns) + " | share |\n" + "|---" * (len(columns) + 2) + "|")
    for name, row in figures.items():
        share = ", ".join(f"{part} {value:.0%}" for part, value in row["share"].items())
        print(f"| {name} | " + " | ".join(str(row[column]) for column in columns) + f" | {share} |")


def commit() -> str:
    """The commit measured, with a mark if the tree had changes."""
    call = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(call, cwd=RESULTS.parent, capture_output=True, text=True).stdout.strip() or "none"


def machine(device: str) -> str:
    """Processor or GPU, cores, bfloat16 instructions, torch and Python."""
    info = Path("/proc/cpuinfo").read_text()
    name = info.split("model name")[1].split("\n")[0].lstrip("\t :") if "model name" in info else platform.machine()
    bf16 = "" if has_bf16(device) else "no "
    gpu = f"{torch.cuda.get_device_name()}, " if device == "cuda" else ""
    versions = f"torch {torch.__version__}, Python {platform.python_version()}"
    return f"{gpu}{name}, {os.cpu_count()} cores, {bf16}bfloat16 instructions, {versions}"


if __name__ == "__main__":
    tyro.cli(main)
