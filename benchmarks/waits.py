"""Processor time and peak memory of what users wait for: a film, a data set prepared, ten minutes recognized, a table.

    python benchmarks/waits.py --cmu .data/cmu [--before ../earlier/src] [--only film recognize]

Each is a whole command in a process of its own, on one thread. With ``--before``, another checkout with its weights is
measured, too, in turn with this one. Processor time is compared, which other programs disturb less than a clock;
memory is the largest resident size of the command and its children.

Prints a table and writes benchmarks/results/waits.json. Answers among a million windows: benchmarks/search.py.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Literal

import torch
import tyro

import motionclip
from motionclip.motion import Motion
from parse_bvh import commit, machine

HERE = Path(__file__).parent
RESULT, SOURCE = HERE / "results" / "waits.json", HERE.parent / "src"
#: A long trial, and a few subjects, of the CMU database; some are of the split `test`.
TRIAL, SUBJECTS = "01/01_01", ("02", "08", "35", "39")
FILM_SECONDS, LONG_SECONDS = 10, 600
Wait = Literal["film", "prepare", "recognize", "evaluate"]
WAITS: tuple[Wait, ...] = ("film", "prepare", "recognize", "evaluate")


def of_length(motion: Motion, seconds: float) -> Motion:
    """The motion, played there and back until it is long enough."""
    frames = round(seconds * motion.fps)
    there_and_back = torch.cat([torch.arange(motion.num_frames), torch.arange(motion.num_frames - 1, -1, -1)])
    taken = there_and_back.repeat(frames // len(there_and_back) + 1)[:frames]
    return Motion(motion.rotations[taken], motion.root[taken], motion.fps, motion.skeleton)


def commands(folder: Path) -> dict[Wait, list[str]]:
    """The command of each wait, on the files in a folder; the store is that which `prepare` writes."""
    store = str(folder / "store")
    return {
        "film": ["render", str(folder / "film.bvh"), "--out", str(folder / "film.mp4"), "--width", "512"],
        "prepare": ["prepare", f"cmu:{folder / 'cmu'}", "--out", store],
        "recognize": ["recognize", str(folder / "long.bvh")],
        "evaluate": ["evaluate", "--data", store, "--json", str(folder / "evaluation.json")],
    }


def measured(source: Path, arguments: list[str]) -> dict[str, float]:
    """Seconds of processor time and MiB of memory of a command, children included."""
    environment = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1", "MOTIONCLIP_THREADS": "1"}
    command = [sys.executable, "-m", "motionclip", *arguments]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{said.read().decode()}")
    return {"seconds": used.ru_utime + used.ru_stime, "mib": used.ru_maxrss / 1024}


def main(cmu: Path, before: Path | None = None, rounds: int = 3, only: tuple[Wait, ...] = WAITS) -> None:
    """Measure, print a table and write the results.

    Args:
        cmu: the folder of the CMU database.
        before: folder `src` of another checkout, to be measured in turn with this one.
        rounds: of each measurement; the median counts.
        only: waits to measure.
    """
    sides = {"now": SOURCE} if before is None else {"before": before.resolve(), "now": SOURCE}
    runs: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    load = os.getloadavg()[0]
    trial = motionclip.read_motion(cmu / f"{TRIAL}.amc")
    with tempfile.TemporaryDirectory() as temporary:
        for round_ in range(rounds):
            for side, source in sides.items():
                folder = Path(temporary) / f"{side}-{round_}"
                (folder / "cmu").mkdir(parents=True)
                for subject in SUBJECTS:
                    shutil.copytree(cmu / subject, folder / "cmu" / subject)
                for name, seconds in (("film", FILM_SECONDS), ("long", LONG_SECONDS)):
                    motionclip.write_motion(of_length(trial, seconds), folder / f"{name}.bvh")
                for name, arguments in commands(folder).items():
                    if name in only:
                        runs[f"{name}, {side}"].append(found := measured(source, arguments))
                        print(f"{name}, {side}: {found['seconds']:.1f} s, {found['mib']:.0f} MiB", flush=True)
    figures = {
        name: {unit: round(statistics.median(run[unit] for run in found), 1) for unit in found[0]}
        for name, found in runs.items()
    }
    print("| | " + " | ".join(sides) + " |\n|---" + "|---" * len(sides) + "|")
    for name in only:
        cells = (figures[f"{name}, {side}"] for side in sides)
        print(f"| {name} | " + " | ".join(f"{cell['seconds']} s, {cell['mib']:.0f} MiB" for cell in cells) + " |")
    report = {
        "command": f"python benchmarks/waits.py --rounds {rounds}",
        "commit": commit(),
        "machine": machine(),
        "load": {"before": round(load, 2), "after": round(os.getloadavg()[0], 2)},
        "figures": figures,
    }
    RESULT.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    tyro.cli(main)
