"""`recognize`, `search` and `caption` end to end: tables, pictures and JSON, from BVH and AMASS files."""

import json
from pathlib import Path

import pytest
from PIL import Image

import motionclip
from motionclip.cli.main import main


@pytest.fixture(scope="module")
def takes(base_model: motionclip.MotionCLIP, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a walk as BVH and a wave as AMASS, as the shipped model makes them."""
    folder = tmp_path_factory.mktemp("takes")
    walk, wave = motionclip.text_to_motion(base_model, ["a person walks", "wave with both hands"], seconds=4)
    motionclip.write_motion(walk, folder / "walk.bvh")
    motionclip.write_motion(wave, folder / "wave.amass.npz")
    return folder


def test_recognize(takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, picture, answers = tmp_path / "labels.txt", tmp_path / "timeline.png", tmp_path / "answers.json"
    labels.write_text("walking\nwaving both hands\nrunning\n")
    files = [str(takes / "walk.bvh"), str(takes / "wave.amass.npz")]
    options = ["--labels", str(labels), "--top", "2", "--out", str(picture), "--json", str(answers)]
    assert main(["recognize", *files, *options]) == 0
    found = json.loads(answers.read_text())["files"]
    assert [file["file"] for file in found] == files
    assert [file["guesses"][0]["label"] for file in found] == ["walking", "waving both hands"]
    assert all(len(file["guesses"]) == 2 and file["timeline"][0]["start"] == 0 for file in found)
    with Image.open(picture) as image:
        assert len(image.convert("L").getcolors()) > 50
    assert "waving both hands" in capsys.readouterr().out


def test_search(takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (takes / "broken.bvh").write_text("HIERARCHY")
    picture, answers = tmp_path / "hits.png", tmp_path / "hits.json"
    options = ["--library", str(takes), "--json", str(answers), "--out", str(picture)]
    assert main(["search", "a person waves both hands", *options]) == 0
    assert json.loads(answers.read_text())["hits"][0]["file"] == "wave.amass.npz"
    assert picture.is_file() and "broken.bvh" in capsys.readouterr().out
    assert main(["search", str(takes / "walk.bvh"), "a person walks", *options]) == 0
    assert json.loads(answers.read_text())["hits"][0]["file"] == "walk.bvh"


def test_search_without_a_match(takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, empty = tmp_path / "hits.png", tmp_path / "empty"
    empty.mkdir()
    for options in (["--library", str(takes), "--least", "0.99"], ["--library", str(empty)]):
        assert main(["search", "a person walks", *options, "--out", str(picture)]) == 0
        assert "nothing found" in capsys.readouterr().out and not picture.exists()


def test_caption(takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentences, answers = tmp_path / "sentences.txt", tmp_path / "captions.json"
    sentences.write_text("someone walks\nsomeone waves\n")
    picture = tmp_path / "captions.png"
    options = ["--sentences", str(sentences), "--json", str(answers), "--out", str(picture)]
    assert main(["caption", str(takes / "walk.bvh"), str(takes / "wave.amass.npz"), *options]) == 0
    stretches = [file["stretches"][0] for file in json.loads(answers.read_text())]
    assert [stretch["nearest"][0]["text"] for stretch in stretches] == ["someone walks", "someone waves"]
    assert "someone waves" in capsys.readouterr().out and picture.stat().st_size > 1000
