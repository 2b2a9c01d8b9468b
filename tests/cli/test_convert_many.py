"""`motionclip convert` with --out: many files and folders at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from motionclip.cli.main import main
from motionclip.cli.processes import in_processes
from motionclip.formats.gltf import read_glb
from motionclip.io import animations, read_motion, write_motion
from motionclip.motion import CANONICAL, Motion


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    """A folder with two motions of one name, one in a folder below, a damaged one, and something else."""
    folder = tmp_path / "takes"
    motion = Motion(torch.eye(3).expand(5, 24, 3, 3), torch.tensor([[0.0, 0.93, 0.0]]).expand(5, 3), 30.0, CANONICAL)
    for name in ("walk.bvh", "walk.npz", "more/run.bvh"):
        write_motion(motion, folder / name)
    (folder / "damaged.bvh").write_text("HIERARCHY\n")
    (folder / "notes.md").write_text("nothing")
    return folder


def test_folders_keep_their_shape_and_refusals_are_told(takes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = takes.with_name("out")
    assert main(["convert", str(takes), "--out", str(out), "--formats", "npz", "csv"]) == 0
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert names == [f"{name}.{kind}" for name in ("more/run", "walk", "walk_2") for kind in ("csv", "npz")]
    assert read_motion(out / "more" / "run.npz").num_frames == 5
    shown = capsys.readouterr().out
    assert "3 of 4 files converted" in shown and "refused: " in shown and "damaged.bvh" in shown


def test_files_and_options_of_the_source(takes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(takes / "walk.bvh"), str(takes / "more" / "run.bvh")]
    assert main(["convert", *files, "--out", str(takes / "out"), "--source-fps", "60", "--unit", "inch"]) == 0
    motion = read_motion(takes / "out" / "run.bvh")
    assert motion.fps == 60
    assert motion.root[0, 1].item() == pytest.approx(0.93 * 2.54, abs=1e-3)


def test_what_is_unusual_is_told_once(takes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motion = read_motion(takes / "walk.bvh")
    skeleton = motion.skeleton
    inches = replace(motion, root=motion.root / 2.54, skeleton=replace(skeleton, offsets=skeleton.offsets / 2.54))
    for name in ("a.bvh", "b.bvh"):
        write_motion(inches, takes / name)
    assert main(["convert", str(takes / "a.bvh"), str(takes / "b.bvh"), "--out", str(takes / "out")]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note")]
    assert len(notes) == 1 and "a.bvh and 1 more" in notes[0] and "inch" in notes[0]


def test_sources_are_not_replaced_and_nothing_is_an_error(takes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (takes / "walk.bvh").read_bytes()
    assert main(["convert", str(takes / "walk.bvh"), "--out", str(takes)]) == 2
    assert main(["convert", str(takes / "damaged.bvh"), "--out", str(takes / "out")]) == 2
    assert main(["convert", str(takes / "more"), "--out", str(takes / "more")]) == 2
    (takes / "empty").mkdir()
    assert main(["convert", str(takes / "empty"), "--out", str(takes / "out")]) == 2
    assert main(["convert", str(takes), str(takes / "walk.bvh"), str(takes / "x.bvh")]) == 2
    (takes / "out" / "more").mkdir(parents=True)
    (takes / "out" / "more" / "run.bvh").symlink_to(takes / "walk.bvh")
    assert main(["convert", str(takes), "--out", str(takes / "out")]) == 2
    assert (takes / "walk.bvh").read_bytes() == before
    errors = capsys.readouterr().err.splitlines()
    for words, error in zip(
        ("be replaced", "none of 1", "be replaced", "no motion file", "--out DIR", "be replaced"), errors, strict=True
    ):
        assert words in error


def test_each_animation_of_a_file_becomes_a_file(takes: Path) -> None:
    pack = takes / "more" / "pack.glb"
    write_motion(read_motion(takes / "walk.npz"), pack)
    glb = read_glb(pack)
    names = ["Walk", "Armature|Hit/2", "Hit", "Hit", "out.bvh"]
    glb.document["animations"] = [glb.document["animations"][0] | {"name": name} for name in names]
    glb.write(pack)
    assert list(animations(pack)) == ["Walk", "Armature|Hit/2", "3", "4", "5"]
    out = takes.with_name("out")
    assert main(["convert", str(takes / "more"), f"{takes / 'walk.npz'}", "--out", str(out)]) == 0
    made = ["pack_Armature_Hit_2", "pack_Hit", "pack_Hit_2", "pack_Walk", "pack_out.bvh", "run", "walk"]
    assert sorted(path.name for path in out.iterdir()) == [f"{name}.bvh" for name in made]
    assert all(read_motion(path).num_frames == 5 for path in out.iterdir())


@pytest.mark.slow
def test_several_processes_keep_the_order() -> None:
    assert list(in_processes(abs, [-3, 2, -1], enough=1)) == [3, 2, 1]


def test_tables_and_what_a_killed_run_left_are_not_converted(takes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (takes / "captions.csv").write_text("file,text\nwalk.bvh,a person walks\n")
    (takes / ".motionclip-0123456789abcdef.bvh").write_text("HIERARCHY\n")
    assert main(["convert", str(takes), "--out", str(takes / "out"), "--formats", "npz"]) == 0
    assert "3 of 4 files converted" in capsys.readouterr().out
