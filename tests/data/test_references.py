from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from motionclip.data.references import as_read, load_references, read_references
from motionclip.errors import DataError

COMMON = frozenset(("a", "an", "the", "and", "of", "in", "on", "at", "to", "with", "for", "is", "my", "his", "her"))
LINE = '{"action": "bow", "does": ["a person bends"], "said": ["curtain call", "ojigi"]}'


def bare(phrase: str) -> str:
    """Without case, punctuation and a leading article."""
    return re.sub(r"^(a|an|the) ", "", " ".join(re.findall(r"\w+", phrase.casefold().replace("'", ""))))


@cache
def words(phrase: str) -> frozenset[str]:
    """The words that carry its meaning."""
    return frozenset(bare(phrase).split()) - COMMON


def test_there_is_enough_of_everything() -> None:
    references = load_references()
    assert len(references) >= 200
    assert sum(len(reference.said) for reference in references) >= 4000
    assert all(2 <= len(reference.does) <= 4 and len(reference.said) >= 8 for reference in references)
    assert sum(bool(reference.held_out) for reference in references) >= 150


def test_phrases_are_clean() -> None:
    for reference in load_references():
        for phrase in (reference.action, *reference.also, *reference.does, *reference.said, *reference.held_out):
            assert phrase == " ".join(phrase.split()), f"blanks in {phrase!r}"
            assert bare(phrase), f"no word in {phrase!r}"


def test_a_phrase_stands_for_one_action() -> None:
    references = load_references()
    names = Counter(name for reference in references for name in (reference.action, *reference.also))
    said = Counter(bare(phrase) for reference in references for phrase in (*reference.does, *reference.said))
    assert not [name for name, number in names.items() if number > 1]
    assert not [phrase for phrase, number in said.items() if number > 1]


def test_what_is_held_out_is_said_nowhere() -> None:
    references = load_references()
    known = [
        phrase
        for reference in references
        for phrase in (reference.action, *reference.also, *reference.does, *reference.said)
    ]
    held = [phrase for reference in references for phrase in reference.held_out]
    assert len({bare(phrase) for phrase in held}) == len(held)
    assert {bare(phrase) for phrase in held}.isdisjoint(map(bare, known))
    by_word: dict[str, set[frozenset[str]]] = {}
    for phrase in known:
        for word in words(phrase):
            by_word.setdefault(word, set()).add(words(phrase))
    near = [
        (phrase, sorted(other))
        for phrase in held
        for other in set().union(*(by_word.get(word, set()) for word in words(phrase)))
        if 2 * len(words(phrase) & other) > len(words(phrase) | other)
    ]
    assert not near


def test_an_action_of_one_side_says_which() -> None:
    for reference in load_references():
        sides = {"left", "right"} & words(reference.action)
        assert not sides or any(sides & words(sentence) for sentence in reference.does), reference.action


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(LINE + "\n\n", encoding="utf-8")
    (bow,) = read_references(path)
    assert (bow.action, bow.also, bow.held_out) == ("bow", (), ())
    assert (bow.does, bow.said) == (("a person bends",), ("curtain call", "ojigi"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no line"),
        (LINE + "\nbow\n", "line 2: not a reference"),
        (LINE + "\n" + LINE, "line 2: a second 'bow'"),
        ('{"action": "bow", "does": ["a person bends"]}', "`said`"),
        ('{"action": "bow", "does": [], "said": ["ojigi"]}', "length >= 1 at `.does`"),
        ('{"action": "bow", "does": "a person bends", "said": ["ojigi"]}', "Expected `array`"),
        ('{"action": "bow", "does": ["a person bends"], "said": [" "]}', r"said\[0\]`"),
        ('["bow"]', "not a reference"),
    ],
)
def test_what_is_no_such_file_is_named(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=problem):
        read_references(path)
    with pytest.raises(DataError, match="missing"):
        read_references(tmp_path / "none.jsonl")


@pytest.mark.parametrize("text", ["surrender", "Surrender!", "  surrender  ", "he surrenders", "SURRENDER"])
def test_what_people_say_is_read_as_what_bodies_do(text: str) -> None:
    read = as_read(text)
    assert read == text if text == "he surrenders" else read == "a person raises both hands above the head"


def test_phrases_that_differ_in_marks_alone_are_read_alike() -> None:
    for reference in load_references():
        assert {as_read(phrase) for phrase in reference.said} == {reference.does[0]}
        assert all(as_read(phrase) == phrase for phrase in reference.held_out)
