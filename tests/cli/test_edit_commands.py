"""`motionclip interpolate`, `storyboard` and `edit`: what they write, and the lists that they read."""

import json
from pathlib import Path

import pytest

from motionclip.cli.edit import read_edits
from motionclip.cli.main import main
from motionclip.cli.storyboard import read_shots
from motionclip.errors import FormatError
from motionclip.io import read_motion
from motionclip.motion import Motion


@pytest.mark.slow
@pytest.mark.parametrize("name", ["walk.bvh", "walk.amass.npz", "short.bvh", "handless.bvh"])
def test_every_command_takes_a_file_or_words(files: Path, tiny_run: Path, here: Path, name: str) -> None:
    take, model = str(files / name), ["--model", str(tiny_run)]
    frames = 10 if name == "short.bvh" else 60
    assert main(["interpolate", take, "a person waves", "--steps", "2", *model]) == 0
    assert sorted(path.name for path in (here / "steps").iterdir()) == ["step_1.bvh", "step_2.bvh", "steps.png"]
    assert read_motion("steps/step_2.bvh").num_frames == frames
    assert main(["edit", take, "--minus", "a person walks", "--plus", take, "--out", "edit.npz", *model]) == 0
    assert read_motion("edit.npz").num_frames == frames
    assert main(["edit", "--upper", "a person waves", "--lower", take, "--out", "both.bvh", *model]) == 0
    assert main(["storyboard", "a person walks:1", take, *model]) == 0
    assert read_motion("film.bvh").num_frames == 30 + frames - min(24, frames // 2 // 2 * 2) // 2


def test_a_storyboard_of_a_list_with_a_picture(files: Path, tiny_run: Path, here: Path) -> None:
    (files / "list.txt").write_text("# two shots\na person walks: 5\n\nlong.bvh:2\n")
    command = ["storyboard", str(files / "list.txt"), "a person waves", "--out", "all.glb", "--picture", "all.png"]
    assert main([*command, "--model", str(tiny_run)]) == 0
    assert Path("all.glb").is_file() and Path("all.png").is_file()


def test_what_stands_behind_the_last_colon_is_the_length(files: Path) -> None:
    listed = files / "list.json"
    listed.write_text(json.dumps(["one: two:3", {"what": "run: now"}, {"what": "short.bvh", "seconds": 0.2}]))
    shots = read_shots(["a person walks:4.5", "at 12:", "say: hello", str(files / "walk.bvh") + ":0.5", str(listed)])
    told = [(shot.source if isinstance(shot.source, str) else shot.source.num_frames, shot.seconds) for shot in shots]
    assert told == [
        ("a person walks", 4.5),
        ("at 12:", None),
        ("say: hello", None),
        (60, 0.5),
        ("one: two", 3.0),
        ("run: now", None),
        (10, 0.2),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1]", "shot 1"),
        ('["walk", {"what": "run", "second": 3}]', "shot 2"),
        ('[{"what": "run", "seconds": "3"}]', "shot 1"),
        ("{}", "Expected `array`"),
        ("[", "truncated"),
        ("", "empty"),
    ],
)
def test_lists_that_cannot_be_read(here: Path, text: str, says: str) -> None:
    Path("list.json").write_text(text)
    with pytest.raises(FormatError, match=says):
        read_shots(["list.json"])


def test_a_batch_in_the_layout_of_the_paper(files: Path, tiny_run: Path, here: Path) -> None:
    rows = ["motion_source,base,v_start,v_end", "data,walk.bvh,Standing,bow", '"text",Jump,"Walk, slowly",Walk old', ""]
    (files / "edits.csv").write_text("\r\n".join(rows))
    assert main(["edit", "--batch", str(files / "edits.csv"), "--seconds", "1", "--model", str(tiny_run)]) == 0
    assert sorted(path.name for path in (here / "edits").iterdir()) == ["1.bvh", "2.bvh", "edits.png"]
    first, second = read_edits(files / "edits.csv")
    assert isinstance(first.base, Motion) and first.minus == "Standing"
    assert (second.base, second.minus, second.plus) == ("Jump", "Walk, slowly", "Walk old")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("base,v_start,v_end\n", "header"),
        ("motion_source,base,v_start,v_end\n", "no row"),
        ("motion_source,base,v_start,v_end\ntext,a,b\n", "line 2"),
        ("motion_source,base,v_start,v_end\ntext,a,b,c\ntext,a,,c\n", "line 3"),
        ("motion_source,base,v_start,v_end\nvideo,a,b,c\n", "video"),
        ("motion_source,base,v_start,v_end\ndata,nowhere.bvh,b,c\n", "nowhere.bvh"),
        ("", "empty"),
        (f"motion_source,base,v_start,v_end\ntext,{'a' * 131_073},b,c", "field larger than field limit"),
        ("a" * 131_073, "field larger than field limit"),
    ],
)
def test_batches_that_cannot_be_read(here: Path, text: str, says: str) -> None:
    Path("edits.csv").write_text(text)
    with pytest.raises(FormatError, match=says):
        read_edits(Path("edits.csv"))
