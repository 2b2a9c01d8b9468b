"""The largest files that the readers take, each read in a process of its own: the peak of memory, and the time.

    python benchmarks/largest_files.py [--only "HumanML3D, joints"]

Files whose size is not limited but by what a user has, such as BVH, are left out. Prints a table, writes
benchmarks/results/largest_files.json, and exits with 1 if a peak lies more than 1 GB over the start. Linux only: it
reads peaks of memory from /proc.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch

from fuzz import MOST_MB, memory_mb
from motionclip.formats.gltf import read_glb
from motionclip.formats.gltf_motion import _MOST_MATRICES
from motionclip.formats.humanml3d import _MOST_FRAMES as MOST_ROWS
from motionclip.formats.smpl_parameters import MOST_FRAMES
from motionclip.gate.arrays import MOST_BYTES
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion

RESULT = Path(__file__).parent / "results" / "largest_files.json"


def standing(frames: int) -> Motion:
    root = torch.tensor([0.0, 0.947, 0.0]).expand(frames, 3)
    return Motion(torch.eye(3).expand(frames, 24, 3, 3), root, 30.0, CANONICAL)


def glb_frames() -> int:
    return _MOST_MATRICES // (CANONICAL.num_joints + 1) - 1  # and the node of the mesh


def long_glb(path: Path) -> None:
    """A key of each node for each frame."""
    write_motion(standing(glb_frames()), path)


def sparse_glb(path: Path) -> None:
    """Two keys of each node, hours apart: a file of kilobytes that becomes as much."""
    write_motion(standing(2), path)
    glb = read_glb(path)
    samplers = glb.document["animations"][0]["samplers"]
    clock = glb.add(np.array([0.0, (glb_frames() - 1) / 30], "<f4"), "SCALAR", bounds=True)
    for sampler in samplers:
        sampler["input"] = clock
    glb.write(path)


def joints(path: Path) -> None:
    np.save(path, standing(1).positions[:, :22].numpy().repeat(MOST_ROWS, axis=0).astype("<f2"))


def features(path: Path) -> None:
    write_motion(standing(3), path)
    np.save(path, np.load(path)[:1].repeat(MOST_ROWS, axis=0).astype("<f2"))


def amass(path: Path) -> None:
    frames = MOST_FRAMES
    np.savez(path, poses=np.zeros((frames, 156), "<f2"), trans=np.zeros((frames, 3), "<f2"), mocap_framerate=120.0)


def parameters(path: Path) -> None:
    turns = torch.eye(3).repeat(MOST_FRAMES, 24, 1, 1)
    arrays = {"global_orient": turns[:, :1], "body_pose": turns[:, 1:], "transl": torch.zeros(MOST_FRAMES, 3)}
    torch.save(arrays, path)


def own(path: Path) -> None:
    frames = MOST_BYTES // 8 // (24 * 9 + 3) - 1000
    write_motion(standing(frames), path)


LARGEST: dict[str, tuple[str, Callable[[Path], None]]] = {
    "GLB, a key for each frame": (".glb", long_glb),
    "GLB, two keys": (".glb", sparse_glb),
    "HumanML3D, joints": (".npy", joints),
    "HumanML3D, features": (".npy", features),
    "AMASS": (".npz", amass),
    "SMPL parameters": (".pt", parameters),
    "our own archive": (".npz", own),
}


def measure(path: Path, small: Path, answer: Connection) -> None:
    """Sends the peak of memory over that after a small file of the kind, megabytes, the seconds, and the frames."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if small.exists():
        read_motion(small)  # what is loaded late is loaded
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, started = memory_mb("VmRSS"), time.monotonic()
    motion = read_motion(path)
    answer.send((memory_mb("VmHWM") - before, time.monotonic() - started, motion.num_frames))


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--only", choices=LARGEST, nargs="+", default=list(LARGEST))
    chosen = options.parse_args().only
    found = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    print("| file | frames | MB on the disk | peak over the start, MB | s |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            suffix, make = LARGEST[name]
            path, small = Path(folder) / f"large{suffix}", Path(folder) / f"small{suffix}"
            small.unlink(missing_ok=True)
            if suffix in (".glb", ".npz", ".npy"):
                write_motion(standing(30), small)
            make(path)
            here, there = get_context("spawn").Pipe()
            process = get_context("spawn").Process(target=measure, args=(path, small, there))
            process.start()
            there.close()
            try:
                peak, seconds, frames = here.recv()
            except EOFError:
                raise SystemExit(f"{name}: the process died") from None
            process.join()
            size = path.stat().st_size / 1e6
            found[name] = {"frames": frames, "file_mb": size, "peak_mb": peak, "seconds": seconds}
            print(f"| {name} | {frames:,} | {size:.1f} | {peak:.0f} | {seconds:.1f} |", flush=True)
            path.unlink()
    RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return int(max(each["peak_mb"] for each in found.values()) > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
