"""Hostile and honest clients together, for as long as is asked: are honest ones answered, and does memory stay flat?

    python benchmarks/siege_server.py [--minutes 60] [--pause 0.5]

Starts a `motionclip serve` with 512 file handles. Hostile clients send damaged files of every kind, archives that are
small outside and large inside, requests that never end, lengths that lie, forms of other sites, nonsense, and hold idle
connections; honest ones ask for motions, embeddings and labels. At the end the server is told to stop while all of them
go on. Prints the figures and writes benchmarks/results/siege_server.json.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np

import motionclip
from load_server import wait_for

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "formats"))
from mutations import damaged

RESULT = Path(__file__).parent / "results" / "siege_server.json"
HANDLES, IDLE = 512, 300
#: Seconds after which memory counts.
WARM_UP = 300.0
SUFFIXES = (".bvh", ".npz", ".glb", ".csv", ".npy", ".amass.npz")


@contextmanager
def server(log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Runs a server; yields its process and its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "motionclip", "serve", "--port", str(port)]
    limited = ["bash", "-c", f'ulimit -n {HANDLES}; exec "$@"', "bash", *command]
    with log.open("wb") as file, subprocess.Popen(limited, stdout=file, stderr=file) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}")
            yield process, port
        finally:
            process.kill()


def form(name: str, content: bytes) -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--x--\r\n"


def post(port: int, route: str, body: bytes, media_type: str, timeout: float = 120, **headers: str) -> int:
    """Returns the status of the answer; 0 if the connection broke."""
    about = {"Content-Type": media_type, **headers}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{route}", body, about)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


def upload(port: int, route: str, name: str, content: bytes, **headers: str) -> int:
    return post(port, route, form(name, content), "multipart/form-data; boundary=x", **headers)


def talk(port: int, *pieces: bytes, pause: float = 0.0, wait: float = 15.0) -> None:
    """Sends pieces with pauses, and reads until the other side closes or time is up."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        while connection.recv(65536):
            pass


def bombs() -> list[bytes]:
    """Archives that are small outside and large inside."""
    found = []
    for arrays in (
        {"version": 1, "names": np.zeros(1_000_000, "U1"), "rotations": np.zeros(0)},
        {"poses": np.zeros((1_600_000, 72), np.int8), "trans": np.zeros((1, 3)), "mocap_framerate": 30.0},
        {"poses": np.zeros((140_000, 156)), "trans": np.zeros((140_000, 3)), "mocap_framerate": 120.0},
        {"poses": np.zeros((4, 72)), "trans": np.zeros((4, 3)), "mocap_framerate": 5e-324},
    ):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        found.append(buffer.getvalue())
    return found


def takes() -> dict[str, bytes]:
    """Contents of a sound file of each kind."""
    motion = motionclip.text_to_motion(motionclip.load(), "a person walks", seconds=1)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            motionclip.write_motion(motion, Path(folder) / f"take{suffix}")
        return {suffix: (Path(folder) / f"take{suffix}").read_bytes() for suffix in SUFFIXES}


