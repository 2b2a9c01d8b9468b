"""The nearest sentences of motions."""

import pytest

import motionclip
from motionclip.applications.caption import caption, own_sentences
from motionclip.errors import DataError, ModelError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion


@pytest.fixture(scope="module")
def model(base_model: MotionCLIP) -> MotionCLIP:
    return base_model


@pytest.fixture(scope="module")
def walk(model: MotionCLIP) -> Motion:
    return motionclip.text_to_motion(model, "a person walks like an elderly person", seconds=6)


def test_the_nearest_of_the_package_s_own_sentences(model: MotionCLIP, walk: Motion) -> None:
    (stretches,) = caption(model, [walk.frames(0, 120)])
    assert len(stretches) == 1 and (stretches[0].start, stretches[0].end) == (0, pytest.approx(4))
    nearest = stretches[0].nearest
    assert nearest[0].text == "a person walks like an elderly person"
    assert [sentence.cosine for sentence in nearest] == sorted((s.cosine for s in nearest), reverse=True)
    assert len({sentence.text for sentence in nearest}) == 5


def test_sentences_of_one_s_own_and_long_motions(model: MotionCLIP, walk: Motion) -> None:
    texts = ["someone runs", "an old man walks", "someone runs", "someone waves"]
    (stretches,) = caption(model, [walk], texts, top=10)
    assert [(s.start, s.end) for s in stretches] == [(0, 4), (2, 6)]
    for stretch in stretches:
        assert stretch.nearest[0].text == "an old man walks" and len(stretch.nearest) == 3


def test_own_sentences_are_distinct() -> None:
    texts = own_sentences()
    assert len(set(texts)) == len(texts) > 150
    assert {"a person walks", "jump rope"} <= set(texts)


def test_what_cannot_be_captioned(model: MotionCLIP, walk: Motion) -> None:
    with pytest.raises(DataError, match="no sentences"):
        caption(model, [walk], [])
    with pytest.raises(ModelError, match="at least 1"):
        caption(model, [walk], top=0)
