"""The tools of an assistant, called by the client of the official package: they make, change, read and show files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

import motionclip
from motionclip.model.pipeline import MotionCLIP

pytest.importorskip("mcp", reason="mcp is not installed")

from mcp import Client, StdioServerParameters, stdio_client

from motionclip.server.mcp_tools import mcp_server


def call(server: Any, tool: str, **arguments: Any) -> Any:
    """The answer of a tool."""

    async def ask() -> Any:
        async with Client(server) as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(ask)


def text_of(answer: Any) -> str:
    return str(answer.content[0].text)


@pytest.fixture(scope="module")
def folder(walk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("assistant")
    (place / "walk.bvh").write_bytes(walk.read_bytes())
    return place


@pytest.fixture(scope="module")
def server(model: MotionCLIP, folder: Path) -> Any:
    return mcp_server(model, folder)


def test_every_tool_says_what_it_does_and_takes(server: Any) -> None:
    async def listed() -> Any:
        async with Client(server) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in anyio.run(listed)}
    assert tools.keys() == {"generate", "edit", "convert", "recognize", "look"}
    for tool in tools.values():
        arguments = tool.input_schema["properties"]
        assert all(f"{name}:" in tool.description for name in arguments)


@pytest.mark.slow
def test_a_sentence_becomes_a_file_that_can_be_looked_at(server: Any, folder: Path) -> None:
    made = call(server, "generate", text="a person walks", file="new.glb", seconds=1).structured_content
    assert made["file"] == str(folder / "new.glb") and made["frames"] == 30 and made["note"] == ""
    assert (folder / "new.glb").read_bytes()[:4] == b"glTF"
    (picture,) = call(server, "look", file="new.glb").content
    assert picture.mime_type == "image/png" and len(picture.data) > 10_000


@pytest.mark.slow
def test_unfamiliar_words_are_told(server: Any) -> None:
    made = call(server, "generate", text="quarterly tax report", file="odd.bvh", seconds=1).structured_content
    assert "far from" in made["note"]


@pytest.mark.slow
def test_files_are_edited_converted_and_recognized(server: Any, folder: Path) -> None:
    assert not call(server, "edit", base="walk.bvh", file="old.bvh", style="elderly").is_error
    before, after = (motionclip.read_motion(folder / name) for name in ("walk.bvh", "old.bvh"))
    assert float((before.positions - after.positions).norm(dim=-1).mean()) > 0.01
    call(server, "convert", source="old.bvh", file="old.csv", start=0.5, end=1.0, rig="mixamo")
    assert "mixamorig" in (folder / "old.csv").read_text().splitlines()[0]
    found = call(server, "recognize", file="walk.bvh", labels=["walking", "sleeping"]).structured_content
    assert found["guesses"][0]["label"] == "walking"


@pytest.mark.parametrize("name", ["../walk.bvh", "/etc/walk.bvh", "sub/../../walk.bvh"])
def test_nothing_outside_of_the_folder_is_touched(server: Any, folder: Path, name: str) -> None:
    for tool, arguments in {
        "generate": {"text": "a person walks", "file": name},
        "convert": {"source": "walk.bvh", "file": name},
        "look": {"file": name},
        "edit": {"base": name, "file": "x.bvh", "plus": "a person runs"},
    }.items():
        answer = call(server, tool, **arguments)
        assert answer.is_error and "outside of the folder" in text_of(answer)


def test_a_link_out_of_the_folder_is_not_followed(server: Any, folder: Path, walk: Path) -> None:
    (folder / "link.bvh").symlink_to(walk)
    assert "outside of the folder" in text_of(call(server, "look", file="link.bvh"))


def test_errors_are_told_in_words(server: Any) -> None:
    for arguments in ({"file": "nothing.bvh"}, {"file": "words.txt"}):
        answer = call(server, "look", **arguments)
        assert answer.is_error and "expected" in text_of(answer)
    both = call(server, "edit", base="a person walks", file="x.bvh", style="elderly", plus="a person runs")
    assert both.is_error and "the style alone" in text_of(both)


@pytest.mark.slow
def test_the_command_serves_standard_input_and_output(folder: Path) -> None:
    command = ["-m", "motionclip", "mcp", "--folder", str(folder)]

    async def ask() -> Any:
        async with Client(
            stdio_client(StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ)))
        ) as client:
            assert "motionclip" in client.server_info.name
            return await client.call_tool("recognize", {"file": "walk.bvh", "top": 1})

    answer = anyio.run(ask)
    assert json.loads(text_of(answer))["guesses"]
