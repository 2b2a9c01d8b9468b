"""A session as one file: all of it comes back, and what is damaged is refused."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from dataclasses import replace

import pytest
import torch

from motionclip.errors import FormatError
from motionclip.motion import Motion
from motionclip.serving import read_upload
from motionclip.studio.session_file import pack, unpack
from motionclip.studio.takes import Part
from studio.takes import take


def read(content: bytes) -> Motion:
    return read_upload(content, ".npz", "mine.takes")


def archive(listed: object, **files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("takes.json", listed if isinstance(listed, str) else json.dumps(listed))
        for name, data in files.items():
            made.writestr(f"{name}.npz", data)
    return content.getvalue()


def test_takes_come_back_with_titles_and_parts() -> None:
    story = replace(take("story of 2 shots", frames=60), parts=(Part("walk", 0.0, 1.0), Part("wave", 1.0, 2.0)))
    found = unpack(pack([take("a walk"), story]), "mine.takes", read)
    assert [(title, parts) for title, _, parts in found] == [("a walk", ()), (story.title, story.parts)]
    torch.testing.assert_close(found[1][1].positions, story.motion.positions, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "content",
    [
        b"PK not a zip",
        archive("["),
        archive("[" * 100_000),
        archive({"title": "a"}),
        archive([{"title": "a", "parts": []}]),
        archive([{"title": 3, "parts": []}], **{"000": b"no motion"}),
        archive([{"title": "a", "parts": []}], **{"000": b"no motion"}),
        archive([{"title": "a"}] * 1000),
    ],
)
def test_what_is_no_session_is_refused(content: bytes) -> None:
    with pytest.raises(FormatError):
        unpack(content, "mine.takes", read)


@pytest.mark.parametrize(
    "parts", [3, [{"title": "a"}], [{"title": "a", "start": "x", "end": 1}], [{"title": "a", "start": 0, "end": 1e999}]]
)
def test_damaged_parts_are_refused(parts: object) -> None:
    (sound,) = (zipfile.ZipFile(io.BytesIO(pack([take("a")]))).read("000.npz"),)
    with pytest.raises(FormatError, match=r"mine\.takes: it cannot be read"):
        unpack(archive([{"title": "a", "parts": parts}], **{"000": sound}), "mine.takes", read)


def packed(method: int, size: int) -> bytes:
    """A session whose list unpacks to so many blanks, and whose header states ten bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as made:
        made.writestr("takes.json", b" " * size)
    raw, true = bytearray(content.getvalue()), size.to_bytes(4, "little")
    for start in (raw.index(true), raw.rindex(true)):
        raw[start : start + 4] = (10).to_bytes(4, "little")
    return bytes(raw)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_session_that_unpacks_to_more_than_it_states_takes_no_memory(method: int) -> None:
    content = packed(method, 400_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            unpack(content, "mine.takes", read)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_a_session_whose_bytes_are_damaged_is_refused() -> None:
    whole = archive([{"title": "a", "parts": []}] * 40)
    with zipfile.ZipFile(io.BytesIO(whole)) as held:
        listed = held.read("takes.json")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("takes.json", listed)
    raw = bytearray(content.getvalue())
    raw[45:60] = b"\xff" * 15
    with pytest.raises(FormatError):
        unpack(bytes(raw), "mine.takes", read)
