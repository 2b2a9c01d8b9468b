"""Stories in YAML: what they say is done, and what is no story is refused."""

import json
from pathlib import Path

import pytest

from motionclip.applications.tracks import PARTS
from motionclip.cli.main import main
from motionclip.cli.story import ConstraintEntries, PinEntry, PoseEntry, ShotEntry, StoryEntries, TrackEntry, read_story
from motionclip.errors import FormatError, MotionClipError
from motionclip.io import read_motion
from motionclip.motion import CANONICAL

ROOT = Path(__file__).parents[2]

STORY = """
shots:
  - {what: a person walks, seconds: 2, path: [[0, 0], [0.2, 0.6], [0, 1.2]]}
  - what: a person stands
    seconds: 2
    pins: [{joint: right_hand, place: [-0.2, 1.45, 0.4], start: 1}]
pins:
  - {joint: head, start: 0.5, direction: [1, 0, 1]}
tracks:
  - {part: left_arm, what: a person waves, start: 0.5, end: 1.8}
"""


def test_a_story_is_told(tiny_run: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("story.yaml").write_text(STORY)
    assert main(["storyboard", "story.yaml", "--out", "film.npz", "--model", str(tiny_run)]) == 0
    told = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert told[:3] == ["head at 0.5 s", "path of 1.27 m", "right_hand at 3 s"]
    film = read_motion("film.npz")
    assert film.num_frames == 120
    assert film.positions[90, CANONICAL.index("right_hand"), 1].item() == pytest.approx(1.45, abs=0.02)


def test_the_example_is_a_story_and_the_schema_has_the_same_keys() -> None:
    story = read_story(ROOT / "examples" / "story.yaml")
    assert len(story.shots) == 10 and len(story.tracks) == 1
    schema = json.loads((ROOT / "docs" / "story.schema.json").read_text())["properties"]
    shot, track = (schema[name]["items"]["properties"] for name in ("shots", "tracks"))
    kinds = (StoryEntries, ShotEntry, TrackEntry, PoseEntry, PinEntry)
    listed = (schema, shot, track, shot["poses"]["items"]["properties"], shot["pins"]["items"]["properties"])
    assert [set(kind.__struct_fields__) for kind in kinds] == [set(each) for each in listed]
    asked = ConstraintEntries.__struct_fields__
    assert all(schema[name] == {"$ref": f"#/properties/shots/items/properties/{name}"} for name in asked)
    assert tuple(track["part"]["enum"]) == tuple(PARTS)


@pytest.mark.parametrize(
    "text",
    [
        "- a person walks",
        "shots: a person walks",
        "shots: [{seconds: 3}]",
        "shots: [{what: walk, speed: 3}]",
        "shots: [{what: walk, path: [[0, 0], [one, 1]]}]",
        "shots: [{what: walk, pins: [{joint: head, place: [0, 1, 0]}]}]",
        "shots: [{what: walk}]\ntracks: [{part: head}]",
        "shots: [",
        "shots: []",
        "shots: " + "[" * 5000 + "]" * 5000,
        "shots: [{what: 2001-99-99}]",
        "shots: [{what: walk, seconds: " + "9" * 5000 + "}]",
        "shots: [{what: walk, seconds: 1" + "0" * 400 + "}]",
        "shots: [{what: walk, seconds: .nan}]",
        *(f"shots: [{{what: walk, seconds: !!{kind} x}}]" for kind in ("timestamp", "int", "bool")),
        "shots: [{what: walk, seconds: !!float ''}]",
        "shots: &a [*a]",
        "shots: [&a {what: *a}]",
        "shots: [{what: [walk]}]",
    ],
)
def test_what_is_no_story(here: Path, text: str) -> None:
    Path("story.yaml").write_text(text)
    with pytest.raises(FormatError, match="story"):
        read_story(Path("story.yaml"))


def test_a_story_whose_aliases_stand_for_billions_is_refused_at_once(here: Path) -> None:
    rows = [f"- what: &a{n} [{', '.join([f'*a{n - 1}' if n else 'walk'] * 10)}]" for n in range(12)]
    Path("story.yaml").write_text("\n".join(["shots:", *rows]))
    with pytest.raises(FormatError) as refused:
        read_story(Path("story.yaml"))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("name", ['"a\\0.bvh"', '"a\\ud800.bvh"', "a" * 5000 + ".bvh"])
def test_a_file_that_no_system_could_have_is_missing(here: Path, name: str) -> None:
    Path("story.yaml").write_text(f"shots: [{{what: {name}}}]")
    with pytest.raises(MotionClipError, match=r"\.bvh"):
        read_story(Path("story.yaml"))
