"""Files that clients send: read from a name of our own, within limits, and gone afterwards."""

from __future__ import annotations

import errno
import io
import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

import motionclip
from motionclip.server.errors import http_error_of
from motionclip.serving import MAX_FRAMES


def post(client: TestClient, content: bytes, name: str = "take.bvh", route: str = "encode") -> tuple[int, str]:
    answer = client.post(f"/{route}", files={"file": (name, content)})
    said = answer.json().get("error", {"type": ""})
    return answer.status_code, f"{said['type']}: {said.get('message', '')}"


def bvh(frames: int, seconds: str = "0.0333333") -> bytes:
    head = "HIERARCHY\nROOT hips\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n}\nMOTION\n"
    return f"{head}Frames: {frames}\nFrame Time: {seconds}\n".encode() + b"0 0 0\n" * frames


@pytest.mark.parametrize(
    "name",
    [
        *("../../etc/take.bvh", "/tmp/take.bvh", "take.BVH", "\x00..\\take.bvh", "a" * 500 + ".bvh"),
        *("CON.bvh", "-rf.bvh", "take.npz.bvh", "\u202ehvb.☃.bvh", "a\r\nX-Y: z.bvh"),
    ],
)
def test_a_name_is_only_its_suffix(
    client: TestClient, walk: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(client, walk.read_bytes(), "take.bvh")[0] == 200  # which starts the processes, in the usual folder
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path)
    answer = client.post("/encode", files={"file": (name, walk.read_bytes())})
    assert answer.status_code == 200 and set(answer.headers) == {"content-length", "content-type", "x-request-id"}
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "name", "status", "message"),
    [
        (b"", "take.bvh", 422, "empty"),
        (b"HIERARCHY", "take.bvh", 422, "file: there is no line MOTION"),
        (b"\xff" * 1000, "take.bvh", 422, "HIERARCHY"),
        (b"PK\x03\x04 broken", "take.npz", 422, "NumPy"),
        (b"0 0 0", "take.amc", 415, "motionclip convert"),
        (b"x", "take", 415, "expected .bvh or .csv or .fbx"),
        (b"x", "take.exe", 415, "expected .bvh or .csv or .fbx"),
        (bvh(30), "take.bvh", 422, "SkeletonError"),
        (bvh(MAX_FRAMES + 1), "take.bvh", 422, str(MAX_FRAMES)),
        (bvh(30, "1000"), "take.bvh", 422, "frames per second"),
        (b"HIERARCHY\n" + b"JOINT a\n{\n" * 5000, "take.bvh", 422, "512 joints"),
    ],
)
def test_what_cannot_be_used_is_refused(
    client: TestClient, content: bytes, name: str, status: int, message: str
) -> None:
    got, said = post(client, content, name)
    assert got == status and message in said
    assert "/tmp" not in said and tempfile.gettempdir() not in said


def test_a_dictionary_in_an_npy_is_refused(client: TestClient) -> None:
    """The command line reads what MDM pickles; strangers send no pickles."""
    content = io.BytesIO()
    np.save(content, np.array({"motion": np.zeros((1, 22, 3, 8))}, dtype=object))
    status, said = post(client, content.getvalue(), "results.npy")
    assert status == 422 and "it holds Python objects" in said


def test_an_archive_that_unpacks_to_much_is_refused(client: TestClient) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("rotations.npy", "w") as file:
        for _ in range(200):
            file.write(bytes(1 << 20))
    assert len(buffer.getvalue()) < 1e6
    assert post(client, buffer.getvalue(), "take.npz")[0] == 422


def test_an_archive_that_lies_about_its_shape_is_refused(client: TestClient) -> None:
    buffer = io.BytesIO()
    header = np.lib.format.magic(1, 0), {"descr": "<f8", "fortran_order": False, "shape": (10**13,)}
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("version.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, header[1])
    assert post(client, buffer.getvalue(), "take.npz")[0] == 422


def test_an_archive_with_a_damaged_header_is_refused(client: TestClient) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, version=np.ones(3))
    with zipfile.ZipFile(io.BytesIO(buffer.getvalue())) as archive, zipfile.ZipFile(buffer, "w") as changed:
        changed.writestr("version.npy", archive.read("version.npy").replace(b"(3,), }", b"(3,(( }"))
    assert post(client, buffer.getvalue(), "take.npz")[0] == 422


