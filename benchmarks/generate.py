"""How long a sentence takes: a cold start of the command, and a further call in a running process.

    python benchmarks/generate.py

Prints a table and writes benchmarks/results/generate.json.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import motionclip

RESULT = Path(__file__).parent / "results" / "generate.json"
SENTENCE = "a person walks like an old man"
COLD_RUNS, WARM_RUNS = 5, 20


def cold_start() -> list[float]:
    """Seconds of whole `motionclip generate` commands, each in a process of its own."""
    seconds = []
    command = [str(Path(sys.executable).with_name("motionclip")), "generate", SENTENCE, "--out"]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(COLD_RUNS):
            start = time.perf_counter()
            subprocess.run([*command, str(Path(folder) / "walk.bvh")], check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    return seconds


def further_calls() -> list[float]:
    """Seconds of `text_to_motion` calls after the first, words not seen before."""
    model = motionclip.load()
    motionclip.text_to_motion(model, SENTENCE)
    seconds = []
    for number in range(WARM_RUNS):
        start = time.perf_counter()
        motionclip.text_to_motion(model, f"{SENTENCE}, take {number}")
        seconds.append(time.perf_counter() - start)
    return seconds


def decoding() -> list[float]:
    """Seconds to decode one latent into 2 seconds of motion."""
    model = motionclip.load()
    latent = model.sample(model.embed_text([SENTENCE]), 2.0, guidance=1.5, seed=0)
    seconds = []
    for _ in range(WARM_RUNS):
        start = time.perf_counter()
        model.decode(latent, 2.0)
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def main() -> None:
    measured = {"cold start of the command": cold_start(), "a further call": further_calls(), "decode 2 s": decoding()}
    rows = {
        name: {"median_s": statistics.median(values), "max_s": max(values), "runs": len(values)}
        for name, values in measured.items()
    }
    print("| what | median | slowest |\n|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {row['median_s']:.3f} s | {row['max_s']:.3f} s |")
    machine = {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "torch": torch.__version__}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(
        json.dumps({"command": "python benchmarks/generate.py", **machine, "figures": rows}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
