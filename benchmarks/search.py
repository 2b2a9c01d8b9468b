"""Search among a million clips: time of an answer, share of the true ten nearest found, memory.

The clips are latents of the shipped model: every window of 2, 3 and 4 seconds at each full second of the prepared
stores, as recorded and mirrored, and, up to a million, points between two of these: scores of one, moved by up to
half of the way to another at random (a movement that is partly like another). Queries are sentences of the stores, and
windows of 2.5 seconds of their test splits, which are not among the clips.

    python benchmarks/search.py

Prints a table and writes benchmarks/results/search.json. The latents (1.5 GB) are kept in out/search for another run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro

import motionclip
from motionclip.applications.search.index import ROW
from motionclip.applications.search.library import LibraryIndex
from motionclip.applications.search.nearest import ExactNearest, Floats, Nearest, open_nearest
from motionclip.applications.search.search import search
from motionclip.applications.windows import embed_windows
from motionclip.data import Store
from motionclip.formats.files import replacing
from motionclip.model.network import from_sphere, to_sphere
from motionclip.motion import mirror

RESULTS = Path(__file__).parent / "results" / "search.json"
STORES = (Path(".stores/bandai_namco"), Path(".stores/cmu"))
CLIPS, QUERIES, TOP = 1_000_000, 200, 10
LENGTHS, HOP, QUERY_SECONDS = (2.0, 3.0, 4.0), 1.0, 2.5
CHUNK = 50_000


@dataclass(frozen=True)
class Speed:
    """Milliseconds of many calls."""

    median_ms: float
    p95_ms: float
    slowest_ms: float
    calls: int


def real_latents(model: motionclip.MotionCLIP, stores: Sequence[Store]) -> Floats:
    """Latents (N, D) of all windows of all clips, and of their mirror images."""
    found = []
    for store in stores:
        for number in range(len(store)):
            motion = store.motion(number)
            for seconds in LENGTHS:
                found += [own.latents for own in embed_windows(model, [motion, mirror(motion)], seconds, HOP)]
    return torch.cat(found).numpy()


def write_clips(path: Path, real: Floats, count: int) -> None:
    """A (count, D) array of the real latents and points between them, in an order at random."""
    generator = torch.Generator().manual_seed(0)
    scores = from_sphere(torch.from_numpy(real))
    place = torch.randperm(count, generator=generator).numpy()
    with replacing(path) as temporary:
        clips = np.lib.format.open_memmap(temporary, "w+", np.float32, (count, real.shape[1]))
        clips[place[: len(real)]] = real[:count]
        for first in range(len(real), count, CHUNK):
            size = min(CHUNK, count - first)
            one, other = torch.randint(len(real), (2, size), generator=generator)
            share = torch.rand(size, 1, generator=generator) / 2
            clips[place[first : first + size]] = to_sphere(torch.lerp(scores[one], scores[other], share)).numpy()
        clips.flush()


def queries(model: motionclip.MotionCLIP, stores: Sequence[Store]) -> dict[str, tuple[list[str], Floats]]:
    """Sentences with their directions, and directions of test windows."""
    texts = sorted({caption.text for store in stores for entry in store.entries for caption in entry.captions})
    texts = texts[:: len(texts) // QUERIES][:QUERIES]
    motions = [store.motion(number) for store in stores for number in store.split("test")]
    windows = torch.cat([own.latents for own in embed_windows(model, motions, QUERY_SECONDS, QUERY_SECONDS)])
    return {
        "words": (texts, model.embed_text(texts).numpy()),
        "motions": ([], windows[:: len(windows) // QUERIES][:QUERIES].numpy()),
    }


def timed(call: Callable[[int], object], calls: int) -> Speed:
    """Wall time of ``call(0)``, ``call(1)``, ..., after one that does not count."""
    call(0)
    took = []
    for number in range(calls):
        start = time.perf_counter()
        call(number)
        took.append(1000 * (time.perf_counter() - start))
    return Speed(*(round(float(value), 2) for value in (np.median(took), np.quantile(took, 0.95), max(took))), calls)


def recall(found: Nearest, exact: Nearest, directions: Floats) -> float:
    """Share of the true ten nearest that are found, in percent."""
    pairs = [(found.find(row, TOP)[1], exact.find(row, TOP)[1]) for row in directions]
    return round(100 * sum(len(np.intersect1d(*pair)) for pair in pairs) / (TOP * len(pairs)), 2)


def library(clips: Floats, nearest: Nearest) -> LibraryIndex:
    """Clips as a library of as many files."""
    rows = np.zeros(len(clips), ROW)
    names = tuple(f"{number:07}.bvh" for number in range(len(clips)))
    return LibraryIndex(Path("clips"), names, clips, nearest, (), np.arange(len(clips)), rows)


def resident_mb() -> float:
    """Memory of this process that is not a mapped file, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1000)


def main(
    stores: Annotated[tuple[Path, ...], tyro.conf.Positional] = STORES, /, work: Path = Path("out/search")
) -> None:
    """Measure and write the table.

    Args:
        stores: made by `motionclip prepare`.
        work: where the latents and the inverted file are kept.
    """
    torch.set_num_threads(1)  # one sentence is too little for two
    model, opened = motionclip.load(), [Store.open(path) for path in stores]
    if not (work / "real.npy").is_file():
        with replacing(work / "real.npy") as path:
            np.save(path, real_latents(model, opened))
    real = np.load(work / "real.npy")
    if not (work / "clips.npy").is_file():
        write_clips(work / "clips.npy", real, CLIPS)
    clips = np.load(work / "clips.npy")
    before = resident_mb()
    (work / "nearest.faiss").unlink(missing_ok=True)
    start = time.perf_counter()
    nearest = open_nearest(clips, np.arange(len(clips)), work / "nearest.faiss")
    built = time.perf_counter() - start
    exact, asked, index = ExactNearest(clips), queries(model, opened), library(clips, nearest)
    texts = asked["words"][0]
    figures = {
        "command": "python benchmarks/search.py",
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "load_of_other_work": round(os.getloadavg()[0], 1),
        "versions": {name: version(name) for name in ("torch", "numpy", "faiss-cpu")},
        "clips": len(clips),
        "of_them_real_windows": len(real),
        "numbers_per_clip": clips.shape[1],
        "build_s": round(built, 1),
        "inverted_file_mb": round((work / "nearest.faiss").stat().st_size / 1e6),
        "inverted_file_resident_mb": resident_mb() - before,
        "latents_mb": round(clips.nbytes / 1e6),
        "recall_at_10_percent": {name: recall(nearest, exact, rows) for name, (_, rows) in asked.items()},
        "sentence_to_direction": vars(timed(lambda number: model.embed_text([texts[number]]), QUERIES)),
        "look_up": vars(timed(lambda number: nearest.find(asked["motions"][1][number], TOP), QUERIES)),
        "words_to_hits": vars(timed(lambda number: search(model, index, [texts[number]], top=TOP), QUERIES)),
        "exact_look_up": vars(timed(lambda number: exact.find(asked["motions"][1][number], TOP), 20)),
        "exact_look_up_of_100000": vars(
            timed(lambda number: ExactNearest(clips[:100_000]).find(asked["motions"][1][number], TOP), QUERIES)
        ),
    }
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    for name, value in figures.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    tyro.cli(main)
