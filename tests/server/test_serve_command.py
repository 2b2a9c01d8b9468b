"""`motionclip serve` as a process: it refuses to be open to all, finishes what it has begun, and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from motionclip.cli.main import main


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def server(walk: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    command = [sys.executable, "-m", "motionclip", "serve", "--port", str(port), "--library", str(walk.parent)]
    process = subprocess.Popen([*command, "--limits.gather-ms", "1500"], stderr=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/ready", process)
        yield process, address
    finally:
        process.kill()
        process.wait()


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    for _ in range(1200):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server does not start")


def ask(address: str) -> tuple[int, int]:
    body = json.dumps({"text": "a person walks", "seconds": 2}).encode()
    request = urllib.request.Request(f"{address}/generate", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.status, len(json.load(answer)["positions"])


@pytest.mark.slow
def test_it_answers_and_finishes_what_it_has_begun(server: tuple[subprocess.Popen[str], str]) -> None:
    process, address = server
    assert json.load(urllib.request.urlopen(f"{address}/health"))["library"] == 1
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(ask, address) for _ in range(2)]
        while "requests_inside 3.0" not in urllib.request.urlopen(f"{address}/metrics").read().decode():
            assert not any(answer.done() for answer in answers)
        process.send_signal(signal.SIGTERM)
        assert [answer.result() for answer in answers] == [(200, 60)] * 2
    assert process.wait(60) in (0, -signal.SIGTERM)
    assert process.stderr is not None
    lines = [line for line in process.stderr.read().splitlines() if "/generate" in line]
    assert len(lines) == 2 and all('"status": 200' in line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_ten_seconds_whatever_is_running(
    server: tuple[subprocess.Popen[str], str], sent: signal.Signals
) -> None:
    process, address = server
    shots = [{"source": "a person walks", "seconds": 60}] * 2
    body = json.dumps({"shots": shots}).encode()
    request = urllib.request.Request(f"{address}/storyboard", body, {"Content-Type": "application/json"})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(urllib.request.urlopen, request, timeout=120)
        while "requests_inside 2.0" not in urllib.request.urlopen(f"{address}/metrics").read().decode():
            assert not answer.done()
        started = time.monotonic()
        process.send_signal(sent)
        process.wait(60)
        assert time.monotonic() - started < 15  # 9.5, and what a busy machine takes to end a process
        with suppress(OSError):
            answer.result()


@pytest.mark.slow
def test_silent_connections_with_few_file_handles_stop_nobody(walk: Path, tmp_path: Path) -> None:
    pytest.importorskip("resource")
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "motionclip", "serve", "--port", str(port)]
    limited = ["bash", "-c", 'ulimit -n 256; exec "$@"', "bash", *command]
    with log.open("w") as file, subprocess.Popen(limited, stderr=file, text=True) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/ready", process)
            held = []
            for _ in range(300):
                with suppress(OSError):
                    held.append(socket.create_connection(("127.0.0.1", port), timeout=5))
            assert len(held) > 200
            assert urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60).status == 200
            assert ask(f"http://127.0.0.1:{port}") == (200, 60)
            for connection in held:
                connection.close()
        finally:
            process.kill()
    assert log.stat().st_size < 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "MOTIONCLIP_TOKEN"),
        (["--host", "0.0.0.0", "--token", "short"], "16 printable"),
        (["--library", "nowhere"], "not a folder"),
        (["--limits.workers", "0"], "positive"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MOTIONCLIP_TOKEN", raising=False)
    assert main(["serve", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_token_may_stand_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOTIONCLIP_TOKEN", "short")
    assert main(["serve", "--host", "0.0.0.0"]) == 2
    assert "16 printable" in capsys.readouterr().err and os.environ["MOTIONCLIP_TOKEN"] == "short"


@pytest.mark.slow
def test_two_processes_answer_at_one_address_and_end_together() -> None:
    port = free_port()
    command = [sys.executable, "-m", "motionclip", "serve", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/ready", process)
        with ThreadPoolExecutor(8) as clients:
            assert list(clients.map(ask, [address] * 8)) == [(200, 60)] * 8
        process.terminate()
        assert process.wait(60) == 0
        with pytest.raises(OSError):
            urllib.request.urlopen(f"{address}/health", timeout=5)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("count", ["0", "-1"])
def test_a_server_needs_a_process(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", f"--workers={count}"]) == 2
    assert "expected 1 or more" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
def test_an_end_that_takes_too_long_is_cut_short() -> None:
    """Even where the interpreter is gone, and a library does something."""
    code = (
        "import ctypes, os; libc = ctypes.CDLL(None); libc.on_exit(ctypes.cast(libc.pause, ctypes.c_void_p), None);"
        "from motionclip import serving; serving.LAST_SECONDS = 3; serving.end_soon()"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode in (1, -signal.SIGALRM)