def test_parts_are_named(client: TestClient, walk: Path) -> None:
    files = {"take": ("take.bvh", walk.read_bytes())}
    asked = {"base": {"file": "other"}, "plus": "a person runs"}
    answer = client.post("/edit", data={"request": json.dumps(asked)}, files=files)
    assert answer.status_code == 422 and "those sent: take" in answer.text
    answer = client.post("/edit", json=asked)
    assert answer.status_code == 422 and "those sent: none" in answer.text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 1}', '{"top": NaN}', "[" * 100_000, '{"\\ud800": 1}'])
def test_a_request_that_fits_no_schema_is_refused(client: TestClient, walk: Path, text: str) -> None:
    files = {"file": ("take.bvh", walk.read_bytes())}
    answer = client.post("/recognize", data={"request": text}, files=files)
    assert answer.status_code == 422 and answer.json()["error"]["type"] == "ValidationError"


def test_bodies_of_other_types_are_refused(client: TestClient) -> None:
    headers = {"Content-Type": "application/xml"}
    assert client.post("/encode", content=b"<a/>", headers=headers).status_code == 415
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/encode", content=b"--y\r\nnonsense", headers=headers).status_code in (400, 422)
    many = [(f"f{number}", ("take.bvh", b"x")) for number in range(50)]
    assert client.post("/encode", files=many).status_code == 400


def test_a_long_motion_is_no_film(client: TestClient) -> None:
    asked = {"source": "a person walks", "seconds": 31}
    answer = client.post("/storyboard", json={"shots": [asked]}, headers={"Accept": "image/gif"})
    assert answer.status_code == 422 and "900" in answer.text
    answer = client.post("/storyboard", json={"shots": [asked | {"seconds": 60}] * 3})
    assert answer.status_code == 422 and "120" in answer.text


def test_a_rate_that_makes_too_many_frames_is_refused(client: TestClient) -> None:
    files = {"file": ("take.bvh", bvh(250, "1"))}
    answer = client.post("/convert", data={"request": '{"fps": 240}'}, files=files)
    assert answer.status_code == 422 and "20000" in answer.text


def test_a_full_disk_is_told() -> None:
    known = http_error_of(OSError(errno.ENOSPC, "No space left on device", "/tmp/secret"))
    assert known is not None and known.status == 507 and "disk is full" in known.message
    assert "/tmp" not in known.message


CASES = Path(__file__).parents[3] / "shared" / "cases" / "hostile"


def archive(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def member(content: bytes) -> bytes:
    """An archive of one array with this content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("poses.npy", content)
        target.writestr("trans.npy", content)
    return buffer.getvalue()


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


STILL = {"poses": np.zeros((4, 72)), "trans": np.zeros((4, 3))}
HOSTILE = {
    "a million joint names": archive(version=1, names=np.zeros(1_000_000, "U1"), rotations=np.zeros(0)),
    "numbers that become eight times as large": archive(
        poses=np.zeros((1_600_000, 72), np.int8), trans=np.zeros((1, 3)), mocap_framerate=30.0
    ),
    "a header that is no token": member(header("{'descr': '<f8', 'shape': ((,")),
    "a header of an absurd number": member(
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999999,)}")
    ),
    "a header of another type": member(header("{'descr': 1, 'fortran_order': False, 'shape': (3,)}")),
    "a header that is nested": member(header("(" * 3000)),
    "a rate near zero": archive(mocap_framerate=5e-324, **STILL),
    "a rate without end": archive(mocap_framerate=1e300, **STILL),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_small_files_that_are_large_or_odd_inside_are_refused_at_once(client: TestClient, kind: str) -> None:
    status, said = post(client, HOSTILE[kind], "take.npz", "recognize")
    assert status == 422 and "FormatError" in said
    assert client.get("/ready").status_code == 200


@pytest.mark.skipif(not CASES.is_dir(), reason="the case files are not here")
@pytest.mark.parametrize("path", sorted(CASES.glob("*.n*")) + sorted(CASES.glob("*.glb")), ids=lambda path: path.name)
def test_the_case_files_are_refused(client: TestClient, path: Path) -> None:
    status, said = post(client, path.read_bytes(), path.name, "recognize")
    assert status == 422 and "FormatError" in said


def test_the_motion_arrives(client: TestClient, walk: Path, tmp_path: Path) -> None:
    archive = tmp_path / "take.npz"
    motionclip.write_motion(motionclip.read_motion(walk), archive)
    answers = [
        client.post("/encode", files={"file": (path.name, path.read_bytes())}).json()["latent"]
        for path in (walk, archive)
    ]
    model = client.app.state.service.model  # type: ignore[attr-defined]
    expected = model.encode([motionclip.read_motion(walk)])[0]
    assert np.allclose(answers[0], expected, atol=1e-5) and np.allclose(answers[1], expected, atol=1e-5)
