"""What an animator asks beside the words, over HTTP: it is done as in Python, limited, and described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import motionclip
from motionclip.applications.text_to_motion import DRAFTS
from motionclip.model.pipeline import MotionCLIP

ARC = [[0, 0], [0.3, 1], [0, 2]]


def post(client: TestClient, route: str, body: dict[str, Any], **files: Path) -> Any:
    sent = {name: (path.name, path.read_bytes()) for name, path in files.items()}
    if sent:
        return client.post(f"/{route}", data={"request": json.dumps(body)}, files=sent)
    return client.post(f"/{route}", json=body)


def test_a_long_sentence_is_done_part_by_part(client: TestClient, model: MotionCLIP) -> None:
    answer = post(client, "generate", {"text": "a person walks, then waves", "seconds": 7})
    assert answer.status_code == 200 and json.loads(answer.headers["familiarity"])["known"]
    made = motionclip.long_motion(model, "a person walks, then waves", seconds=7)
    found = answer.json()["positions"]
    assert len(found) == made.num_frames == 210
    assert found[-1][0] == pytest.approx(made.positions[-1, 0].tolist(), abs=2e-3)


def test_takes_are_ranked_and_described(client: TestClient) -> None:
    answer = post(client, "candidates", {"text": "a person waves", "count": 4, "keep": 2, "seconds": 1})
    takes = json.loads(answer.headers["takes"])
    assert len(takes) == len(answer.json()["motions"]) == 2
    assert takes[0]["agreement"] >= takes[1]["agreement"] - 0.5 and {take["seed"] for take in takes} <= set(
        range(4 * DRAFTS)
    )
    alone = post(client, "candidates", {"text": "a person waves", "count": 1, "keep": 1, "seconds": 1})
    assert alone.json()["motions"][0]["positions"] != answer.json()["motions"][1]["positions"]


def test_a_path_a_pose_and_a_pin(client: TestClient, walk: Path) -> None:
    body = {
        "source": "a person walks",
        "seconds": 2,
        "path": ARC,
        "poses": [{"file": "take", "at": 1, "seconds": 0}],
        "pins": [{"joint": "right_hand", "place": [None, 1.3, None], "start": 1}],
    }
    answer = post(client, "direct", body, take=walk)
    errors = json.loads(answer.headers["errors"])
    assert len(errors) == 3 and max(errors) < 0.06
    found = answer.json()
    assert found["positions"][30][found["joints"].index("right_hand")][1] == pytest.approx(1.3, abs=0.01)
    assert found["positions"][-1][0][2] == pytest.approx(2, abs=0.1)


def test_a_story_with_pins_and_tracks(client: TestClient) -> None:
    shelf = {"joint": "right_hand", "place": [-0.2, 1.45, 0.4], "start": 0.8}
    body: dict[str, Any] = {
        "shots": [{"source": "a person stands", "seconds": 1.5}, {"source": "a person stands", "seconds": 1.5}]
    }
    plain = post(client, "storyboard", body).json()["positions"]
    body["shots"][0]["pins"] = [shelf]
    body["tracks"] = [{"part": "left_arm", "source": "a person raises the left hand", "start": 1.5, "end": 3}]
    directed = post(client, "storyboard", body).json()
    hand, other = (directed["joints"].index(f"{side}_hand") for side in ("right", "left"))
    assert directed["positions"][24][hand][1] == pytest.approx(1.45, abs=0.02)
    assert abs(directed["positions"][68][other][1] - plain[68][other][1]) > 0.1


def test_a_loop_says_how_it_goes_on(client: TestClient, walk: Path) -> None:
    answer = post(client, "loop", {"source": {"file": "file"}, "cycles": 2, "in_place": True}, file=walk)
    about, found = json.loads(answer.headers["loop"]), answer.json()["positions"]
    assert len(found) == 2 * round(30 * about["seconds"]) and about["displacement"][1] > 0.3
    assert [frame[0][0::2] for frame in found] == [found[0][0][0::2]] * len(found)


def test_a_motion_in_another_time(client: TestClient, walk: Path) -> None:
    body = {"crop": [0.5, 1.5], "reverse": True, "speed": [[0, 0.5]], "hold": [[1, 1]], "then": [{"file": "next"}]}
    answer = post(client, "retime", body, file=walk, next=walk)
    expected = motionclip.retime(
        motionclip.read_motion(walk),
        span=(0.5, 1.5),
        backwards=True,
        speed=[(0, 0.5)],
        holds=[(1, 1)],
        then=[motionclip.read_motion(walk)],
    )
    assert len(answer.json()["positions"]) == expected.num_frames


@pytest.mark.parametrize(
    ("route", "body", "words"),
    [
        ("generate", {"text": "a person walks", "seconds": 121}, "less than or equal to 120"),
        ("candidates", {"text": "a person walks", "keep": 9}, "the best 9 of 8"),
        ("candidates", {"text": "a person walks", "count": 33}, "less than or equal to 32"),
        ("direct", {"source": "a person walks"}, "expected one or more"),
        ("direct", {"source": "a person walks", "path": [[0, 0], [0, 90]]}, "travels at most"),
        ("direct", {"source": "a person walks", "path": [[0, 0]]}, "at least 2"),
        ("direct", {"source": "a person walks", "pins": [{"joint": "tail", "start": 1}]}, "'tail'"),
        ("direct", {"source": "a person walks", "poses": [{"file": "a", "seconds": 1}]}, "no part 'a'"),
        ("storyboard", {"shots": [{"source": "a person walks", "seconds": 100}] * 2}, "at most 120"),
        ("storyboard", {"shots": [{"source": "a person stands"}], "tracks": [{"part": "tail"}]}, "tracks.0.part"),
        ("loop", {"source": "a person walks", "cycles": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_asked(client: TestClient, route: str, body: dict[str, Any], words: str) -> None:
    answer = post(client, route, body)
    assert answer.status_code == 422 and words in answer.json()["error"]["message"]


def test_the_document_describes_what_may_be_asked(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for route, body in (("direct", "DirectRequest"), ("storyboard", "StoryboardRequest"), ("retime", "RetimeRequest")):
        form = document["paths"][f"/{route}"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["properties"]["request"]["$ref"].endswith(f"/{body}") and body in schemas
    assert schemas["PinPart"]["properties"]["joint"]["enum"][0] == "pelvis"
    assert document["paths"]["/candidates"]["post"]["responses"]["200"]["content"]["application/zip"]
