"""How long a sentence takes: a cold start, each stage for one motion and for 64, and threads on a busy machine.

    python benchmarks/generate.py
    python benchmarks/generate.py --before ../earlier/src

With ``--before``, another checkout with its weights is measured, too, in turn with this one; where the processor
computes in bfloat16, stages are measured in it, too. Stages and starts are in processor time on one thread, which
other programs disturb less than the time of a clock; beside it stands their floor, the matrix products of a stage at
the rate that this machine has for large ones. What threads gain or lose is in the time of a clock, alone and beside
processes that keep cores busy.

Prints tables and writes benchmarks/results/generate.json.
"""

from __future__ import annotations

import inspect
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

if TYPE_CHECKING:  # the processes that measure import it, each from its own checkout
    import motionclip

HERE = Path(__file__).parent
RESULT, SOURCE = HERE / "results" / "generate.json", HERE.parent / "src"
SENTENCE, SECONDS, GUIDANCE = "a person walks like an old man", 4.0, 1.5
BF16 = "now, in bfloat16"
COUNTS, REPEATS, CLOCKED = (1, 64), {1: 9, 64: 3}, 20
_SPIN = "while True: pass"


def stages(both: bool = False) -> dict[str, dict[str, float]]:
    """Milliseconds of processor time of each stage, and GFLOP of its matrix products; in the process that measures.

    With ``both``, of the same in bfloat16, too, in turn.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    import motionclip

    torch.set_num_threads(1)
    models = {"ms": motionclip.load()}
    if both:
        models["bf16_ms"] = motionclip.load(bf16=True)
    found = {}
    for count in COUNTS:
        sides = {side: work_of(model, count) for side, model in models.items()}
        for name, exact in sides["ms"].items():
            torch.backends.mha.set_fastpath_enabled(False)  # whose fused layers are not counted
            with FlopCounterMode(display=False) as counter:
                exact()
            torch.backends.mha.set_fastpath_enabled(True)
            taken = median_times({side: work[name] for side, work in sides.items()}, REPEATS[count])
            found[f"{name}, {count}"] = {side: 1000 * seconds for side, seconds in taken.items()}
            found[f"{name}, {count}"]["gflop"] = counter.get_total_flops() / 1e9
    matrix = torch.randn(1024, 1024)
    product = median_times({"ms": lambda: matrix @ matrix}, 15)["ms"]
    found["matrix product"] = {"ms": 1000 * product, "gflop": 2 * 1024**3 / 1e9}
    return found


def work_of(model: motionclip.MotionCLIP, count: int) -> dict[str, Callable[[], object]]:
    """The stages of a number of sentences."""
    import motionclip

    sentences = [f"{SENTENCE}, take {number}" for number in range(count)]
    words = model.embed_text(sentences)
    drawn = model.sample(words, SECONDS, guidance=GUIDANCE, seed=0)
    # in earlier checkouts a sentence was one take
    single = {"takes": 1} if "takes" in inspect.signature(motionclip.text_to_motion).parameters else {}
    return {
        "text": lambda: model.embed_text(sentences),
        "prior": lambda: model.sample(words, SECONDS, guidance=GUIDANCE, seed=0),
        "decode": lambda: model.decode(drawn, SECONDS),
        "all, one take": lambda: motionclip.text_to_motion(model, sentences, **single),
        "all, best of eight takes": lambda: motionclip.text_to_motion(model, sentences),
    }


def median_times(
    works: dict[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """Median seconds of pieces of work, done in turn; the first time of each is not counted."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(repeats + 1):
        for name, do in works.items():
            start = clock()
            do()
            if number:
                taken[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def clocked(threads: int) -> float:
    """Milliseconds of a clock for a sentence; in the process that measures."""
    import torch

    import motionclip

    torch.set_num_threads(threads)
    model = motionclip.load()
    work = {"sentence": lambda: motionclip.text_to_motion(model, SENTENCE)}
    return 1000 * median_times(work, CLOCKED, time.perf_counter)["sentence"]


def in_process(source: Path, call: str, **environment: str) -> Any:
    """What a function of this file returns in a process of its own, with the package of a source folder."""
    code = f"import json, generate; print(json.dumps(generate.{call}))"
    paths = os.pathsep.join([str(source), str(HERE)])
    known = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=known | {"PYTHONPATH": paths} | environment, check=True, capture_output=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def start_seconds(source: Path, *arguments: str) -> float:
    """Seconds of processor time of a whole command, on one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"PYTHONPATH": str(source), "MOTIONCLIP_THREADS": "1"}
    command = [sys.executable, "-m", "motionclip", *arguments]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def beside_others(source: Path) -> list[dict[str, Any]]:
    """Milliseconds of a clock for a sentence on one thread and on all cores, alone and beside busy processes."""
    rows = []
    cores = os.cpu_count() or 1
    for busy in (0, 1):
        for threads, policy in ((1, "passive"), (cores, "active"), (cores, "passive")):
            with ExitStack() as stack:
                for _ in range(busy):
                    spinning = stack.enter_context(subprocess.Popen([sys.executable, "-c", _SPIN]))
                    stack.callback(spinning.kill)
                taken = in_process(source, f"clocked({threads})", OMP_WAIT_POLICY=policy)
            rows.append({"busy_processes": busy, "threads": threads, "waiting": policy, "ms": round(taken, 1)})
    return rows


def main(before: Path | None = None, rounds: int = 5, threads: bool = True) -> None:
    """Measure, print tables and write the results.

    Args:
        before: folder `src` of another checkout, to be measured in turn with this one.
        rounds: of each measurement; the median counts.
        threads: measure what several threads gain or lose, too.
    """
    from motionclip.model.bfloat16 import has_bfloat16  # another checkout, which imports this file, may lack it

    sides = {"now": SOURCE} if before is None else {"before": before.resolve(), "now": SOURCE}
    runs: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    gflop: dict[str, float] = {}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "walk.bvh")
        for _ in range(rounds):
            for side, source in sides.items():
                both = side == "now" and has_bfloat16("cpu")
                for name, row in in_process(source, f"stages(both={both})").items():
                    print(f"{side}: {name}, {row['ms']:.1f} ms", flush=True)
                    runs[f"{name}, ms"][side].append(row["ms"])
                    gflop[f"{name}, ms"] = row["gflop"]
                    if "bf16_ms" in row:
                        runs[f"{name}, ms"][BF16].append(row["bf16_ms"])
                runs["motionclip --help, s"][side].append(start_seconds(source, "--help"))
                runs["motionclip generate, s"][side].append(start_seconds(source, "generate", SENTENCE, "--out", out))
    rate = gflop.pop("matrix product, ms") / statistics.median(runs.pop("matrix product, ms")["now"])  # GFLOP per ms
    figures: dict[str, dict[str, float]] = {
        name: {side: round(statistics.median(values), 3) for side, values in found.items()}
        | ({"floor": round(gflop[name] / rate, 3)} if name in gflop else {})
        for name, found in runs.items()
    }
    beside_busy = beside_others(SOURCE) if threads else []
    show(figures, beside_busy)
    options = ("" if before is None else " --before EARLIER/src") + ("" if threads else " --no-threads")
    report = {
        "command": f"python benchmarks/generate.py{options} --rounds {rounds}",
        "cores": os.cpu_count(),
        "load": {"before": round(load, 2), "after": round(os.getloadavg()[0], 2)},
        "matrix_gflops": round(1000 * rate, 1),
        "figures": figures,
        "threads": beside_busy,
    }
    RESULT.write_text(json.dumps(report, indent=2) + "\n")


def show(figures: dict[str, dict[str, float]], threads: list[dict[str, Any]]) -> None:
    """The figures as Markdown."""
    columns = ("before", "now", "floor", BF16)
    print("| processor time of | " + " | ".join(columns) + " |\n" + "|---" * 5 + "|")
    for name, row in figures.items():
        print(f"| {name} | " + " | ".join(str(row.get(column, "")) for column in columns) + " |")
    if threads:
        print("\n| " + " | ".join(threads[0]) + " |\n" + "|---" * len(threads[0]) + "|")
    for row in threads:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


if __name__ == "__main__":
    tyro.cli(main)
