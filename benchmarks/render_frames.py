"""Frames a second of the rasteriser on this machine, by the processor time of its one thread.

    python benchmarks/render_frames.py
    python benchmarks/render_frames.py --frames 300 --cold

``--cold`` also measures the first picture of a new process, with an empty cache of compiled code and
with the cache that the package keeps.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

_FIRST = "import sys; sys.path.insert(0, {folder!r}); from render_frames import first; first()"


def walking(frames: int) -> Motion:
    """A body that swings its legs and arms and travels 1.2 m/s along +Z; 30 fps."""
    phase = torch.arange(frames) / 30 * 6
    turns = torch.zeros(frames, CANONICAL.num_joints, 3)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns[:, CANONICAL.index(f"{side}_hip"), 0] = -0.45 * sign * phase.sin()
        turns[:, CANONICAL.index(f"{side}_knee"), 0] = 0.4 + 0.4 * sign * phase.cos()
        turns[:, CANONICAL.index(f"{side}_shoulder"), 2] = -1.2 * sign
    root = torch.stack([0 * phase, 0 * phase + 0.93, torch.arange(frames) / 30 * 1.2], dim=1)
    return Motion(rot.rotvec_to_matrix(turns), root, 30.0, CANONICAL)


def first() -> None:
    """Prints the seconds until the first picture, imports not counted."""
    from motionclip.render import render_frames

    start = time.perf_counter()
    render_frames(walking(1))
    print(f"{time.perf_counter() - start:.2f}")


def first_in_new_process(cache: str | None) -> float:
    """Seconds until the first picture of a new process, with numba's cache in the given folder."""
    environment = os.environ if cache is None else os.environ | {"NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", _FIRST.format(folder=str(Path(__file__).resolve().parent))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--cold", action="store_true", help="measure the first picture of new processes too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    from motionclip.render import render_frames

    motion = walking(arguments.frames)
    for camera in ("follow", "still"):
        for size in (224, 256, 512):
            render_frames(motion.frames(0, 2), size, camera=camera)
            start = time.process_time()
            render_frames(motion, size, camera=camera)
            print(f"{camera:>6} {size:4} px: {arguments.frames / (time.process_time() - start):6.0f} frames/s")
    if arguments.cold:
        with tempfile.TemporaryDirectory() as empty:
            print(f"first picture, nothing compiled: {first_in_new_process(empty):.2f} s")
        print(f"first picture, compiled before: {first_in_new_process(None):.2f} s")


if __name__ == "__main__":
    main()
