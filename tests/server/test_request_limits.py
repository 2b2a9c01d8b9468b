"""Sizes, times, clients that leave: over real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from motionclip.model.pipeline import MotionCLIP
from motionclip.server.app import create_app
from motionclip.server.limits import Limits


@contextmanager
def running(app: FastAPI) -> Iterator[int]:
    """The port of a server of its own thread."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def wait_until(reached: Callable[[], bool]) -> None:
    for _ in range(6000):
        if reached():
            return
        time.sleep(0.02)
    pytest.fail("it never came to that")


def talk(port: int, *pieces: bytes, keep: bool = False) -> bytes:
    """Send pieces until the server closes its end, and what it answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while not keep or b"\r\n\r\n" not in answer:
                piece = connection.recv(65536)
                answer += piece
                if not piece:
                    break
        except ConnectionResetError:
            pass
        return answer


def head(length: int | None, path: str = "/encode") -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", size, "", ""]
    return "\r\n".join(lines).encode()


@pytest.fixture(scope="module")
def small(model: MotionCLIP) -> FastAPI:
    return create_app(model, limits=Limits(body_mb=1.0, gather_ms=500))


@pytest.fixture(scope="module")
def port(small: FastAPI) -> Iterator[int]:
    with running(small) as port:
        yield port


def inside(app: FastAPI) -> float:
    text = app.state.service.metrics.text().decode()
    (line,) = (line for line in text.splitlines() if line.startswith("motionclip_requests_inside "))
    return float(line.split()[1])


def test_a_large_upload_is_refused_before_it_is_sent(port: int) -> None:
    assert talk(port, head(100 << 20), keep=True).startswith(b"HTTP/1.1 413 ")


def test_a_large_upload_without_a_length_is_refused_on_the_way(port: int) -> None:
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    assert talk(port, head(None), *[chunk] * 1600, keep=True).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 50, "2000000"])
def test_lengths_that_are_none_are_refused(small: FastAPI, length: str) -> None:
    own = TestClient(small, base_url="http://localhost")
    answer = own.post("/generate", content=b"{}", headers={"Content-Length": length})
    assert answer.status_code == 413 and answer.json()["error"]["type"] == "TooLarge"


def test_bodies_together_are_bounded(model: MotionCLIP) -> None:
    app = create_app(model, limits=Limits(body_mb=0.01))
    with running(app) as port:
        held = [socket.create_connection(("127.0.0.1", port), timeout=120) for _ in range(8)]
        for connection in held:
            connection.sendall(head(10_000) + bytes(9_999))
        wait_until(lambda: inside(app) == 8)
        assert talk(port, head(9_000) + bytes(9_000), keep=True).startswith(b"HTTP/1.1 503 ")
        for connection in held:
            connection.close()
        wait_until(lambda: inside(app) == 0)
        assert talk(port, head(9_000) + bytes(9_000), keep=True).startswith(b"HTTP/1.1 422 ")


def test_requests_together_are_bounded(model: MotionCLIP) -> None:
    app = create_app(model, limits=Limits(requests=1))
    with running(app) as port, socket.create_connection(("127.0.0.1", port)) as held:
        held.sendall(head(10))
        wait_until(lambda: inside(app) == 1)
        answer = talk(port, b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n", keep=True)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"retry-after: 1" in answer.lower()
        answer = talk(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", keep=True)
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_client_that_leaves_takes_nothing_with_it(small: FastAPI, port: int) -> None:
    body = json.dumps({"text": "a person walks", "seconds": 6}).encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head(len(body), "/generate") + body)
        wait_until(lambda: inside(small) == 1)
    wait_until(lambda: inside(small) == 0)
    wait_until(lambda: not small.state.service.is_full)
    assert 'status="499"} 1.0' in small.state.service.metrics.text().decode()
    assert talk(port, head(len(body), "/generate") + body, keep=True).startswith(b"HTTP/1.1 200 ")


def test_who_sends_slowly_or_asks_for_much_is_not_waited_for(model: MotionCLIP) -> None:
    with running(create_app(model, limits=Limits(seconds=0.05))) as port:
        assert talk(port, head(10), keep=True).startswith(b"HTTP/1.1 503 ")
        body = json.dumps({"shots": [{"source": "a person walks", "seconds": 60}] * 2}).encode()
        answer = talk(port, head(len(body), "/storyboard") + body, keep=True)
        assert answer.startswith(b"HTTP/1.1 503 ")


def test_a_prompt_of_100_000_characters_is_refused(client: TestClient) -> None:
    answer = client.post("/generate", json={"text": "a person walks " * 6667})
    assert answer.status_code == 422 and "1000 characters" in answer.json()["error"]["message"]
    answer = client.post("/generate", json={"text": "walk " * 199})
    assert answer.status_code == 200
    answer = client.post("/generate", json={"text": "?!" * 400})
    assert answer.status_code == 422 and answer.json()["error"]["type"] == "TextError"
