"""Our own archive: exact, versioned, and refused when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from motionclip.errors import FormatError
from motionclip.formats.npz import read_npz, write_npz
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot


@pytest.fixture
def motion() -> Motion:
    generator = torch.Generator().manual_seed(0)
    turns = torch.randn(4, 24, 3, generator=generator)
    return Motion(rot.rotvec_to_matrix(turns), torch.randn(4, 3, generator=generator), 29.97, CANONICAL)


def test_comes_back_exactly(tmp_path: Path, motion: Motion) -> None:
    write_npz(motion, tmp_path / "a.npz")
    again = read_npz(tmp_path / "a.npz")
    assert torch.equal(again.rotations, motion.rotations)
    assert torch.equal(again.root, motion.root)
    assert again.fps == motion.fps
    assert (again.skeleton.names, again.skeleton.parents) == (CANONICAL.names, CANONICAL.parents)
    assert torch.equal(again.skeleton.offsets, CANONICAL.offsets)
    assert again.skeleton.end_sites == CANONICAL.end_sites
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("version", 2, "version 2"),
        ("version", None, "no array 'version'"),
        ("rotations", np.zeros((4, 24, 3, 3)), "no rotation matrices"),
        ("rotations", -np.broadcast_to(np.eye(3), (4, 24, 3, 3)), "no rotation matrices"),
        ("rotations", np.zeros((0, 24, 3, 3)), "empty"),
        ("rotations", np.zeros((4, 23, 3, 3)), "shape"),
        ("rotations", None, "no array 'rotations'"),
        ("root", np.zeros((3, 3)), "shape (3, 3); expected (4, 3)"),
        ("root", np.full((4, 3), np.nan), "NaN"),
        ("fps", 0.0, "frame rate"),
        ("fps", np.array("fast"), "numbers"),
        ("names", np.arange(24), "strings"),
        ("names", np.array(["a"] * 24), "occur twice"),
        ("parents", np.arange(24), "parent index"),
        ("end_joints", np.array([99, 0, 0, 0, 0]), "end_joints"),
        ("root", np.array([{"a": 1}] * 4, dtype=object), "holds object"),
    ],
)
def test_wrong_contents_are_told(tmp_path: Path, motion: Motion, name: str, value: object, says: str) -> None:
    path = tmp_path / "a.npz"
    write_npz(motion, path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays[name] = value
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})
    with pytest.raises(FormatError) as caught:
        read_npz(path)
    assert says in str(caught.value)
    assert caught.value.path == path


def test_other_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(FormatError, match="no such file"):
        read_npz(path)
    for content in (b"", b"text", b"PK\x03\x04 broken", b"\x80\x04pickle"):
        path.write_bytes(content)
        with pytest.raises(FormatError, match="no NumPy archive"):
            read_npz(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(FormatError, match="single array"):
        read_npz(path)


def test_truncation_and_flipped_bytes_never_crash(tmp_path: Path, motion: Motion) -> None:
    path = tmp_path / "a.npz"
    write_npz(motion, path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        with pytest.raises(FormatError):
            read_npz(path)
    for place in range(0, len(whole), 29):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert read_npz(path).num_frames == motion.num_frames
        except FormatError as error:
            assert error.path == path


def test_a_skeleton_of_a_million_joints_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "many.npz"
    count = 1_000_000
    np.savez_compressed(
        path, version=1, rotations=np.zeros(0), names=np.zeros(count, "U1"), parents=np.zeros(count, np.int8)
    )
    with pytest.raises(FormatError, match="at most 4096 joints"):
        read_npz(path)
