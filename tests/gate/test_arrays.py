"""NumPy files: refused by their headers, before anything is read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from motionclip.errors import FormatError
from motionclip.gate.arrays import Arrays, open_array, read_array, rotation_error

LAYOUTS = {(2,): "pairs"}


def npy(header: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + body


HEADERS = {
    "not closed": "{'descr': '<f8', 'shape': ((,",
    "nested": "(" * 3000,
    "an absurd shape": "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999999, 2)}",
    "a negative shape": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2)}",
    "a shape of words": "{'descr': '<f8', 'fortran_order': False, 'shape': ('a', 2)}",
    "a type that is none": "{'descr': 3, 'fortran_order': False, 'shape': (1, 2)}",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (1, 2)}",
    "more than there is": "{'descr': '<f8', 'fortran_order': False, 'shape': (3000000, 2)}",
    "wide numbers": "{'descr': '<f16', 'fortran_order': False, 'shape': (0, 2)}",
}


@pytest.mark.parametrize("kind", HEADERS)
def test_damaged_headers_are_format_errors(tmp_path: Path, kind: str) -> None:
    content = npy(HEADERS[kind], bytes(16))
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(FormatError):
        read_array(tmp_path / "a.npy", LAYOUTS, 10**9)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    with Arrays(tmp_path / "a.npz") as arrays, pytest.raises(FormatError):
        arrays.numbers("a", (None, 2))
    with pytest.raises(ValueError, match=r"a\.npy"):
        open_array(tmp_path / "a.npy", (1, 2), "float32")


def test_memory_is_bounded_by_all_arrays_together(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", **{f"a{n}": np.zeros((4_000_000, 2), np.int8) for n in range(6)})
    with Arrays(tmp_path / "a.npz") as arrays, pytest.raises(FormatError, match="in a file"):
        for name in sorted(arrays.names):
            arrays.numbers(name, (None, 2))


def test_an_archive_packed_in_an_unusual_way_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.ones((2, 2)))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", buffer.getvalue())
    with Arrays(tmp_path / "a.npz") as arrays, pytest.raises(FormatError):
        arrays.numbers("a", (2, 2))


def test_what_numpy_writes_is_read(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(3, 2)
    for kind in ("f2", "f4", "f8", "i1", "u2", "i8", ">f4"):
        np.savez(tmp_path / "a.npz", a=values.astype(kind), b=np.asfortranarray(values), names=np.array(["x", "é"]))
        with Arrays(tmp_path / "a.npz") as arrays:
            assert (arrays.numbers("a", (None, 2)) == values).all() and (arrays.numbers("b", (3, 2)) == values).all()
            assert arrays.words("names") == ("x", "é")
    np.save(tmp_path / "a.npy", values.astype("f4"))
    assert (np.asarray(open_array(tmp_path / "a.npy", (3, 2), "float32")) == values).all()
    assert (read_array(tmp_path / "a.npy", LAYOUTS, 3) == values).all()
    with pytest.raises(FormatError, match="at most 2 frames"):
        read_array(tmp_path / "a.npy", LAYOUTS, 2)
    np.save(tmp_path / "a.npy", values[None])
    assert (read_array(tmp_path / "a.npy", LAYOUTS, 3) == values).all()
    with pytest.raises(FormatError, match="at most 2 frames"):
        read_array(tmp_path / "a.npy", LAYOUTS, 2)


def test_rotations_are_told_from_mirrors_and_scales() -> None:
    eye = np.eye(3)[None].repeat(70_000, axis=0)
    assert rotation_error(eye) == 0
    eye[-1] *= 1.01
    assert 0.01 < rotation_error(eye) < 0.03
    eye[-1] = np.diag([1.0, 1.0, -1.0])
    assert rotation_error(eye) == float("inf")
