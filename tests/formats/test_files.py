"""Files as they are written: whole, on the disk, through links, and named where a disk is full."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from motionclip.data.folder import motion_files
from motionclip.formats.files import is_partial, replacing, save_tensors

resource = pytest.importorskip("resource")


def test_a_file_is_flushed_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    flush, rename = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        order.append("flush")
        flush(handle)

    def replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    with replacing(tmp_path / "a.txt") as path:
        path.write_text("whole")
    assert order == ["flush", "rename", "flush"] and (tmp_path / "a.txt").read_text() == "whole"


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real" / "a.txt")
    with replacing(tmp_path / "link.txt") as path:
        path.write_text("new")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real" / "a.txt").read_text() == "new"
    assert [each.name for each in (tmp_path / "real").iterdir()] == ["a.txt"]


def test_what_a_killed_process_left_is_neither_read_nor_kept(tmp_path: Path) -> None:
    with replacing(tmp_path / "walk.bvh") as path:
        path.write_text("HIERARCHY")
        left = tmp_path / path.name
    left.write_text("HIERARCHY")
    assert is_partial(left) and motion_files(tmp_path) == [tmp_path / "walk.bvh"]
    with replacing(tmp_path / "run.bvh") as path:
        path.write_text("HIERARCHY")
    assert left.exists(), "another process may be writing it"
    os.utime(left, (0, 0))
    own = [tmp_path / ".walk.bvh", tmp_path / ".notes-20240101.bvh", tmp_path / ".motionclip-plans.txt"]
    for kept in own:
        kept.write_text("the user's own")
        os.utime(kept, (0, 0))
    with replacing(tmp_path / "run.bvh") as path:
        path.write_text("HIERARCHY")
    assert not left.exists() and all(kept.exists() for kept in own)


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    with replacing(tmp_path / f"{'a' * 251}.bvh") as path:
        path.write_text("HIERARCHY")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Files of this process may have 1,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_says_which_file(tmp_path: Path) -> None:
    with pytest.raises(OSError) as full, replacing(tmp_path / "a.txt") as path:
        path.write_bytes(bytes(10_000))
    assert full.value.filename == str(tmp_path / "a.txt")
    with pytest.raises(OSError) as full:
        save_tensors(tmp_path / "a.safetensors", {"a": torch.ones(10_000)})
    assert full.value.filename == str(tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_when_it_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as raised, replacing(tmp_path / "a.txt") as path:
        path.write_text("x")
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(tmp_path / "a.txt"))
    assert not list(tmp_path.iterdir())
