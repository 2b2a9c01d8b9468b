"""Labels of motions: confidence, timelines, "none of these", and sets of labels."""

import itertools
from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.applications.recognize import NONE, LabelSet, embed_labels, label_set, labels_of, recognize
from motionclip.errors import DataError, ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

WALK, WAVE = "a person walks", "a person waves both hands"


@pytest.fixture(scope="module")
def model(base_model: MotionCLIP) -> MotionCLIP:
    return base_model


@pytest.fixture(scope="module")
def motions(model: MotionCLIP) -> list[Motion]:
    """A walk and a wave, as the shipped model makes them."""
    return motionclip.text_to_motion(model, [WALK, WAVE], seconds=4)


@pytest.fixture(scope="module")
def words() -> LabelSet:
    return labels_of(["walking", "waving both hands", "running", "raising the right hand"])


def joined(first: Motion, second: Motion) -> Motion:
    move = (first.root[-1] - second.root[0]) * torch.tensor([1.0, 0.0, 1.0])
    rotations = torch.cat([first.rotations, second.rotations])
    return Motion(rotations, torch.cat([first.root, second.root + move]), first.fps, first.skeleton)


def test_the_right_label_comes_first(model: MotionCLIP, motions: list[Motion], words: LabelSet) -> None:
    found = recognize(model, motions, words)
    assert [answer.label for answer in found] == ["walking", "waving both hands"]


def test_confidence_is_shared_among_all_answers(model: MotionCLIP, motions: list[Motion], words: LabelSet) -> None:
    (found,) = recognize(model, motions[:1], words, top=100)
    confidences = [guess.confidence for guess in found.guesses]
    assert {guess.label for guess in found.guesses} == {*words.names, NONE}
    assert confidences == sorted(confidences, reverse=True) and sum(confidences) == pytest.approx(1, abs=1e-5)
    assert len(recognize(model, motions[:1], words, top=2)[0].guesses) == 2


def test_confidence_is_the_soft_max_over_cosines(model: MotionCLIP, motions: list[Motion], words: LabelSet) -> None:
    short = motions[0].frames(0, 60)
    (found,) = recognize(model, [short], words, top=5, none_below=0.3, temperature=0.1)
    cosines = torch.cat([model.embed_motions([short])[0] @ embed_labels(model, words).T, torch.tensor([0.3])])
    expected = dict(zip((*words.names, NONE), (cosines / 0.1).softmax(dim=0).tolist(), strict=True))
    assert {guess.label: guess.confidence for guess in found.guesses} == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_none_of_these_is_answered_below_the_threshold(model: MotionCLIP, motions: list[Motion]) -> None:
    labels, wave = label_set("bandai"), motions[1:]
    assert recognize(model, wave, labels)[0].label == WAVE
    without = labels.without([name for name in labels.names if "wave" in name])
    assert recognize(model, wave, without)[0].label == NONE
    assert recognize(model, wave, without, none_below=-1.0)[0].label != NONE
    assert recognize(model, wave, labels, none_below=1.1)[0].label == NONE


def test_a_timeline_has_no_gaps_and_shows_what_follows_what(
    model: MotionCLIP, motions: list[Motion], words: LabelSet
) -> None:
    long = joined(*motions)
    (found,) = recognize(model, [long], words, none_below=-1.0)
    runs = found.timeline
    assert runs[0].start == 0 and runs[-1].end == long.duration == found.seconds
    assert all(before.end == after.start and before.label != after.label for before, after in itertools.pairwise(runs))
    at = {second: next(run.label for run in runs if run.start <= second < run.end) for second in (2, 6)}
    assert at == {2: "walking", 6: "waving both hands"}


def test_very_short_and_very_long_motions(model: MotionCLIP, motions: list[Motion], words: LabelSet) -> None:
    pose, minutes = motions[0].frames(0, 1), motions[1]
    for _ in range(5):  # 128 seconds
        minutes = joined(minutes, minutes)
    brief, long = recognize(model, [pose, minutes], words)
    assert [(run.start, run.end) for run in brief.timeline] == [(0.0, pose.duration)]
    assert long.seconds == pytest.approx(128) and long.label == "waving both hands"


@pytest.mark.parametrize("options", [{"top": 0}, {"temperature": 0.0}, {"temperature": float("nan")}, {"window": 9.0}])
def test_options_that_cannot_be_used(
    model: MotionCLIP, motions: list[Motion], words: LabelSet, options: dict[str, float]
) -> None:
    with pytest.raises(ModelError):
        recognize(model, motions, words, **options)


def test_named_sets() -> None:
    assert [len(label_set(name).names) for name in ("babel60", "babel120", "bandai")] == [60, 120, 70]
    assert all(said for said in label_set("babel120").sentences)


def test_labels_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("\ufeffwalk  slowly\n\n  jump \n", encoding="utf-8")
    labels = label_set(file)
    assert labels.names == ("walk slowly", "jump")
    assert "a person is jump" in labels.sentences[1]


@pytest.mark.parametrize("content", ["", "\n \n", "walk\nwalk\n"])
def test_files_without_usable_labels(tmp_path: Path, content: str) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(content)
    with pytest.raises(DataError):
        label_set(file)


def test_unknown_sets_and_templates_without_a_place() -> None:
    with pytest.raises(DataError, match="babel60, babel120 and bandai"):
        label_set("babel80")
    with pytest.raises(DataError, match="label"):
        labels_of(["walk"], templates=["a person walks"])


def test_a_label_is_the_mean_of_its_sentences(model: MotionCLIP) -> None:
    labels = LabelSet(("one", "two"), (("walk",), ("walk", "run")), 0.0)
    one, two = embed_labels(model, labels)
    walk, run = model.embed_words(["walk", "run"])
    torch.testing.assert_close(one, walk)
    torch.testing.assert_close(two, torch.nn.functional.normalize(walk + run, dim=0))
