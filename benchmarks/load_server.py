"""Measures how many motions a second the server makes, and how it takes more clients than it admits.

    apt-get install wrk
    python benchmarks/load_server.py [--threads 1] [--workers 1] [--bf16] [--seconds 20]
    python benchmarks/load_server.py --before EARLIER/src [--workers 2] [--seconds 10]

Starts a `motionclip serve`; wrk (github.com/wg/wrk) on the same machine requests motions of sentences that are all
different, over keep-alive connections that each wait for their answer, then over more connections than the server
admits. Prints the figures and writes benchmarks/results/load_server.json. With --before, single takes for 64 clients by
an earlier checkout, by this one and by this one in bfloat16, in turn, three times, and prints these alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from motionclip.applications import DEFAULT_TAKES

RESULT = Path(__file__).parent / "results" / "load_server.json"
CLIENTS, FLOOD = (1, 16, 64, 128), 1000
_BATCHES, _MADE = "motionclip_batch_size_count", "motionclip_batch_size_sum"
LUA = """
local number = 0
function request()
  number = number + 1
  local body = string.format('{"text": "a person walks, take %%d of %s", "seconds": %s%s}', number)
  return wrk.format("POST", "/generate", {["Content-Type"] = "application/json", ["Accept"] = "%s"}, body)
end
function done(summary, latency, requests)
  local form = '{"requests": %%d, "us": %%d, "p50": %%d, "p99": %%d, "refused": %%d, "broken": %%d}'
  io.write("RESULT " .. string.format(form, summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Figures:
    """What wrk measured.

    Attributes:
        clients: connections.
        motion_seconds: length of each motion.
        accept: format.
        takes: that are decoded of each sentence.
        per_second: answers a second, refused ones not counted.
        p50_ms: median time to an answer.
        p99_ms: 99th percentile of the times to an answer.
        answered: requests that got a motion.
        refused: requests that got another status.
        broken: connections or answers that failed.
        batch: mean size of a batch.
        cpu_ms: processor time of the server for each motion; comparable also on a machine that others use.
        rss_mb: resident memory of the server afterwards.
    """

    clients: int
    motion_seconds: float
    accept: str
    takes: int
    per_second: float
    p50_ms: float
    p99_ms: float
    answered: int
    refused: int
    broken: int
    batch: float
    cpu_ms: float
    rss_mb: float


@contextmanager
def server(threads: int, workers: int, bf16: bool, source: Path | None = None) -> Iterator[tuple[int, str]]:
    """Runs a server, of the sources of another checkout if they are given; yields its process id and its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "motionclip", "serve", "--port", str(port), "--threads", str(threads)]
    command += [*(["--workers", str(workers)] if workers > 1 else []), *(["--bf16"] if bf16 else [])]
    env = os.environ | ({} if source is None else {"PYTHONPATH": str(source)})
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address)
            yield process.pid, address
        finally:
            process.terminate()


def wait_for(address: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/ready", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server does not start")


def metric(address: str, pattern: str) -> float:
    """Returns the sum of all lines of /metrics that a pattern matches."""
    text = urllib.request.urlopen(f"{address}/metrics", timeout=60).read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(pattern, line))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def drive(
    pid: int, address: str, clients: int, seconds: float, length: float, accept: str, takes: int = DEFAULT_TAKES
) -> Figures:
    """Returns the figures of one run of wrk; 0 takes for a server that does not know them."""
    before = metric(address, _BATCHES), metric(address, _MADE), cpu_seconds(pid)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA % (f"{clients} {time.time_ns()}", length, f', "takes": {takes}' if takes else "", accept))
        script.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "60s", "-s", script.name, address]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.split("RESULT ")[1])
    wait_for(address)
    batches, made = metric(address, _BATCHES) - before[0], metric(address, _MADE) - before[1]
    answered = found["requests"] - found["refused"]
    return Figures(
        clients=clients,
        motion_seconds=length,
        accept=accept,
        takes=takes,
        per_second=answered / found["us"] * 1e6,
        p50_ms=found["p50"] / 1e3,
        p99_ms=found["p99"] / 1e3,
        answered=answered,
        refused=found["refused"],
        broken=found["broken"],
        batch=made / max(batches, 1),
        cpu_ms=1e3 * (cpu_seconds(pid) - before[2]) / max(made, 1),
        rss_mb=rss_mb(pid),
    )


def compare(before: Path, threads: int, workers: int, seconds: float) -> None:
    """Prints motions a second of an earlier checkout, in one process, of this one, and of this one in bfloat16."""
    ways = {"before": (before, False, 0), "now": (None, False, 1), "now, --bf16": (None, True, 1)}
    for _ in range(3):
        for name, (source, bf16, takes) in ways.items():
            with server(threads, workers if source is None else 1, bf16, source) as (pid, address):
                drive(pid, address, 64, 3, 4.0, "application/json", takes)  # warm-up
                run = drive(pid, address, 64, seconds, 4.0, "application/json", takes)
                print(f"{name}: {run.per_second:.0f} motions/s, p99 {run.p99_ms:.0f} ms, {run.refused} refused")


def row(run: Figures) -> str:
    """Returns a line of the table."""
    first = (
        run.clients,
        f"{run.motion_seconds:g} s",
        run.accept,
        run.takes,
        f"{run.per_second:.1f}",
        f"{run.p50_ms:.0f} ms",
    )
    rest = (f"{run.p99_ms:.0f} ms", run.refused, f"{run.batch:.1f}", f"{run.cpu_ms:.1f} ms", f"{run.rss_mb:.0f} MB")
    return "| " + " | ".join(map(str, (*first, *rest))) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="CPU, batch and memory are then of one of them")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--before", type=Path, metavar="EARLIER/src")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("no wrk; apt-get install wrk")
    if options.before is not None:
        compare(options.before, options.threads, options.workers, options.seconds)
        return
    others = os.getloadavg()[0]
    json_type, bvh_type = "application/json", "application/x-bvh"
    with server(options.threads, options.workers, options.bf16) as (pid, address):
        drive(pid, address, 16, 3, 4, json_type)  # warm-up
        started = rss_mb(pid)
        plan = [(clients, 4.0, json_type, takes) for takes in (DEFAULT_TAKES, 1) for clients in CLIENTS]
        plan += [(64, 2.0, json_type, 1), (64, 4.0, bvh_type, 1)]
        runs = [drive(pid, address, clients, options.seconds, *rest) for clients, *rest in plan]
        flood = drive(pid, address, FLOOD, options.seconds, 4.0, json_type)
        after = drive(pid, address, 64, options.seconds, 4.0, json_type)
        faults = metric(address, r'motionclip_requests_total\{.*status="5(?!03)')
        turned_away = metric(address, r'motionclip_requests_total\{.*status="503"')
    names = ("clients", "motion", "format", "takes", "motions/s", "p50", "p99", "refused", "batch", "CPU", "memory")
    print("| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|")
    for run in (*runs, flood, after):
        print(row(run))
    values = {
        "command": "python benchmarks/load_server.py",
        "tool": subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout.split("[")[0].strip(),
        "cores": os.cpu_count(),
        "threads": options.threads,
        "workers": options.workers,
        "bf16": options.bf16,
        "load_average_before": others,
        "machine_shared": others > 0.5,
        "rss_mb_after_warm_up": started,
        "runs": [asdict(run) for run in runs],
        "flood": asdict(flood),
        "after_the_flood": asdict(after),
        "answers_503": turned_away,
        "faults": faults,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(values, indent=2) + "\n")


if __name__ == "__main__":
    main()
