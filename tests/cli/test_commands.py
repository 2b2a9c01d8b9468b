"""The command line end to end on a small model: what it writes."""

import json
from pathlib import Path

import pytest

from motionclip.cli.generate import _distinct
from motionclip.cli.main import main
from motionclip.data.store import Store
from motionclip.io import read_motion


def test_generate_writes_one_file_by_suffix(tiny_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "walk.bvh"
    assert main(["generate", "a person walks", "--out", str(out), "--seconds", "1", "--model", str(tiny_run)]) == 0
    assert read_motion(out).num_frames == 30


def test_generate_writes_a_folder_of_several_formats(tiny_run: Path, tmp_path: Path) -> None:
    words = ["walk", "walk", "wave with the left hand!"]
    options = ["--out", str(tmp_path / "made"), "--seconds", "0.5", "--model", str(tiny_run)]
    assert main(["generate", *words, *options, "--formats", "npz", "glb", "sheet"]) == 0
    names = {"walk", "walk_2", "wave_with_the_left_hand"}
    expected = {f"{name}.{suffix}" for name in names for suffix in ("npz", "glb")} | {"sheet.png"}
    assert {path.name for path in (tmp_path / "made").iterdir()} == expected


def test_prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", "synthetic:10", "--out", "store", "--workers", "1"]) == 0
    assert len(Store.open("store")) == 10
    assert main(["prepare", "synthetic:10", "--out", "store"]) == 2


def test_prepare_with_rendered_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", "synthetic:4", "--out", "store", "--frames", "1", "--workers", "1"]) == 0
    rendered = Store.open("store").rendered_frames
    assert rendered is not None and rendered.count >= 4


@pytest.mark.slow
def test_train_and_evaluate(small_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = ["--data", str(small_store)]
    Path("words.jsonl").write_text('{"captions": ["he walks", "a man goes"]}\n{"captions": ["she hops", "a hop"]}\n')
    small = ["--preset", "tiny", "--paraphrases", "words.jsonl", "--steps", "2"]
    assert main(["train", *data, "--out", "run", *small]) == 0
    assert main(["train", *data, "--out", "run", *small]) == 2
    assert main(["train", *data, "--out", "run", *small, "--resume"]) == 0
    assert main(["evaluate", *data, "--split", "train", "--model", "run", "--json", "figures.json"]) == 0
    figures = json.loads(Path("figures.json").read_text())
    assert figures["model"] == "run" and figures["datasets"][0]["reconstruction"]["mpjpe_mm"] > 0


def test_names_of_files_never_clash() -> None:
    assert _distinct(["walk", "walk", "walk_2", "walk"]) == ["walk", "walk_3", "walk_2", "walk_4"]


def test_generate_keeps_the_best_of_several_takes(
    tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--seconds", "0.5", "--model", str(tiny_run), "--candidates", "3"]
    assert main(["generate", "walk", *options, "--keep", "2", "--out", str(tmp_path / "takes")]) == 0
    assert {path.name for path in (tmp_path / "takes").iterdir()} == {"walk.bvh", "walk_2.bvh"}
    assert capsys.readouterr().out.count("walk: seed") == 2
    assert main(["generate", "walk", *options, "--out", str(tmp_path / "best.bvh")]) == 0
    assert main(["generate", "walk", *options, "--keep", "4", "--out", str(tmp_path / "more")]) == 2


def test_generate_is_of_any_length(tiny_run: Path, tmp_path: Path) -> None:
    options = ["--model", str(tiny_run), "--out", str(tmp_path / "walk.npz")]
    assert main(["generate", "a person walks", "--seconds", "8", *options]) == 0
    assert read_motion(tmp_path / "walk.npz").num_frames == 240
    assert main(["generate", "a person walks", "--seconds", "8", "--keep", "2", *options]) == 2
