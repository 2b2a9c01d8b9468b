"""The pages for people, and the examples of the OpenAPI document: each is sent and answered."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from motionclip.model.pipeline import MotionCLIP
from motionclip.server.app import create_app
from motionclip.server.routes import router

ROUTES = [(method, route.path) for route in router.routes for method in route.methods]  # type: ignore[attr-defined]
#: Where the picture of docs/server.md goes.
PICTURES = Path(os.environ["MOTIONCLIP_STUDIO_PICTURES"]) if "MOTIONCLIP_STUDIO_PICTURES" in os.environ else None
TOKEN = "correct horse battery"


def example_of(document: dict[str, Any], method: str, path: str) -> tuple[Any, bool]:
    """The example of the body of a request, and whether the request is a form with a file; None without a body."""
    body = document["paths"][path][method.lower()].get("requestBody")
    if body is None:
        return None, False
    content = body["content"]
    is_form = "application/json" not in content
    schema = content["multipart/form-data"]["schema"]["properties"]["request"] if is_form else None
    reference = (schema or content["application/json"]["schema"])["$ref"]
    return document["components"]["schemas"][reference.rpartition("/")[2]]["examples"][0], is_form


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_each_example_is_answered(client: TestClient, walk: Path, method: str, path: str) -> None:
    example, is_form = example_of(client.get("/openapi.json").json(), method, path)
    sent: dict[str, Any] = {} if example is None else {"json": example}
    if is_form:
        sent = {"data": {"request": json.dumps(example)}, "files": {"file": ("walk.bvh", walk.read_bytes())}}
    answer = client.request(method, path, **sent)
    assert answer.status_code == 200, answer.text


def test_the_front_page_shows_all_that_it_does(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    for path in [path for method, path in ROUTES if method == "POST"]:
        assert f"<td>POST {path}</td>" in page.text
    assert 'id="token"' not in page.text and "curl http://127.0.0.1:8000/generate" in page.text


def test_nothing_on_the_pages_comes_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/docs"):
        loaded = re.findall(r'(?:src|href)="([^"]+)"', client.get(path).text)
        assert loaded and not [url for url in loaded if "//" in url]


def test_what_the_docs_load_is_there(client: TestClient) -> None:
    pytest.importorskip("fastapi_offline", reason="fastapi-offline is not installed")
    page = client.get("/docs").text
    loaded = re.findall(r'(?:src|href)="(docs/[^"]+)"', page)
    assert len(loaded) == 2
    for path in loaded:
        assert len(client.get(f"/{path}").content) > 100_000
    assert client.get("/docs/..%2fcore.py").status_code in (404, 422)


def test_pages_need_no_token_but_say_where_it_goes(model: MotionCLIP) -> None:
    guarded = TestClient(create_app(model, token=TOKEN), base_url="http://example.org")
    assert 'id="token"' in guarded.get("/").text and "Authorization: Bearer" in guarded.get("/").text
    assert guarded.get("/docs").status_code == 200
    assert guarded.get("/openapi.json").json()["security"] == [{"token": []}]
    assert guarded.post("/generate", json={"text": "a person walks"}).status_code == 401


def test_pages_are_for_this_machine_without_a_token(app: FastAPI) -> None:
    assert TestClient(app, base_url="http://example.org").get("/").status_code == 403


@pytest.fixture(scope="module")
def address(model: MotionCLIP) -> Iterator[str]:
    """Where an app is served for a browser."""
    server = uvicorn.Server(uvicorn.Config(create_app(model), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.slow
def test_a_sentence_becomes_a_film_on_the_front_page(chromium: Any, address: str, tmp_path: Path) -> None:
    tab = chromium.new_page(viewport={"width": 900, "height": 1000})
    tab.set_default_timeout(300_000)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(address)
    tab.get_by_role("button", name="Make").click()
    tab.wait_for_function("document.getElementById('film').naturalWidth > 100")
    assert tab.locator("#note").inner_text() == ""
    tab.screenshot(path=str(PICTURES / "server.png" if PICTURES else tmp_path / "server.png"))
    tab.locator("#words").fill("w " * 600)
    tab.get_by_role("button", name="Make").click()
    tab.get_by_text("shorten it").wait_for()
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
