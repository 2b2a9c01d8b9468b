"""What a command cannot do is one line on stderr, with status 2, and leaves no file."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from motionclip.cli.main import main

WITHOUT_MODEL = ("convert", "info", "render", "train", "prepare")
REFUSALS = {
    "generate walk run --out one.bvh": "one sentence in quotes, or a folder",
    "generate walk --out walk.fbx": "Blender turns a .glb into FBX",
    "generate walk --out walk.docx": ".docx",
    "generate --out walk.bvh": "no text",
    "generate walk --out walk.bvh --formats sheet": "folder",
    "generate walk --model nowhere": "nowhere",
    "generate walk --rig unity --out walk.mp4": ".mp4 cannot hold the rig unity",
    "evaluate --data nowhere": "nowhere",
    "evaluate --data nowhere --plot figures.gif": ".png",
    "train --data nowhere --out run": "nowhere",
    "train --data one --data another --out run": "--data was given twice",
    "edit walk": "expected BASE with",
    "edit --plus run": "expected BASE with",
    "edit walk --style old --plus run": "expected BASE with",
    "edit --upper wave": "expected BASE with",
    "edit walk --upper wave --lower walk": "expected BASE with",
    "edit --upper wave --lower walk --strength 2": "--strength",
    "edit --batch edits.csv --out one.bvh": "folder",
    "edit --batch none.csv": "none.csv",
    "edit walk --plus run --out x.fbx": ".fbx",
    "edit none.bvh --plus run": "none.bvh",
    "edit {files}/long.bvh --plus run": "crop",
    "interpolate walk {files}/long.bvh": "crop",
    "interpolate walk run --steps 1": "at least 2",
    "interpolate walk run --formats fbx": ".fbx",
    "storyboard": "without a shot",
    "storyboard walk:0": "positive",
    "storyboard walk run --overlap 9": "overlap",
    "storyboard none.txt": "none.txt",
    "storyboard walk --picture walk.bvh": ".png",
    "complete {files}/walk.bvh": "--gaps START:STOP",
    "complete {files}/walk.bvh --gaps 1:1.5 --extend 1": "--gaps START:STOP",
    "complete {files}/walk.bvh --gaps 1:1.5 --before": "--gaps START:STOP",
    "complete {files}/walk.bvh --gaps 1": "two numbers",
    "complete {files}/walk.bvh --gaps 1:2:3": "two numbers",
    "complete {files}/walk.bvh --gaps 1.5:1": "inside",
    "complete {files}/walk.bvh --gaps 1:nan": "inside",
    "complete {files}/walk.bvh --extend 9": "at most",
    "complete {files}/walk.bvh --extend 0": "a frame or more",
    "complete {files}/walk.bvh --gaps 1:1.5 --out x.fbx": ".fbx",
    "recognize": "no file",
    "recognize nowhere.bvh": "nowhere.bvh",
    "recognize 'a person walks'": "cannot be read",
    "recognize nowhere.bvh --out timeline.bvh": ".png",
    "recognize nowhere.bvh --labels babel61": "babel60",
    "search --library .": "nothing to search",
    "search 'a person walks' --library nowhere": "not a folder",
    "search nowhere.bvh --library .": "nowhere.bvh",
    "search 'a person walks' --library . --out hits.gif": ".png",
    "caption": "no file",
    "caption nowhere.bvh --out captions.txt": ".png",
    "caption nowhere.bvh --sentences nowhere.txt": "nowhere.txt",
    "info nowhere.bvh": "nowhere.bvh",
    "generate walk.bvh": "names a file",
    "generate clips/walk": "names a file",
    "generate nowhere.txt": "nowhere.txt",
    "generate walk --seed 18446744073709551616": "2^64 - 1",
    "generate walk --seed -1": "seed -1",
    "storyboard walk:1 run:1 --seed 18446744073709551616": "2^64 - 1",
    "complete {files}/walk.bvh --gaps 1:1.5 --seed 18446744073709551616": "2^64 - 1",
    "edit walk.fbm/take --plus run": "no such file",
    "edit walk.mp4 --plus run": "no such file",
    "edit walk --plus moves/run": "no such file",
    "search clips/walk --library .": "no such file",
    "convert {files}/walk.bvh x.npz --fps 1000000000": "0.01 to 100,000 frames",
    "convert {files}/walk.bvh x.npz --up w": "expected x, y, z",
    "convert {files}/walk.bvh x.npz --source-fps 0": "frame rate of 0",
    "convert {files}/walk.bvh x.npz --joints nowhere.json": "nowhere.json",
    "convert {files}/walk.bvh": "--out DIR",
    "generate walk --rig unity --unit cm": "for the file of a rig",
    "info {files}/walk.bvh --asf x.asf": "expected an .amc file",
    "info {files}/walk.bvh --unit ell": "expected m, cm, mm",
    "convert {files}/walk.bvh x.fbx": "'.fbx' cannot be written",
    "convert none.bvh x.npz": "none.bvh",
    "convert {files}/walk.bvh x.npz --start 9": "no frame lies between",
    "convert {files}/walk.bvh x.npz --fps -1": "frame rate of -1",
    "convert {files}/walk.bvh x.bvh --rig maya": "this is no rig; expected one of blender, mixamo",
    "convert {files}/walk.bvh x.bvh --rig none.glb": "none.glb",
    "convert {files}/walk.bvh x.gif --rig unity": ".gif cannot hold the rig unity",
    "render": "no file",
    "render {files}/walk.bvh --out a.avi": ".avi",
    "render {files}/walk.bvh --out a.bvh": "expected .mp4, .gif or .webp",
    "render none.bvh --out a.gif": "none.bvh",
    "render {files}/damaged.bvh --out a.gif": "damaged.bvh",
    "render {files}/walk.bvh --out a.gif --strobe 3": "--strobe was given; expected a .png",
    "render {files}/walk.bvh --out a.png --fps 3": "--fps was given",
    "render {files}/walk.bvh --out a.png --strobe 0": "0 moments",
    "render {files}/walk.bvh {files}/short.bvh --out a.png --view single": "moments of 2 files",
    "render {files}/walk.bvh --out a.gif --fps 60": "at most 50",
    "render {files}/walk.bvh --out a.gif --width 3": "3 x 512 pixels",
    "render {files}/walk.bvh --out a.webp --width 4096 --height 4096 --fps 240": "at most 11",
    "render {files}/walk.bvh --out a.gif --titles a b": "2 titles for 1 motions",
    "studio --library nowhere": "not a folder",
}


@pytest.mark.parametrize("command", REFUSALS)
def test_what_cannot_be_done_is_one_line_and_no_file(
    command: str, files: Path, tiny_run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(command.format(files=files))
    if words[0] not in WITHOUT_MODEL and "--model" not in words:
        words += ["--model", str(tiny_run)]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("motionclip: ") and error.count("\n") == 1
    assert REFUSALS[command] in error
    assert not list(here.iterdir())
