"""What a GPU does with this package, in one command of at most six minutes.

    python benchmarks/gpu.py            # on a machine with a GPU, after `pip install`: no data, no network
    python benchmarks/gpu.py --small    # the rehearsal on a CPU: the same code in small

The parts run one after the other, each in a process of its own and within a budget of time: one that takes too long,
runs out of memory or crashes loses what it had not measured yet, with a note, and the next one begins.

``matmul``     rates of large matrix products, and the time that launching one operation takes
``tests``      the tests marked ``gpu``
``steps``      training steps of the presets `paper` and `base`, in float32 and bfloat16
``text``       text to motion: latency and throughput
``training``   a short run of all phases of `base` on procedural motions, and a sentence by the model that it made
``nccl``       the exchanges of a training job through NCCL, of one process
``compiled``   the training steps again, in bfloat16 and compiled; last, since it can take all time that is left

Prints progress and tables, and writes benchmarks/results/gpu.json and gpu.md (gpu_rehearsal_cpu.json and .md).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
import tyro

from gpu_parts import PARTS, ROOT, Row, Setting

RESULTS = ROOT / "benchmarks" / "results"
#: Seconds for all of it, and of them the last ones, kept for writing the results.
TOTAL, RESERVE = 350.0, 5.0
#: Seconds that a part may take; the last one may take what is left.
BUDGETS = {"matmul": 30, "tests": 75, "steps": 110, "text": 45, "training": 50, "nccl": 40, "compiled": 180}


def measure(name: str, setting: Setting) -> None:
    """What the process of a part does: write each row when it is there, and say it."""
    torch.manual_seed(0)
    with (setting.folder / f"{name}.jsonl").open("a") as file:
        for row in PARTS[name](setting):
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(f"  {shown(row)}", flush=True)


def run_part(name: str, setting: Setting, seconds: float) -> Row:
    """A part in a process of its own, which is ended, with those that it started, after ``seconds``."""
    if seconds < 1:
        return {"state": "left out: no time was left", "seconds": 0.0, "rows": []}
    began = time.perf_counter()
    command = [sys.executable, __file__, "--part", name, "--folder", str(setting.folder)]
    process = subprocess.Popen(command + ["--small"] * setting.small, start_new_session=True)
    try:
        state = "done" if process.wait(timeout=seconds) == 0 else f"failed with exit status {process.returncode}"
    except subprocess.TimeoutExpired:
        state = f"its {seconds:.0f} s were up; what is missing was not measured"
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    path = setting.folder / f"{name}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines if line.endswith("}")]
    return {"state": state, "seconds": time.perf_counter() - began, "rows": rows}


def with_shares(parts: dict[str, Row]) -> None:
    """Add to each step its share of the rate of matrix products that was measured, by the arithmetic of the preset."""
    rates = {row["precision"]: row["tflops"] for row in rows_of(parts, "matmul") if "tflops" in row}
    steps = [row for name in ("steps", "compiled") for row in rows_of(parts, name) if "step_s" in row]
    per_window = {row["preset"]: row["gflop"] / row["batch"] for row in steps if row["gflop"]}
    for row in steps:
        row["windows_per_s"] = row["batch"] / row["step_s"]
        rate = rates.get(row.get("precision"))
        if rate and row["preset"] in per_window:
            row["tflops"] = per_window[row["preset"]] * row["windows_per_s"] / 1e3
            row["share_of_matmul_rate"] = row["tflops"] / rate


def rows_of(parts: dict[str, Row], name: str) -> list[Row]:
    return parts[name]["rows"] if name in parts else []


def shown(value: object) -> str:
    """A value for people: four digits of a number, the entries of a row."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return "; ".join(map(shown, value)) or "none"
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def markdown(report: Row) -> str:
    """The report as a page of tables."""
    lines = [f"# {report['machine']}", "", f"`{report['command']}`, commit {report['commit']}", ""]
    for name, part in report["parts"].items():
        lines += [f"## {name}", "", f"{part['state']}, {part['seconds']:.0f} s", ""]
        columns = list(dict.fromkeys(column for row in part["rows"] for column in row))
        if columns:
            lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
            cells = ([shown(row.get(column)).replace("|", "/") for column in columns] for row in part["rows"])
            lines += [f"| {' | '.join(row)} |" for row in cells] + [""]
    return "\n".join(lines)


def machine(setting: Setting) -> str:
    versions = f"torch {torch.__version__}, Python {platform.python_version()}"
    if setting.small:
        return f"Rehearsal on a CPU in small, no GPU: {platform.machine()}, {os.cpu_count()} cores, {versions}"
    about = torch.cuda.get_device_properties(0)
    size = f"{about.total_memory / 2**30:.0f} GiB, compute capability {about.major}.{about.minor}"
    return f"{about.name}, {size}, CUDA {torch.version.cuda}, {os.cpu_count()} cores, {versions}"


def commit() -> str:
    """The commit measured, with a mark if the tree had changes."""
    if shutil.which("git") is None:
        return "unknown"
    call = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True).stdout.strip() or "unknown"


def make_store(setting: Setting) -> None:
    """A store of procedural motions."""
    from motionclip.data.prepare import prepare
    from motionclip.data.sources import open_source

    prepare(open_source(f"synthetic:{16 if setting.small else 100}"), setting.folder / "store", workers=1)


def main(
    small: bool = False,
    parts: tuple[str, ...] = tuple(PARTS),
    out: Path = RESULTS,
    part: str | None = None,
    folder: Path | None = None,
) -> None:
    """Measure, print tables and write the results.

    Args:
        small: the rehearsal: on the CPU, with small networks and batches.
        parts: which parts, in this order.
        out: folder of the results.
        part: used by this command itself: measure this part here.
        folder: used by this command itself: the data and rows.
    """
    if part is not None and folder is not None:
        measure(part, Setting(folder, small))
        return
    if not small and not torch.cuda.is_available():
        sys.exit("no GPU that torch can use; --small rehearses on the CPU")
    if unknown := sorted(set(parts) - set(PARTS)):
        sys.exit(f"no part is called {', '.join(unknown)}; expected some of {', '.join(PARTS)}")
    began = time.perf_counter()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as place:
        setting = Setting(Path(place), small)
        if small:
            os.environ["OMP_NUM_THREADS"] = "1"  # small work: threads would only wait for each other
        os.environ["MOTIONCLIP_CACHE"] = str(setting.folder / "cache")
        print(machine(setting), "\nmaking motions", flush=True)
        make_store(setting)
        found: dict[str, Row] = {}
        for name in parts:
            left = TOTAL - RESERVE - (time.perf_counter() - began)
            print(f"{name}, {left:.0f} s left", flush=True)
            found[name] = run_part(name, setting, min(BUDGETS[name], left))
            print(f"  {found[name]['state']}, {found[name]['seconds']:.0f} s", flush=True)
        with_shares(found)
        report = {
            "command": "python benchmarks/gpu.py" + " --small" * small,
            "rehearsal": small,
            "machine": machine(setting),
            "commit": commit(),
            "seconds": time.perf_counter() - began,
            "parts": found,
        }
    out.mkdir(parents=True, exist_ok=True)
    stem = out / ("gpu_rehearsal_cpu" if small else "gpu")
    stem.with_suffix(".json").write_text(json.dumps(rounded(report), indent=2) + "\n")
    stem.with_suffix(".md").write_text(markdown(report))
    print(markdown(report))


def rounded(value: Any) -> Any:
    """A value for JSON, its numbers to five digits."""
    if isinstance(value, dict):
        return {name: rounded(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    tyro.cli(main)
