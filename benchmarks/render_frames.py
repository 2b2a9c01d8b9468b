"""Frames a second of the rasteriser on this machine, and of other renderers, by processor time.

Pictures (`render_frames`) and pictures for CLIP (`portraits`) are measured from the motion on, films up to the closed
file; the renderers, ours among them, from skinned vertices on: all draw the same bodies by the same cameras, in turn,
and their outlines are compared. Processor time is that of all threads, so of a film on two cores half of it may pass;
"seconds on the clock" are given beside it, with the machine's load, for other work slows them down.

    pip install --constraint constraints.txt -e '.[bench]'
    python benchmarks/render_frames.py
    python benchmarks/render_frames.py --cold

``--cold`` also measures the first picture of a new process, with an empty cache of compiled code and
with the cache that the package keeps.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("LP_NUM_THREADS", "1")  # Mesa's software OpenGL, where there is no graphics card

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from motionclip.body import default_body
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.render import make_film, raster, render_clip_frames, render_frames, stick_figure
from motionclip.render.camera import framing, view_axes
from motionclip.render.video import write_film
from parse_bvh import commit, machine
from renderers import ALL

RESULTS = Path(__file__).parent / "results" / "render_frames.json"
SIZE = 224
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


def speed(draw: Callable[[], object], frames: int, rounds: int) -> float:
    """Frames per processor second, the median of some rounds; the first call is not counted."""
    draw()
    took = []
    for _ in range(rounds):
        start = time.process_time()
        draw()
        took.append(time.process_time() - start)
    return round(frames / statistics.median(took), 1)


def ours(motion: Motion, rounds: int) -> dict[str, float]:
    """Frames per second from the motion on: skinning, cameras and drawing."""
    frames = motion.num_frames
    speeds = {
        f"render_frames, camera {camera}, {size}": speed(
            lambda size=size, camera=camera: render_frames(motion, size, camera=camera), frames, rounds
        )
        for camera in ("follow", "still")
        for size in (SIZE, 256, 512)
    }
    return speeds | {f"portraits, {SIZE}": speed(lambda: render_clip_frames(motion, range(frames)), frames, rounds)}


def films(motion: Motion, rounds: int) -> dict[str, dict[str, float]]:
    """Frames per second of whole films of 512 x 512, from the motion to the closed file."""
    looks: dict[str, tuple[list[Motion], dict[str, object]]] = {
        "mesh .mp4": ([motion], {}),
        "skeleton .mp4": ([motion], {"body": stick_figure()}),
        "two side by side with captions .mp4": ([motion, motion], {"titles": ("one", "two")}),
        "two in a single view .mp4": ([motion, motion], {"view": "single"}),
        "mesh .gif": ([motion], {}),
        "mesh .webp": ([motion], {}),
    }
    table = {}
    for name, (cast, options) in looks.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"film{name[name.rindex('.') :]}"

            def write(cast: list[Motion] = cast, options: dict[str, object] = options, path: Path = path) -> None:
                write_film(make_film(cast, size=(512, 512), **options), path)

            start, before = time.perf_counter(), os.getloadavg()[0]
            by_processor = speed(write, motion.num_frames, rounds)
            clock = (rounds + 1) * motion.num_frames / (time.perf_counter() - start)
        table[name] = {"per_processor_second": by_processor, "on_the_clock": round(clock, 1), "load": round(before, 1)}
    return table


def others(motion: Motion, rounds: int) -> dict[str, dict[str, float | str]]:
    """Frames per second of each renderer from vertices on, and how much of its outline is ours too."""
    body = default_body()
    faces, axes = body.faces.numpy().astype(np.int32), view_axes(-0.6, 0.12)
    bodies = [np.ascontiguousarray(vertices.numpy()) for vertices in body.pose(motion)]
    cameras = [framing(vertices.astype(np.float64), axes, 1.0, 0.08) for vertices in bodies]
    outlines: dict[str, NDArray[np.bool_]] = {}
    table: dict[str, dict[str, float | str]] = {}
    for kind in ALL:
        try:
            draw = kind(faces, SIZE)
        except Exception as error:  # not installed, or whatever a machine without its system libraries makes of it
            table[kind.package] = {"does_not_run_here": str(error)}
            continue

        def film(draw: Callable[..., NDArray[np.uint8]] = draw, name: str = kind.package) -> list[NDArray[np.uint8]]:
            own = name == "motionclip"  # makes the normals itself
            return [
                draw(vertices, vertices if own else raster.vertex_normals(vertices, faces), camera)
                for vertices, camera in zip(bodies, cameras, strict=True)
            ]

        outlines[kind.package] = np.stack(film()).min(-1) < 200
        both = outlines[kind.package] & outlines["motionclip"]
        either = outlines[kind.package] | outlines["motionclip"]
        table[kind.package] = {
            "version": version(kind.package),
            "frames_per_second": speed(film, len(bodies), rounds),
            "outline_in_common": round(float(both.sum() / either.sum()), 4),
        }
    return table


def first() -> None:
    """Prints the seconds until the first picture, imports not counted."""
    start = time.perf_counter()
    render_frames(walking(1))
    print(f"{time.perf_counter() - start:.2f}")


def first_in_new_process(cache: str | None) -> float:
    """Seconds until the first picture of a new process, with numba's cache in the given folder."""
    environment = os.environ if cache is None else os.environ | {"NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", _FIRST.format(folder=str(Path(__file__).resolve().parent))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def cold_start() -> dict[str, float]:
    """Seconds until the first picture of a new process."""
    with tempfile.TemporaryDirectory() as empty:
        return {"nothing compiled": first_in_new_process(empty), "compiled before": first_in_new_process(None)}


def main(frames: int = 60, rounds: int = 5, cold: bool = False) -> None:
    """Measure, print the tables and write them to results/.

    Args:
        frames: of the motion that is drawn.
        rounds: how often each is measured.
        cold: measure the first picture of new processes too.
    """
    torch.set_num_threads(1)
    motion = walking(frames)
    report = {
        "command": f"python benchmarks/render_frames.py --frames {frames} --rounds {rounds}{' --cold' * cold}",
        "commit": commit(),
        "machine": machine(),
        "frames_per_processor_second_from_motion": ours(motion, rounds),
        "films_512_frames_per_second": films(motion, rounds),
        f"renderers_from_vertices_{SIZE}": others(motion, rounds),
        "seconds_to_first_picture": cold_start() if cold else None,
    }
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    tyro.cli(main)
