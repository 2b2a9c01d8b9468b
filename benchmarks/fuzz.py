"""Every reader on damaged files, as many as are asked for: what becomes of them, how long it takes, how much memory.

    python benchmarks/fuzz.py [--count 20000] [--seed 0] [--processes 1] [--only KIND ...]

The corpus is small and ours: tests/formats/corpus.py makes it. Prints a table, writes benchmarks/results/fuzz.json
unless it tries only some kinds, and exits with 1 if there was an exception that is not ours, a result that is not
finite, a file that took more than 20 s, or one that took more than 1 GB. Linux only: it reads peaks of memory from
/proc.
"""

from __future__ import annotations

import argparse
import atexit
import json
import math
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from types import FrameType

import torch

from motionclip.errors import MotionClipError

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "formats"))
from corpus import Kind, document_kinds, motion_kinds
from mutations import damaged

RESULT = Path(__file__).parent / "results" / "fuzz.json"
MOST_SECONDS, MOST_MB = 20, 1000.0
#: One file of FBX takes a process, hence one in so many.
RARE = {".fbx": 40}


class Hang(BaseException):
    """A file that took too long."""


@dataclass
class Outcome:
    """What became of the damaged files of a kind."""

    name: str
    files: int = 0
    read: int = 0
    refused: int = 0
    foreign: int = 0
    not_finite: int = 0
    hangs: int = 0
    slowest_s: float = 0.0
    most_mb: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.foreign or self.not_finite or self.hangs) and self.most_mb <= MOST_MB


def memory_mb(line: str) -> float:
    """A line of /proc/self/status in megabytes."""
    for row in Path("/proc/self/status").read_text().splitlines():
        if row.startswith(f"{line}:"):
            return int(row.split()[1]) / 1024
    raise SystemExit(f"no {line} in /proc/self/status")


def try_one(kind: Kind, content: bytes, outcome: Outcome, label: str) -> None:
    """Reads one damaged file and counts what becomes of it."""
    kind.file.write_bytes(content)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, started = memory_mb("VmRSS"), time.monotonic()
    signal.alarm(MOST_SECONDS)
    try:
        result = kind.read()
        good = all(torch.isfinite(tensor).all() for tensor in result)
        outcome.read += good
        outcome.not_finite += not good
        if not good:
            outcome.faults.append(f"not finite ({label})")
    except MotionClipError:
        outcome.refused += 1
    except Hang:
        outcome.hangs += 1
        outcome.faults.append(f"hang ({label})")
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        outcome.foreign += 1
        outcome.faults.append(f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno} ({label})")
    finally:
        signal.alarm(0)
    outcome.files += 1
    outcome.slowest_s = max(outcome.slowest_s, time.monotonic() - started)
    peak = memory_mb("VmHWM") - before
    if peak > MOST_MB:
        outcome.faults.append(f"{peak:.0f} MB ({label})")
    outcome.most_mb = max(outcome.most_mb, peak)


def fuzz(kind: Kind, count: int, seed: int) -> Outcome:
    """What becomes of ``count`` damaged files of a kind."""
    content, outcome = kind.file.read_bytes(), Outcome(kind.name)
    kind.read()  # what is loaded late is loaded
    for number in range(seed, seed + count):
        try_one(kind, damaged(random.Random(number), content, kind.suffix), outcome, f"seed {number}")
    kind.file.write_bytes(content)
    return outcome


def row(outcome: Outcome) -> str:
    cells = (outcome.name, outcome.files, outcome.read, outcome.refused, outcome.foreign, outcome.not_finite)
    cells += (outcome.hangs, f"{outcome.slowest_s:.1f} s", f"{outcome.most_mb:.0f} MB")
    return "| " + " | ".join(map(str, cells)) + " |"


@cache
def kinds() -> tuple[Kind, ...]:
    """The corpus of this process, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="motionclip-fuzz-"))
    atexit.register(shutil.rmtree, folder)
    for name in ("motions", "documents"):
        (folder / name).mkdir()
    return (*motion_kinds(folder / "motions"), *document_kinds(folder / "documents"))


def start_process() -> None:
    def on_alarm(_: int, __: FrameType | None) -> None:
        raise Hang

    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, on_alarm)
    torch.set_num_threads(1)


def piece(work: tuple[int, int, int]) -> Outcome:
    number, count, seed = work
    return fuzz(kinds()[number], count, seed)


def outcomes(count: int, seed: int, processes: int, only: Collection[str]) -> Iterator[Outcome]:
    """Yields what becomes of all kinds, or only of those of some names."""
    shares = {n: 1 / RARE.get(kind.suffix, 1) for n, kind in enumerate(kinds()) if not only or kind.name in only}
    work = [(number, math.ceil(count * share / sum(shares.values())), seed) for number, share in shares.items()]
    with ProcessPoolExecutor(processes, get_context("spawn"), start_process) as pool:
        yield from pool.map(piece, work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=[], choices=[kind.name for kind in kinds()], metavar="KIND")
    options = parser.parse_args()
    started = time.monotonic()
    names = ("file", "tried", "read", "refused", "foreign exceptions", "not finite", "hangs", "slowest", "most memory")
    print("| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|", flush=True)
    found = []
    for outcome in outcomes(options.count, options.seed, options.processes, options.only):
        print(row(outcome), flush=True)
        found.append(outcome)
    for outcome in found:
        print(*(f"{outcome.name}: {fault}" for fault in outcome.faults[:5]), sep="\n", end="")
    values = {
        "command": f"python benchmarks/fuzz.py --count {options.count} --seed {options.seed}",
        "files": sum(outcome.files for outcome in found),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "kinds": [asdict(outcome) for outcome in found],
    }
    if not options.only:
        RESULT.write_text(json.dumps(values, indent=2) + "\n")
    sys.exit(not all(outcome.is_good for outcome in found))


if __name__ == "__main__":
    main()
