"""Every curl command of docs/server.md is answered, in the order of the page, and gives what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from motionclip.server.limits import Limits
from motionclip.server.responses import FILE_TYPES, JSON

PAGE = Path(__file__).parents[2] / "docs" / "server.md"
#: First bytes of what is written.
SIGNS = {
    ".bvh": b"HIERARCHY",
    ".glb": b"glTF",
    ".npz": b"PK",
    ".zip": b"PK",
    ".png": b"\x89PNG",
    ".json": b"{",
    ".csv": b"time",
}


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("curl ")]


def curl(client: TestClient, words: list[str], folder: Path) -> bytes:
    """What curl does, for the options that the page uses."""
    url, options = words[1], list(zip(words[2::2], words[3::2], strict=True))
    sent: dict[str, Any] = {"headers": {}, "data": {}, "files": {}}
    for name, value in options:
        if name == "-H":
            key, _, text = value.partition(": ")
            sent["headers"][key] = text
        elif name == "--json":
            sent["content"] = (folder / value[1:]).read_bytes() if value.startswith("@") else value.encode()
            sent["headers"]["Content-Type"] = "application/json"
        elif name == "-F" and "=@" in value:
            part, _, file = value.partition("=@")
            sent["files"][part] = (file, (folder / file).read_bytes())
        elif name == "-F":
            part, _, text = value.partition("=")
            sent["data"][part] = text
        else:
            assert name == "-o", f"the page uses {name}"
    posts = "content" in sent or sent["files"]
    answer = client.request("POST" if posts else "GET", url, **{key: value for key, value in sent.items() if value})
    assert answer.status_code == 200, f"{shlex.join(words)}: {answer.text}"
    for name, value in options:
        if name == "-o":
            (folder / value).write_bytes(answer.content)
            assert answer.content.startswith(SIGNS[Path(value).suffix])
    return answer.content


@pytest.mark.slow
def test_each_command_is_answered(client: TestClient, tmp_path: Path) -> None:
    shown = commands()
    for words in shown:
        assert curl(client, words, tmp_path)
    assert len(shown) > 20


def test_each_route_has_an_example(client: TestClient) -> None:
    shown = {words[1].rpartition("/")[2] for words in commands()}
    assert shown == {path.strip("/") for path in client.get("/openapi.json").json()["paths"]} | {"openapi.json"}


def test_the_page_names_every_format() -> None:
    table = PAGE.read_text("utf-8").split("| Accept |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z]+/[a-z0-9.+-]+)`", table)) == {JSON, *FILE_TYPES}


@pytest.mark.parametrize("name", ["body_mb", "seconds", "requests", "waiting", "jobs"])
def test_the_limits_of_the_page_are_the_real_ones(name: str) -> None:
    table = PAGE.read_text("utf-8").split("| limit of |")[1].split("\n\n")[0]
    assert f"{getattr(Limits(), name):g}" in table
