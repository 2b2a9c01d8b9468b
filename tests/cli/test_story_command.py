"""Stories in YAML: what they say is done, and what is no story is refused."""

import json
from pathlib import Path

import pytest

from motionclip.applications.tracks import PARTS
from motionclip.cli.main import main
from motionclip.cli.story import _ASKED, _SHOT, _STORY, _TRACK, read_story
from motionclip.errors import FormatError
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
    assert tuple(schema) == _STORY
    assert all(schema[name] == {"$ref": f"#/properties/shots/items/properties/{name}"} for name in _ASKED)
    assert tuple(schema["shots"]["items"]["properties"]) == _SHOT
    assert tuple(schema["tracks"]["items"]["properties"]) == _TRACK
    assert tuple(schema["tracks"]["items"]["properties"]["part"]["enum"]) == tuple(PARTS)


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
    ],
)
def test_what_is_no_story(here: Path, text: str) -> None:
    Path("story.yaml").write_text(text)
    with pytest.raises(FormatError, match="story"):
        read_story(Path("story.yaml"))
