"""`motionclip studio` as a process: it serves its page, and ends when it is told to."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest
import viser
from viser._messages import ViewerCameraMessage

from motionclip.cli.main import main


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A studio as a process, and its address."""
    command = [sys.executable, "-m", "motionclip", "studio", "--port", "0", "--no-open-page", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        yield process, next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_its_page_on_this_machine_until_it_is_stopped(
    files: Path, tiny_run: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    shutil.copy(files / "walk.bvh", tmp_path)
    with running("--model", str(tiny_run), "--library", str(tmp_path)) as (process, address):
        with urllib.request.urlopen(address, timeout=60) as page:
            assert page.status == 200 and b"<html" in page.read()[:2000].lower()
        process.send_signal(sent)
        assert process.wait(60) == 130 and process.stderr is not None
        assert process.stderr.read().strip() == "motionclip: stopped"


def greeting(address: str) -> bytes:
    """The head of a request that opens a WebSocket, as viser's page does."""
    host = address.removeprefix("http://")
    lines = (
        "GET / HTTP/1.1",
        f"Host: {host}",
        f"Origin: {address}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: viser-v{viser.__version__}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


def frame(payload: bytes) -> bytes:
    """A binary WebSocket message of a client, masked by zeros."""
    return b"\x82" + bytes([0x80 | 126]) + len(payload).to_bytes(2, "big") + bytes(4) + payload


@pytest.mark.slow
def test_clients_that_say_nonsense_and_never_read_stop_nobody(tiny_run: Path) -> None:
    with running("--model", str(tiny_run)) as (process, address), ExitStack() as held:
        port = int(address.rpartition(":")[2])
        camera = ViewerCameraMessage((1, 0, 0, 0), (0, 1, 4), 1, 0.1, 100, 500, 700, (0, 1, 0), (0, 1, 0))
        hello = frame(msgspec.msgpack.encode(camera.as_serializable_dict()))
        nonsense = (b"", b"GET / HTT", hello, hello + frame(b"\x91" * 5000), hello + frame(b"\x81\xa4type\xa1x"))
        for number in range(60):
            client = held.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", port))
            said = nonsense[number % len(nonsense)]
            client.sendall(greeting(address) + said if said.startswith(hello) else said)
        for _ in range(5):
            with urllib.request.urlopen(address, timeout=120) as page:
                assert page.status == 200
            time.sleep(0.5)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert time.monotonic() - started < 15  # 9.5, and what a busy machine takes to end a process


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("motionclip.cli.serve.find_spec", lambda name: None if name == "viser" else object())
    assert main(["studio"]) == 2
    assert "no viser; expected the studio's packages: pip install motionclip[studio]" in capsys.readouterr().err
