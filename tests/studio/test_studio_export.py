"""Files of takes: every format has its button, a name that any disk takes, and rigs of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from motionclip.errors import FormatError, SkeletonError
from motionclip.formats import load_rig
from motionclip.io import writable, write_motion
from motionclip.serving import file_bytes, read_rig
from motionclip.studio.panels.export import file_name, writable_groups
from studio.takes import take


def test_every_format_that_can_be_written_has_its_button(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(suffix for suffixes in writable_groups().values() for suffix in suffixes) == sorted(writable())
    monkeypatch.setattr("motionclip.io.find_spec", lambda name: None)
    left = {suffix for suffixes in writable_groups().values() for suffix in suffixes}
    assert set(writable()) - left == {".mp4", ".usd", ".usda", ".usdc", ".usdz"}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", sorted(writable()))
def test_every_button_has_a_file_behind_it(suffix: str) -> None:
    assert len(file_bytes(take("still", frames=6).motion, suffix)) > 100


@pytest.mark.parametrize(
    ("title", "name"),
    [("A person walks!", "a-person-walks.bvh"), ("../../etc/passwd", "etc-passwd.bvh"), ("走る", "motion.bvh")],
)
def test_names_of_files_are_plain(title: str, name: str) -> None:
    assert file_name(take(title), ".bvh") == name


def test_a_rig_of_ones_own_goes_by_its_files_name(tmp_path: Path) -> None:
    path = tmp_path / "hero.bvh"
    write_motion(take("still").motion, path, load_rig("mixamo"))
    rig = read_rig(path.read_bytes(), "hero.bvh")
    assert rig.name == "hero.bvh"
    assert b"mixamorig:Hips" in file_bytes(take("still").motion, ".bvh", rig)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("hero.fbx", b"anything", FormatError),
        ("hero.glb", b"anything", FormatError),
        ("hero.bvh", b"HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
         b"End Site\n{\nOFFSET 0 1 0\n}\n}\nMOTION\nFrames: 1\nFrame Time: 0.03\n0 0 0\n", SkeletonError),
    ],
)  # fmt: skip
def test_what_is_no_rig_is_refused_by_its_own_name(name: str, content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match=name.replace(".", r"\.")) as caught:
        read_rig(content, name)
    assert "motionclip-" not in str(caught.value)
