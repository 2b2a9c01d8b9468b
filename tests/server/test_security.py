"""Who may ask, and what a stranger gets to see."""

from __future__ import annotations

import json
import logging

import pytest
from starlette.testclient import TestClient

from motionclip.errors import MotionClipError
from motionclip.model.pipeline import MotionCLIP
from motionclip.server.app import create_app
from motionclip.server.middleware import check_binding

TOKEN = "correct horse battery"


@pytest.fixture(scope="module")
def guarded(model: MotionCLIP) -> TestClient:
    return TestClient(create_app(model, token=TOKEN), base_url="http://example.org")


@pytest.mark.parametrize("said", [None, "", "Bearer", f"Bearer {TOKEN}x", f"bearer {TOKEN}", TOKEN, "Bearer \xff"])
def test_without_the_token_nothing_is_answered(guarded: TestClient, said: str | None) -> None:
    headers = {} if said is None else {"Authorization": said.encode("latin-1")}
    for route in ("/metrics", "/docs.json", "/nowhere"):
        answer = guarded.get(route, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"


def test_with_the_token_it_is(guarded: TestClient) -> None:
    assert guarded.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/health").status_code == guarded.get("/ready").status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "127.1.2.3"])
def test_requests_to_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/metrics", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "10.0.0.1", "", "[", "127.0.0.1.example.org"])
def test_requests_to_another_name_are_not(client: TestClient, host: str) -> None:
    assert client.get("/metrics", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8000", "https://[::1]"])
def test_pages_of_this_machine_are_answered(client: TestClient, origin: str) -> None:
    assert client.post("/generate", json={}, headers={"Origin": origin}).status_code == 422


@pytest.mark.parametrize("origin", ["https://example.org", "null", "", "http://127.0.0.1.example.org", "http://["])
def test_forms_of_pages_of_other_sites_are_not(client: TestClient, origin: str) -> None:
    files = {"file": ("take.bvh", b"HIERARCHY")}
    answer = client.post("/encode", files=files, headers={"Origin": origin})
    assert answer.status_code == 403 and "another site" in answer.json()["error"]["message"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org", ""])
def test_others_reach_it_only_with_a_token(host: str) -> None:
    with pytest.raises(MotionClipError, match="MOTIONCLIP_TOKEN"):
        check_binding(host, None)
    check_binding(host, TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_reaches_it_without(host: str) -> None:
    check_binding(host, None)


@pytest.mark.parametrize("token", ["short", "é" * 20, "a" * 20 + "\n"])
def test_weak_tokens_are_refused(token: str) -> None:
    with pytest.raises(MotionClipError, match="16 printable"):
        check_binding("127.0.0.1", token)


def test_the_log_has_no_words(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "motionclip.server"):
        answer = client.post(
            "/generate?secret=1", json={"text": "secret", "seconds": 1}, headers={"X-Request-ID": "my-1"}
        )
        client.get("/secret")
    first, second = (json.loads(record.message) for record in caplog.records)
    assert first["id"] == answer.headers["x-request-id"] == "my-1"
    assert (first["route"], first["status"], second["status"]) == ("/generate", 200, 404)
    assert "secret" not in caplog.text


def test_ids_that_could_forge_a_line_are_replaced(client: TestClient) -> None:
    answer = client.get("/health", headers={"X-Request-ID": 'a"\tb'})
    assert answer.headers["x-request-id"].isalnum()


def test_a_fault_says_nothing_of_the_inside(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("motionclip.server.routes.motion_response", broken)
    with caplog.at_level(logging.INFO, "motionclip.server"):
        answer = client.post("/generate", json={"text": "a person walks", "seconds": 1})
    assert answer.status_code == 500 and answer.json()["error"]["type"] == "Fault"
    assert "secret" not in answer.text + caplog.text and "RuntimeError" in caplog.text
    assert answer.headers["x-request-id"] in answer.json()["error"]["message"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/generate", 405)])
def test_what_is_not_there_is_refused_alike(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status and set(answer.json()["error"]) == {"type", "message"}


def test_metrics_count(client: TestClient) -> None:
    client.get("/health")
    text = client.get("/metrics").text
    assert 'motionclip_requests_total{method="GET",route="/health",status="200"}' in text
    assert "motionclip_batch_size_bucket" in text and "process_resident_memory_bytes" in text


def test_without_a_library_nothing_is_searched(model: MotionCLIP) -> None:
    bare = TestClient(create_app(model), base_url="http://localhost")
    answer = bare.post("/search", json={"queries": ["a person walks"]})
    assert answer.status_code == 404 and "--library" in answer.text
