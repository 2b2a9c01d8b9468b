"""Sentences composed from content and style, and file names."""

import re

import pytest

from motionclip.data.bandai_namco import (
    MAX_SENTENCES,
    bandai_namco_source,
    canonical_sentence,
    canonical_sentences,
    sentences,
    with_article,
)
from motionclip.data.clip import fixed_split
from motionclip.errors import DataError

PAIRS = [(content, style) for dataset in (1, 2) for content, style, _ in canonical_sentences(dataset)]


def test_data_set_2_has_70_distinct_canonical_sentences():
    canonical = canonical_sentences(2)
    assert len(canonical) == len({sentence for _, _, sentence in canonical}) == 70
    assert ("walk", "normal", "a person walks") in canonical


def test_data_set_1_has_156_content_and_style_pairs():
    assert len(canonical_sentences(1)) == 156
    with pytest.raises(DataError, match="expected 1 or 2"):
        canonical_sentences(3)


def test_each_pair_has_many_distinct_sentences_the_canonical_one_first():
    for content, style in PAIRS:
        texts = sentences(content, style)
        assert texts[0] == canonical_sentence(content, style)
        assert 12 <= len(texts) == len(set(texts)) <= MAX_SENTENCES, (content, style)
        for text in texts:
            assert text == text.strip().lower() and "  " not in text
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text), text


def test_left_and_right_are_never_mixed_up():
    for content, style in PAIRS:
        sides = {"left", "right"} & set(content.split("-"))
        for text in sentences(content, style) if sides else ():
            assert {"left", "right"} & set(text.split()) == sides, text


def test_different_contents_and_styles_share_no_sentence():
    owner = {}
    for content, style, _ in canonical_sentences(2):
        for text in sentences(content, style):
            assert owner.setdefault(text, (content, style)) == (content, style)


@pytest.mark.parametrize(
    ("content", "style", "text"),
    [
        ("walk", "elderly", "a person walks like an old man"),
        ("walk", "old", "walk like an old man"),
        ("walk", "exhausted", "an exhausted person walks"),
        ("walk", "normal", "walk"),
        ("run", "normal", "a person runs"),
        ("wave-right-hand", "normal", "wave with the right hand"),
        ("raise-up-both-hands", "normal", "raise both hands"),
        ("raise-up-right-hand", "normal", "raise right hand"),
        ("dance-short", "normal", "dance"),
        ("kick", "normal", "kick"),
    ],
)
def test_free_wordings_are_covered(content, style, text):
    assert text in sentences(content, style)


def test_articles():
    assert with_article("exhausted", "a person") == "an exhausted person"
    assert with_article("tired", "a man") == "a tired man"
    assert with_article("old", "the figure") == "the old figure"


def test_unknown_names_are_named():
    with pytest.raises(DataError, match="content 'fly'"):
        sentences("fly", "normal")
    with pytest.raises(DataError, match="style 'blue'"):
        sentences("walk", "blue")


def test_takes_are_found_by_name_in_order(tmp_path):
    folder = tmp_path / "deep" / "data"
    folder.mkdir(parents=True)
    for name in ("dataset-2_walk-turn-left_normal_002.bvh", "dataset-1_bow_not-confident_001.bvh", "dataset-2.bvh"):
        (folder / name).touch()
    items = bandai_namco_source(tmp_path).items
    assert [item.key for item in items] == ["dataset-1_bow_not-confident_001", "dataset-2_walk-turn-left_normal_002"]
    assert (items[0].number, items[0].content, items[0].style) == (1, "bow", "not-confident")


def test_a_folder_without_takes_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"dataset-2_walk_normal_001\.bvh"):
        bandai_namco_source(tmp_path)


def test_splits_are_fixed():
    assert fixed_split("bandai_namco", "dataset-1_bow_active_001") == "train"
    with pytest.raises(DataError, match="has no split"):
        fixed_split("bandai_namco", "dataset-2_walk_normal_999")
