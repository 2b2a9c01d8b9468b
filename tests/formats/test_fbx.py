"""FBX files without Blender: what is said where one cannot be read. Whole files are in test_reading_in_blender.py."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from motionclip.errors import FormatError
from motionclip.formats import fbx
from motionclip.io import read_motion


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "walk.fbx").write_bytes(b"Kaydara FBX Binary  \0")
    monkeypatch.setattr(fbx, "find_spec", lambda name: None)
    with pytest.raises(FormatError, match=r'ufbx, which is not installed; expected pip install "motionclip\[fbx\]"'):
        read_motion(tmp_path / "walk.fbx")


@pytest.mark.skipif(find_spec("ufbx") is None, reason="needs the extra fbx")
@pytest.mark.parametrize("content", [b"Kaydara FBX Binary  \0\x1a\0\xe8\x1c\0\0", b"; FBX 7.4.0\n", b"\xff" * 999])
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "walk.fbx").write_bytes(content)
    with pytest.raises(FormatError, match=r"cannot be read|no animation"):
        read_motion(tmp_path / "walk.fbx")
