"""Sizes, times, clients that leave: over real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from motionclip.model.pipeline import MotionCLIP
from motionclip.server.app import create_app
from motionclip.server.connections import make_room, server_of
from motionclip.server.limits import Limits


@contextmanager
def running(app: Any, **limits: float) -> Iterator[int]:
    """The port of a server of its own thread."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = server_of(app, "127.0.0.1", 0, Limits(**limits))  # type: ignore[arg-type]
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
    return create_app(model, limits=Limits(body_mb=1.0, gather_ms=2000))


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
    wait_until(lambda: 'status="499"} 1.0' in small.state.service.metrics.text().decode())
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


HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=120)


def test_a_head_has_a_deadline(small: FastAPI) -> None:
    with running(small, head_seconds=2) as port:
        started = time.monotonic()
        assert talk(port, b"GET /health HTTP/1.1\r\nHost:").startswith(b"HTTP/1.1 408 ")
        assert talk(port).startswith(b"HTTP/1.1 408 ")
        answers = talk(port, HEALTH)  # the next request on the same connection has one, too
        assert answers.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in answers
        assert time.monotonic() - started < 60


def test_a_head_that_comes_byte_by_byte_has_one_deadline(small: FastAPI) -> None:
    with running(small, head_seconds=0.5) as port, connect(port) as connection, pytest.raises(OSError):
        for byte in HEALTH * 50:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)


def test_silent_connections_make_room_for_those_that_ask(small: FastAPI) -> None:
    with running(small, connections=4, head_seconds=600) as port:
        held = [connect(port) for _ in range(12)]
        assert talk(port, HEALTH, keep=True).startswith(b"HTTP/1.1 200 ")
        assert held[0].recv(100).startswith(b"HTTP/1.1 503 ")  # the one that was silent for longest
        for connection in held:
            connection.close()


def test_connections_that_are_answered_are_not_given_up(small: FastAPI) -> None:
    with running(small, connections=2) as port:
        held = [connect(port) for _ in range(2)]
        for connection in held:
            connection.sendall(head(10))
        wait_until(lambda: inside(small) == 2)
        assert talk(port, HEALTH, keep=True).startswith(b"HTTP/1.1 503 ")
        for connection in held:
            connection.sendall(b"{}" + b" " * 8)
            assert connection.recv(100).startswith(b"HTTP/1.1 422 ")
            connection.close()


def test_what_comes_behind_the_announced_length_ends_the_request(model: MotionCLIP) -> None:
    app = create_app(model, limits=Limits(gather_ms=60_000))
    with running(app) as port, connect(port) as connection:
        body = json.dumps({"text": "a person walks"}).encode()
        connection.sendall(head(len(body), "/generate") + body)
        wait_until(lambda: inside(app) == 1)
        with pytest.raises(OSError):
            for _ in range(10_000):
                connection.sendall(bytes(65_536))
        wait_until(lambda: inside(app) == 0)


SIZE = 30_000_000


async def large(scope: Any, receive: Any, send: Any) -> None:
    """An app whose every answer is large."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(SIZE).encode())]})
    await send({"type": "http.response.body", "body": bytes(SIZE)})


def unread(port: int) -> socket.socket:
    """A connection whose client has asked, and takes nothing of the answer."""
    connection = connect(port)
    connection.sendall(HEALTH)
    assert connection.recv(5) == b"HTTP/"
    return connection


def rest(connection: socket.socket, pause: float = 0.0) -> int:
    """Bytes that still come over a connection until it ends."""
    taken = 0
    try:
        while piece := connection.recv(1 << 20):
            taken += len(piece)
            time.sleep(pause)
    except ConnectionResetError:
        pass
    return taken


def test_who_takes_nothing_of_an_answer_is_given_up() -> None:
    with running(large, seconds=0.3) as port, unread(port) as connection:
        time.sleep(5)  # nothing that a client sees without reading tells when it is given up
        assert rest(connection) < SIZE


def test_who_takes_an_answer_slowly_gets_all_of_it() -> None:
    with running(large, seconds=3, head_seconds=0.2) as port, unread(port) as connection:
        assert rest(connection, pause=0.15) > SIZE  # which takes longer than that in all


def test_answers_that_are_not_taken_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motionclip.server.connections._MOST_UNSENT", 2 * SIZE)
    with running(large) as port:
        held = [unread(port) for _ in range(5)]
        assert rest(held[0]) < SIZE and rest(held[-1]) > SIZE
        for connection in held:
            connection.close()


def test_answers_that_are_not_taken_make_room_for_those_that_ask() -> None:
    with running(large, connections=2) as port:
        held = [unread(port) for _ in range(2)]
        with unread(port) as honest:
            assert rest(honest) > SIZE
        assert rest(held[0]) < SIZE
        for connection in held:
            connection.close()


def test_connections_stay_below_the_file_handles() -> None:
    resource = pytest.importorskip("resource")
    room = make_room(10**6)
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert 0 < room.connections + 3 * room.backlog < soft
    assert make_room(5).connections == 5
