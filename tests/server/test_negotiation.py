"""The Accept header, as RFC 9110 has it, and what the formats hold."""

from __future__ import annotations

import io
import json
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

import motionclip
from motionclip.motion import CANONICAL
from motionclip.motion.rotations import matrix_to_quat
from motionclip.server.errors import HttpError
from motionclip.server.responses import choose

OFFERS = ("application/json", "model/gltf-binary", "text/plain", "image/png", "image/gif")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/*", "image/png"),
        ("IMAGE/GIF", "image/gif"),
        ("text/html, image/gif;q=0.5, image/png;q=0.4", "image/gif"),
        ("application/json;q=0.1, */*", "model/gltf-binary"),
        ("*/*, application/json;q=0", "model/gltf-binary"),
        ("model/gltf-binary; q=0.9; x=1, text/*;q=0.95", "text/plain"),
        ("nonsense", "application/json"),
    ],
)
def test_the_best_format_is_chosen(accept: str, chosen: str) -> None:
    assert choose(accept, OFFERS) == chosen


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=0", "image/png;q=nan", "image/png;q=7"])
def test_a_format_that_cannot_be_had_is_refused(accept: str) -> None:
    with pytest.raises(HttpError, match="model/gltf-binary") as refused:
        choose(accept, OFFERS)
    assert refused.value.status == 406


def generate(client: TestClient, accept: str) -> bytes:
    answer = client.post("/generate", json={"text": "a person walks", "seconds": 1}, headers={"Accept": accept})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(accept)
    return answer.content


@pytest.fixture(scope="module")
def expected(model: motionclip.MotionCLIP) -> motionclip.Motion:
    return motionclip.text_to_motion(model, "a person walks", seconds=1)


def test_json_is_the_motion(client: TestClient, expected: motionclip.Motion) -> None:
    said = json.loads(generate(client, "application/json"))
    assert (
        said["fps"] == 30 and tuple(said["joints"]) == CANONICAL.names and tuple(said["parents"]) == CANONICAL.parents
    )
    assert np.allclose(said["positions"], expected.positions, atol=1e-3)
    turns = torch.tensor(said["rotations"])
    same = (turns * matrix_to_quat(expected.rotations)).sum(dim=-1).abs()
    assert torch.allclose(same, torch.ones_like(same), atol=1e-4)
    assert np.allclose(said["offsets"], CANONICAL.offsets, atol=1e-6)


@pytest.mark.parametrize(
    ("accept", "suffix"), [("application/x-bvh", ".bvh"), ("text/plain", ".bvh"), ("application/x-npz", ".npz")]
)
def test_files_hold_the_motion(
    client: TestClient, expected: motionclip.Motion, tmp_path: Path, accept: str, suffix: str
) -> None:
    path = tmp_path / f"motion{suffix}"
    path.write_bytes(generate(client, accept))
    motion = motionclip.read_motion(path)
    order = [motion.skeleton.index(name) for name in CANONICAL.names]
    torch.testing.assert_close(motion.positions[:, order], expected.positions, atol=1e-3, rtol=0)


@pytest.mark.slow
def test_pictures_and_films_have_frames(client: TestClient) -> None:
    with (
        Image.open(io.BytesIO(generate(client, "image/png"))) as strip,
        Image.open(io.BytesIO(generate(client, "image/gif"))) as film,
    ):
        assert strip.size[0] > 500 and film.n_frames == 30  # type: ignore[attr-defined]
    assert generate(client, "video/mp4")[4:8] == b"ftyp"
    assert generate(client, "model/gltf-binary")[:4] == b"glTF"
    assert generate(client, "text/csv").count(b"\n") == 31
    if find_spec("pxr"):
        assert generate(client, "model/vnd.usdz+zip")[:2] == b"PK"


def test_several_motions_are_an_archive_a_picture_or_json(client: TestClient) -> None:
    asked = {"a": "a person walks", "b": "a person runs", "steps": 3, "seconds": 1, "archive": ".bvh"}
    answers = {
        kind: client.post("/interpolate", json=asked, headers={"Accept": kind})
        for kind in ("application/zip", "image/png", "application/json", "video/mp4")
    }
    assert [answer.status_code for answer in answers.values()] == [200, 200, 200, 406]
    with zipfile.ZipFile(io.BytesIO(answers["application/zip"].content)) as archive:
        assert archive.namelist() == ["01.bvh", "02.bvh", "03.bvh"]
    assert len(answers["application/json"].json()["motions"]) == 3