class Siege:
    """All clients of one server."""

    def __init__(self, port: int, sound: dict[str, bytes], pause: float):
        self._port, self._sound, self._pause = port, sound, pause
        self._bombs = bombs()
        self.ended, self.stopping = threading.Event(), False
        self.honest: Counter[str] = Counter()
        self.hostile: Counter[str] = Counter()
        self.waits: list[float] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        hostile = (self.damaged, self.bomb, self.lie, self.dawdle, self.nonsense, self.foreign, self.leave)
        for number, attack in enumerate(hostile):
            self._run(partial(self._attack, attack, random.Random(number)))
        self._run(self._idle)
        self._run(partial(self._ask, random.Random(99)))

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _attack(self, attack: Callable[[random.Random], int | None], rng: random.Random) -> None:
        while not self.ended.is_set():
            status = attack(rng)
            self.hostile[f"{attack.__name__} {'' if status is None else status}".strip()] += 1
            self.ended.wait(self._pause)

    def _ask(self, rng: random.Random) -> None:
        while not self.ended.is_set():
            started = time.monotonic()
            kind = rng.randrange(3)
            if kind == 0:
                body = json.dumps({"text": f"a person walks {rng.randrange(10**6)}", "seconds": 2}).encode()
                status = post(self._port, "generate", body, "application/json")
            else:
                status = upload(self._port, ("encode", "recognize")[kind - 1], "take.bvh", self._sound[".bvh"])
            if self.stopping:
                return
            self.waits.append(time.monotonic() - started)
            self.honest[str(status)] += 1
            self.ended.wait(self._pause)

    def damaged(self, rng: random.Random) -> int:
        suffix = rng.choice(SUFFIXES)
        content = damaged(rng, self._sound[suffix], "." + suffix.rpartition(".")[2])
        return upload(self._port, rng.choice(("encode", "convert", "recognize", "caption")), f"take{suffix}", content)

    def bomb(self, rng: random.Random) -> int:
        return upload(self._port, "recognize", "take.npz", rng.choice(self._bombs))

    def lie(self, rng: random.Random) -> None:
        head = b"POST /encode HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
        head += b"Content-Type: application/json\r\n\r\n"
        if rng.random() < 0.5:
            talk(self._port, head % 2 + b"{}", *[bytes(65536)] * 64)
        else:
            talk(self._port, head % 9_000_000 + b"{", wait=5)

    def dawdle(self, rng: random.Random) -> None:
        talk(self._port, *[b"GET /health HTTP/1.1\r\n"[n : n + 1] for n in range(22)], pause=rng.random())

    def nonsense(self, rng: random.Random) -> int:
        if rng.random() < 0.5:
            talk(self._port, rng.randbytes(rng.randrange(1, 4000)), wait=5)
        text = rng.choice(("[" * 100_000, '{"text": "\\ud800"}', '{"text": 1e999}', "{", '{"text": "' + "x" * 10**6))
        return post(self._port, "generate", text.encode(), "application/json")

    def foreign(self, rng: random.Random) -> int:
        return upload(self._port, "encode", "take.bvh", self._sound[".bvh"], Origin="https://example.org")

    def leave(self, rng: random.Random) -> None:
        body = form("take.bvh", self._sound[".bvh"])
        head = f"POST /recognize HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=10) as connection:
            connection.sendall(head.encode() + body)
            time.sleep(rng.random())

    def _idle(self) -> None:
        while not self.ended.is_set():
            held = []
            for _ in range(IDLE):
                with suppress(OSError):
                    held.append(socket.create_connection(("127.0.0.1", self._port), timeout=5))
            self.hostile["idle connections"] += len(held)
            self.ended.wait(20)
            for connection in held:
                connection.close()
            self.ended.wait(20)


def family_mb(pid: int) -> tuple[float, float]:
    """Memory of a process, and of it with all below it, megabytes, without pages of files, which others share."""
    below: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            below.setdefault(int(fields[1]), []).append(int(status.parent.name))
    family, waiting = [], [pid]
    while waiting:
        family.append(waiting.pop())
        waiting += below.get(family[-1], [])
    return _own_mb(pid), sum(map(_own_mb, family))


def _own_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) / 1024
    return 0.0


def stop(process: subprocess.Popen[bytes]) -> float:
    """Tells a server to stop; returns how many seconds that took."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two requests of a client")
    options = parser.parse_args()
    sound = takes()
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "log") as (process, port):
        siege = Siege(port, sound, options.pause)
        siege.start()
        started, memory, ready = time.monotonic(), [], Counter[int]()
        while (elapsed := time.monotonic() - started) < 60 * options.minutes and process.poll() is None:
            memory.append((elapsed, *family_mb(process.pid)))
            ready[_get(port, "health")] += 1
            time.sleep(10)
        siege.stopping = True
        seconds = stop(process)
        siege.ended.set()
        log = (Path(folder) / "log").stat().st_size
        faults = (Path(folder) / "log").read_text(errors="replace").count('"fault"')
    counted = [row for row in memory if row[0] >= min(WARM_UP, 30 * options.minutes)]
    quarter = max(1, len(counted) // 4)
    waits = np.sort(siege.waits)
    values = {
        "command": f"python benchmarks/siege_server.py --minutes {options.minutes:g} --pause {options.pause:g}",
        "minutes": round(elapsed / 60, 1),
        "honest": dict(siege.honest),
        "honest_seconds": {name: round(float(np.quantile(waits, q)), 2) for name, q in _QUANTILES.items()},
        "hostile": dict(sorted(siege.hostile.items())),
        "health": {str(status): count for status, count in ready.items()},
        "server_mb": _ends([row[1] for row in counted], quarter),
        "with_its_processes_mb": _ends([row[2] for row in counted], quarter),
        "faults": faults,
        "log_mb": round(log / 1e6, 1),
        "seconds_to_stop": round(seconds, 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    print(json.dumps(values, indent=2))
    RESULT.write_text(json.dumps(values, indent=2) + "\n")


_QUANTILES = {"median": 0.5, "p99": 0.99, "most": 1.0}


def _ends(row: list[float], quarter: int) -> dict[str, int]:
    """Means of the first and last quarter after the warm-up, and the most."""
    first, last = np.mean(row[:quarter]), np.mean(row[-quarter:])
    return {"first_quarter": round(float(first)), "last_quarter": round(float(last)), "most": round(max(row))}


def _get(port: int, route: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{route}", timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


if __name__ == "__main__":
    main()
