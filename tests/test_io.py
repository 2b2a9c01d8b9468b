"""Formats by suffix."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import torch

from motionclip.errors import FormatError
from motionclip.io import FORMATS, Format, check_writable, is_motion_file, read_motion, split_take, write_motion
from motionclip.motion import CANONICAL, Motion


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.suffix)
def test_every_entry_names_a_function_and_an_extra_for_its_package(known: Format) -> None:
    for target in filter(None, (known.reader, known.writer)):
        module, name = target.split(":")
        assert callable(getattr(import_module(f"motionclip.{module}"), name))
    assert (known.package is None) == (known.extra is None)


@pytest.mark.parametrize("suffix", [".bvh", ".BVH", ".npz", ".amass.npz"])
def test_what_is_written_is_read_again_and_folders_are_made(tmp_path: Path, suffix: str) -> None:
    motion = Motion(torch.eye(3).expand(3, 24, 3, 3), torch.rand(3, 3), 30.0, CANONICAL)
    path = tmp_path / "deep" / f"take.1{suffix}"
    write_motion(motion, path)
    again = read_motion(path)
    assert torch.allclose(again.root, motion.root, atol=1e-6)
    assert again.fps == 30.0


@pytest.mark.parametrize("name", ["walk.fbx#1", "walk", ".bvh.txt", "walk.amc"])
def test_unknown_suffixes_are_told_with_those_that_are_known(name: str) -> None:
    with pytest.raises(FormatError, match=r"cannot be written; expected one of \.amass\.npz, \.bvh"):
        check_writable(name)


def test_reading_and_folders(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"'\.usd' cannot be read; expected one of \.amc, \.bvh,"):
        read_motion(tmp_path / "body.usd")
    (tmp_path / "folder.bvh").mkdir()
    with pytest.raises(FormatError, match="folder"):
        check_writable(tmp_path / "folder.bvh")


@pytest.mark.parametrize(
    ("text", "file", "take"),
    [
        ("a/walk.glb#Walk", "a/walk.glb", "Walk"),
        ("walk.VRM#Armature|idle.001", "walk.VRM", "Armature|idle.001"),
        ("walk.glb", "walk.glb", None),
        ("take#1.bvh", "take#1.bvh", None),
        ("walk.glb#2.glb", "walk.glb#2.glb", None),
    ],
)
def test_an_animation_is_named_behind_its_file(text: str, file: str, take: str | None) -> None:
    assert split_take(text) == (Path(file), take)
    assert is_motion_file(text)
    assert not is_motion_file("a man walks #1")


@pytest.mark.parametrize("name", ["take.c3d", "TAKE.TRC"])
def test_markers_are_no_skeleton(name: str) -> None:
    with pytest.raises(FormatError, match=r"markers on the skin.* solve the markers for a skeleton first"):
        read_motion(name)
