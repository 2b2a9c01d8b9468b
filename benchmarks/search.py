"""Search among a million clips: time of an answer, with embeddings in single and in half precision.

The clips are joint embeddings of the shipped model: every window of 2, 3 and 4 seconds at each full second of the
prepared stores, as recorded and mirrored, and, up to a million, points between two of these: scores of one, moved by up
to half of the way to another at random (a movement that is partly like another). Queries are sentences of the stores,
and windows of 2.5 seconds of their test splits, which are not among the clips.

    python benchmarks/search.py

Prints a table and writes benchmarks/results/search.json. The embeddings (1.8 GB) are kept in out/search.
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
from numpy.typing import NDArray
from torch import Tensor

import motionclip
from motionclip.applications.search import LibraryIndex, nearest, search
from motionclip.applications.search.index import Block, Entry
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

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Speed:
    """Milliseconds of many calls."""

    median_ms: float
    p95_ms: float
    slowest_ms: float
    calls: int


def real_embeddings(model: motionclip.MotionCLIP, stores: Sequence[Store]) -> Floats:
    """Latents (N, D) of all windows of all clips, and of their mirror images."""
    found = []
    for store in stores:
        for number in range(len(store)):
            motion = store.motion(number)
            for seconds in LENGTHS:
                found += [own.embeddings for own in embed_windows(model, [motion, mirror(motion)], seconds, HOP)]
    return torch.cat(found).numpy()


def write_clips(path: Path, real: Floats, count: int) -> None:
    """A (count, J) array of the real embeddings and points between them, in an order at random."""
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
    windows = torch.cat([own.embeddings for own in embed_windows(model, motions, QUERY_SECONDS, QUERY_SECONDS)])
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


def converted(half: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    """Looks up among embeddings (N, J) that are stored in half precision and multiplied, block by block, in single."""
    cosines, rows = torch.cat([block.float() @ query for block in half.split(CHUNK)]).topk(TOP)
    return cosines, rows


def library(clips: Tensor) -> LibraryIndex:
    """Clips as a library of as many files."""
    entries = tuple(Entry(f"{number:07}.bvh", "", 1) for number in range(len(clips)))
    return LibraryIndex(Path("clips"), Block(entries, clips, torch.zeros(len(clips), 2)))


def main(
    stores: Annotated[tuple[Path, ...], tyro.conf.Positional] = STORES, /, work: Path = Path("out/search")
) -> None:
    """Measure and write the table.

    Args:
        stores: made by `motionclip prepare`.
        work: where the embeddings are kept.
    """
    torch.set_num_threads(1)  # one sentence is too little for two
    model, opened = motionclip.load(), [Store.open(path) for path in stores]
    if not (work / "real.npy").is_file():
        with replacing(work / "real.npy") as path:
            np.save(path, real_embeddings(model, opened))
    real = np.load(work / "real.npy")
    if not (work / "clips.npy").is_file():
        write_clips(work / "clips.npy", real, CLIPS)
    clips = torch.from_numpy(np.load(work / "clips.npy", mmap_mode="c"))
    half, chosen, index = clips.half(), queries(model, opened), library(clips)
    texts, directions = chosen["words"][0], torch.from_numpy(chosen["motions"][1])
    figures = {
        "command": "python benchmarks/search.py",
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "load_of_other_work": round(os.getloadavg()[0], 1),
        "versions": {name: version(name) for name in ("torch", "numpy")},
        "clips": len(clips),
        "of_them_real_windows": len(real),
        "numbers_per_clip": clips.shape[1],
        "embeddings_mb": round(clips.nbytes / 1e6),
        "sentence_to_direction": vars(timed(lambda number: model.embed_text([texts[number]]), QUERIES)),
        "words_to_hits": vars(timed(lambda number: search(model, index, [texts[number]], top=TOP), 20)),
        "look_up": vars(timed(lambda number: nearest(clips, directions[number], TOP), 20)),
        "look_up_of_100000": vars(timed(lambda number: nearest(clips[:100_000], directions[number], TOP), QUERIES)),
        "look_up_in_half_precision": vars(timed(lambda number: nearest(half, directions[number].half(), TOP), 20)),
        "look_up_in_half_precision_converted": vars(timed(lambda number: converted(half, directions[number]), 20)),
    }
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    for name, value in figures.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    tyro.cli(main)
