"""Looks for requests that make the server answer with 500: generated ones, and damaged files.

    python benchmarks/fuzz_server.py [--examples 50] [--files 500]

Starts a `motionclip serve`, runs `schemathesis run` against it over a socket, and then sends it motion files with some
bytes changed. Prints the statuses of the answers and writes benchmarks/results/fuzz_server.json. Exits with 1 if there
was an answer of 500.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import motionclip
from load_server import metric, server

RESULT = Path(__file__).parent / "results" / "fuzz_server.json"
SEED = 1
ROUTES = ("encode", "convert", "recognize", "caption")


def schemathesis(address: str, examples: int) -> dict[str, int | bool]:
    """Runs Schemathesis; returns the number of cases, and whether all passed."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/openapi.json", "--no-color"]
    options = ["--checks", "not_a_server_error", "--max-examples", str(examples), "--seed", str(SEED)]
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [*command, *options, "--request-timeout", "120"], cwd=folder, capture_output=True, text=True
        )
    print(run.stdout[run.stdout.find("SUMMARY") :])
    generated = re.search(r"(\d+) generated", run.stdout)
    return {"cases": int(generated[1]) if generated else 0, "passed": run.returncode == 0}


def damaged(content: bytes, random: random.Random) -> bytes:
    """Returns the content with one or four bytes replaced in up to three places, by any bytes or parts of numbers."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 3)):
        start, size = random.randrange(len(changed) + 1), random.choice((1, 1, 1, 4))
        numbers = bytes(random.choices(b"0123456789.-e ", k=size))
        changed[start : start + size] = random.choice((random.randbytes(size), numbers))
    return bytes(changed)


def takes() -> Iterator[tuple[str, bytes]]:
    """Yields names and contents of motion files."""
    motion = motionclip.text_to_motion(motionclip.load(), "a person walks", seconds=1)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("take.bvh", "take.npz", "take.amass.npz"):
            motionclip.write_motion(motion, Path(folder) / name)
            yield name, (Path(folder) / name).read_bytes()


def post_file(address: str, route: str, name: str, content: bytes) -> int:
    """Returns the status of the answer."""
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(f"{address}/{route}", head.encode() + content + b"\r\n--x--\r\n", headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=50)
    parser.add_argument("--files", type=int, default=500)
    options = parser.parse_args()
    source, start = random.Random(SEED), time.perf_counter()
    sound = list(takes())
    with server(threads=1) as (_, address):
        cases = schemathesis(address, options.examples)
        statuses: Counter[int] = Counter()
        for number in range(options.files):
            name, content = sound[number % len(sound)]
            statuses[post_file(address, source.choice(ROUTES), name, damaged(content, source))] += 1
        faults = metric(address, r'motionclip_requests_total\{.*status="5')
    print(f"damaged files: {dict(statuses)}; answers of 500 and more: {faults:g}")
    values = {
        "command": f"python benchmarks/fuzz_server.py --examples {options.examples} --files {options.files}",
        "schemathesis": cases,
        "damaged_files": {str(status): count for status, count in sorted(statuses.items())},
        "answers_of_500_and_more": faults,
        "seconds": round(time.perf_counter() - start),
    }
    RESULT.write_text(json.dumps(values, indent=2) + "\n")
    sys.exit(bool(faults) or not cases["passed"])


if __name__ == "__main__":
    main()
