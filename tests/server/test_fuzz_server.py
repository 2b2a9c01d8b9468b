"""Requests of all kinds, made by Schemathesis from the OpenAPI document, and damaged files: never a fault.

benchmarks/fuzz_server.py does the same at length, over a socket.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from starlette.testclient import TestClient

import motionclip
from motionclip.server.routes import router

_ALL = list(HealthCheck)
_FEW = settings(phases=[Phase.generate], deadline=None, suppress_health_check=_ALL, database=None)
#: Requests of an operation, and of one that takes long.
_EXAMPLES, _EXAMPLES_OF_LONG_WORK = 8, 4
_LABELS = [f"{method} {route.path}" for route in router.routes for method in route.methods]  # type: ignore[attr-defined]
_LONG_WORK = ("POST /extend", "POST /fill", "POST /storyboard", "POST /restyle")


@pytest.fixture(scope="module")
def operations(app: FastAPI) -> dict[str, APIOperation]:
    # without Schemathesis's plugin for pytest, which needs an older pytest
    found = [result.ok() for result in schemathesis.openapi.from_dict(app.openapi()).get_all_operations()]
    return {operation.label: operation for operation in found}


def sent(case: Case, take: bytes) -> dict[str, Any]:
    """A case as arguments of the client; parts that are no JSON become a sound motion file."""
    given = case.as_transport_kwargs()
    files = [
        (name, part if part[-1] == "application/json" else ("take.bvh", take))
        for name, part in given.pop("files", None) or []
    ]
    given["content"] = given.pop("data", None)
    given.pop("cookies")
    return given | ({"files": files} if files else {})


@pytest.mark.slow
@pytest.mark.parametrize("label", _LABELS)
def test_what_the_document_allows_is_no_fault(
    client: TestClient, walk: Path, operations: dict[str, APIOperation], label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it does not allow."""
    for name in ("complete", "extend"):
        monkeypatch.setattr(motionclip, name, partial(getattr(motionclip, name), steps=2))
    operation, take = operations[label], walk.read_bytes()

    @settings(_FEW, max_examples=_EXAMPLES_OF_LONG_WORK if label in _LONG_WORK else _EXAMPLES)
    @given(st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def check(case: Case) -> None:
        answer = client.request(**sent(case, take))
        assert answer.status_code < 500, answer.text

    check()


@pytest.fixture(scope="module")
def archive(walk: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("archive") / "walk.npz"
    motionclip.write_motion(motionclip.read_motion(walk), path)
    return path.read_bytes()


@pytest.mark.filterwarnings("ignore")  # of bones that change their length, as damaged ones do
@settings(max_examples=60, deadline=None, suppress_health_check=_ALL)
@given(st.data())
def test_damaged_files_are_no_fault(client: TestClient, walk: Path, archive: bytes, data: st.DataObject) -> None:
    suffix, content = data.draw(st.sampled_from([(".bvh", walk.read_bytes()), (".npz", archive)]))
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(damaged)))
        damaged[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    answer = client.post("/encode", files={"file": (f"take{suffix}", bytes(damaged))})
    assert answer.status_code in (200, 413, 422), answer.text
