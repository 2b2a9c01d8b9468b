"""Speed of reading BVH, in MB per second from the file to world positions of all joints: ours, upc-pymotion, bvhio.

Every file is read by every library in turn, so that all meet the same machine; of several rounds the
median counts. Time is that of the processor, which other programs on the machine disturb least; all
libraries run in one thread. Positions are compared too, which runs each library once before the clock starts.

    pip install -e '.[bench]'
    python benchmarks/parse_bvh.py FOLDER --every 100
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

RESULTS = Path(__file__).parent / "results" / "parse_bvh.json"
Positions = NDArray[np.floating]


def read_ours(path: Path) -> Positions:
    """World positions (T, J, 3) in centimetres of our 21 joints, without the joint at the origin."""
    from motionclip.formats.bvh import read_bvh

    return read_bvh(path, scale=0.01).positions.numpy() * 100


def read_pymotion(path: Path) -> Positions:
    """World positions (T, J, 3); the first joint, which rests at the origin, is left out."""
    from pymotion.io.bvh import BVH
    from pymotion.ops.skeleton import fk

    bvh = BVH()
    bvh.load(str(path))
    rotations, positions, parents, offsets, _, _ = bvh.get_data()
    # its kinematics moves only the first joint, but here the second one travels
    path_of_hips = positions[:, 1] + positions[:, 0]
    parents = np.maximum(np.asarray(parents[1:]) - 1, 0)
    world, _ = fk(rotations[:, 1:], path_of_hips, offsets[1:], parents)
    return world


def read_bvhio(path: Path) -> Positions:
    """World positions (T, J, 3), frame by frame as this library poses; the first joint is left out."""
    import bvhio

    root = bvhio.readAsHierarchy(str(path))
    frames = []
    for frame in range(root.getKeyframeRange()[1] + 1):
        root.loadPose(frame)
        frames.append([tuple(joint.PositionWorld) for joint, _, _ in root.layout()])
    return np.array(frames)[:, 1:]


READERS: dict[str, Callable[[Path], Positions]] = {
    "motionclip": read_ours,
    "upc-pymotion": read_pymotion,
    "bvhio": read_bvhio,
}


def main(folder: Annotated[Path, tyro.conf.Positional], every: int = 100, rounds: int = 3) -> None:
    """Measure and write the table.

    Args:
        folder: with BVH files, in it or below; made for those of Bandai-Namco.
        every: take each such file of the sorted list.
        rounds: how often every library reads every file.
    """
    files = sorted(folder.rglob("*.bvh"))[::every]
    if not files:
        sys.exit(f"no .bvh files in {folder}")
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    torch.set_num_threads(1)
    difference = compare(files[0])
    seconds = [one_round(files) for _ in range(rounds)]
    speeds = {name: statistics.median(megabytes / took[name] for took in seconds) for name in READERS}
    report = {
        "command": f"python benchmarks/parse_bvh.py FOLDER --every {every} --rounds {rounds}",
        "commit": commit(),
        "machine": machine(),
        "files": len(files),
        "megabytes": round(megabytes, 1),
        "rounds": rounds,
        "megabytes_per_processor_second": {name: round(speed, 2) for name, speed in speeds.items()},
        "ours_times_faster": {name: round(speeds["motionclip"] / speed, 1) for name, speed in speeds.items()},
        "largest_difference_mm": difference,
        "versions": {name: version(name) for name in (*READERS, "numpy", "torch", "numba")},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(f"{len(files)} files, {megabytes:.1f} MB, median of {rounds} rounds; {report['machine']}\n")
    print("| library | MB per processor second | ours is faster by |\n|---|---|---|")
    for name, speed in speeds.items():
        print(f"| {name} {version(name)} | {speed:.1f} | {speeds['motionclip'] / speed:.1f} x |")


def compare(path: Path) -> dict[str, float]:
    """Largest distance in millimetres between our joints and those of the others; also warms all up."""
    ours, *others = [reader(path) for reader in READERS.values()]
    names = list(READERS)[1:]
    return {
        name: round(float(np.linalg.norm(theirs - ours, axis=-1).max()) * 10, 4)
        for name, theirs in zip(names, others, strict=True)
    }


def one_round(files: list[Path]) -> dict[str, float]:
    """Processor seconds that each library takes for all files; the libraries take turns file by file."""
    took = dict.fromkeys(READERS, 0.0)
    for path in files:
        for name, reader in READERS.items():
            start = time.process_time()
            reader(path)
            took[name] += time.process_time() - start
    return took


def commit() -> str:
    """The commit measured, with a mark if the tree had changes."""
    call = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(call, cwd=Path(__file__).parent, capture_output=True, text=True).stdout.strip() or "none"


def machine() -> str:
    """Processor, cores, Python."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, one thread, Python {platform.python_version()}"


if __name__ == "__main__":
    tyro.cli(main)
