"""The map and the neighbours, of a page and of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import motionclip
from motionclip.applications.search.library import index_library
from motionclip.body import default_body
from motionclip.model.pipeline import MotionCLIP
from motionclip.studio.library import LibraryCollection, TakeCollection, plane_positions
from motionclip.studio.takes import Take, TakeHistory, poses_of

WORDS = ("a person walks", "a person walks like an old man", "wave with both hands")


@pytest.fixture(scope="module")
def history(model: MotionCLIP) -> TakeHistory:
    history = TakeHistory()
    for words, motion in zip(WORDS, motionclip.text_to_motion(model, WORDS), strict=True):
        history.add(Take(words, motion, poses_of(default_body().fitted(motion))))
    return history


@pytest.fixture(scope="module")
def folder(history: TakeHistory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for number, take in enumerate(history.takes):
        motionclip.write_motion(take.motion, folder / f"{number}.bvh")
    return folder


def test_neighbours_in_a_page_leave_out_the_motion_itself(model: MotionCLIP, history: TakeHistory) -> None:
    collection = TakeCollection(model, history)
    found = collection.neighbours(history.takes[0].motion, 5)
    assert [one.point.title for one in found] == [WORDS[1], WORDS[2]] and found[0].cosine > found[1].cosine
    assert found[0].point.open() is history.takes[1].motion
    assert collection.neighbours("someone waves", 1)[0].point.title == WORDS[2]


def test_an_empty_session_has_an_empty_map_and_no_neighbours(model: MotionCLIP) -> None:
    collection = TakeCollection(model, TakeHistory())
    assert collection.map().points == () and collection.map().positions.shape == (0, 2)
    assert collection.neighbours("a person walks", 3) == []


def test_a_library_is_mapped_and_searched(
    model: MotionCLIP, history: TakeHistory, folder: Path, tmp_path: Path
) -> None:
    collection = LibraryCollection(model, index_library(model, folder, folder=tmp_path))
    drawn = collection.map()
    names = [point.title[:1] for point in drawn.points]
    labels = {names[index]: label for label, members in drawn.groups(3) for index in members}
    assert {labels["0"], labels["1"]} <= {"walk", "forward movement"} and labels["2"] == "wave"
    assert sum(len(members) for _, members in drawn.groups(3)) == 3
    assert [len(members) for _, members in drawn.groups(1)] == [max(len(of) for _, of in drawn.groups(3))]
    assert sorted(point.title[:5] for point in drawn.points) == ["0.bvh", "1.bvh", "2.bvh"]
    walk, old, wave = (drawn.positions[names.index(n)] for n in "012")
    assert np.linalg.norm(walk - old) < np.linalg.norm(walk - wave)
    first = collection.neighbours(history.takes[2].motion, 1)[0]
    assert first.point.title.startswith("2.bvh") and first.point.open().num_frames == history.takes[2].motion.num_frames


def test_the_plane_keeps_the_distances_of_what_lies_in_one() -> None:
    places = torch.tensor([[0.0, 0.0], [0.2, 0.0], [0.0, 0.1], [0.3, 0.2]])
    latents = torch.cat([places, torch.ones(4, 6)], dim=1)
    flat = torch.from_numpy(plane_positions(latents))
    assert flat.abs().max() == 1.0
    assert torch.allclose(
        torch.pdist(flat) / torch.pdist(flat)[0], torch.pdist(places) / torch.pdist(places)[0], atol=1e-4
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_latents_or_equal_ones_have_places_too(count: int) -> None:
    assert plane_positions(torch.nn.functional.normalize(torch.rand(count, 8), dim=1)).shape == (count, 2)
    assert np.array_equal(plane_positions(torch.ones(count, 8)), np.zeros((count, 2)))
