"""Bandai-Namco-Research-Motiondataset 1 and 2: ``dataset-N_{content}_{style}_{id}.bvh``, 30 fps.

The set has no sentences; content and style are in the file name. Sentences are composed from the phrases for each
content and style in ``bandai_namco.json``, beside this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from motionclip.data.clip import Caption, Clip, Source, fixed_split
from motionclip.data.text_files import read_text, shipped
from motionclip.errors import DataError
from motionclip.formats.bvh import read_known_bvh

T = TypeVar("T")

FAMILY = "bandai_namco"
FILE_NAME = re.compile(r"dataset-(?P<set>[12])_(?P<content>[a-z-]+)_(?P<style>[a-z-]+)_(?P<take>\d+)\.bvh")

#: Sentences kept of each content and style: enough for variety, few enough to embed all of them once.
MAX_SENTENCES = 40


@dataclass(frozen=True)
class Content:
    """The phrases for something that is done, in three forms.

    Attributes:
        third: what a person does ("walks"); the first is used in the canonical sentence.
        base: the imperative ("walk").
        gerund: the gerund ("walking").
    """

    third: tuple[str, ...]
    base: tuple[str, ...]
    gerund: tuple[str, ...]


@dataclass(frozen=True)
class Style:
    """The phrases for a way of doing something.

    Attributes:
        manners: phrases after the verb ("like an old man"); the first is used in the canonical sentence.
        adjectives: words before the subject ("tired").
        adverbs: words before or after the verb ("wearily").
        subjects: who may do it; those of all styles where empty.
        actors: whole subjects that express the style themselves ("an old man").
    """

    manners: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    adverbs: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Contents of a data set, each of which is recorded in each of the styles."""

    contents: tuple[str, ...]
    styles: tuple[str, ...]


@dataclass(frozen=True)
class Phrases:
    """The content of ``bandai_namco.json``; contents and styles by their names in file names."""

    subjects: tuple[str, ...]
    contents: dict[str, Content]
    styles: dict[str, Style]
    grids: dict[int, tuple[Grid, ...]]


@dataclass(frozen=True)
class BandaiNamcoTake:
    """One file of data set ``number``."""

    path: Path
    number: int
    content: str
    style: str

    @property
    def key(self) -> str:
        return self.path.stem

    def read(self) -> Clip:
        """Returns the take at 30 fps on its own skeleton, metres.

        Raises:
            DataError: if the fixed splits do not name it, or there are no phrases for its content or style.
            FormatError: if it is damaged.
        """
        motion = read_known_bvh(self.path, unit=0.01)
        texts = sentences(self.content, self.style)
        captions = tuple(Caption(text, 0.0, motion.duration) for text in texts)
        dataset = f"{FAMILY}_{self.number}"
        return Clip(self.key, dataset, fixed_split(FAMILY, self.key), motion, captions, self.content, self.style)


def bandai_namco_source(folder: Path) -> Source:
    """Returns all takes below ``folder``, by name.

    Raises:
        DataError: if there is none.
    """
    found = ((path, FILE_NAME.fullmatch(path.name)) for path in folder.rglob("dataset-*.bvh"))
    takes = [BandaiNamcoTake(p, int(m["set"]), m["content"], m["style"]) for p, m in found if m is not None]
    if not takes:
        raise DataError(
            f"no Bandai-Namco take below {folder}; expected files called dataset-N_CONTENT_STYLE_ID.bvh, "
            "for example dataset-2_walk_normal_001.bvh"
        )
    return Source(f"bandai_namco:{folder}", tuple(sorted(takes, key=lambda take: take.key)))


def canonical_sentence(content: str, style: str) -> str:
    """Returns the sentence that stands for a content and a style, for example "a person walks like an old person".

    Raises:
        DataError: if there are no phrases for one of them.
    """
    phrases = _phrases()
    verb = _find("content", content, phrases.contents).third[0]
    manners = _find("style", style, phrases.styles).manners
    return f"a person {verb} {manners[0]}" if manners else f"a person {verb}"


def canonical_sentences(dataset: int = 2) -> tuple[tuple[str, str, str], ...]:
    """Returns (content, style, sentence) for every content and style of data set 1 or 2: 70 for data set 2.

    Raises:
        DataError: if there is no such data set.
    """
    grids = _phrases().grids
    if dataset not in grids:
        raise DataError(f"Bandai-Namco data set {dataset}; expected 1 or 2")
    pairs = [(content, style) for grid in grids[dataset] for content in grid.contents for style in grid.styles]
    return tuple((content, style, canonical_sentence(content, style)) for content, style in pairs)


@cache
def sentences(content: str, style: str) -> tuple[str, ...]:
    """Returns at most ``MAX_SENTENCES`` distinct sentences of a content and a style, the canonical one first.

    Then come one of each pattern, and others in a fixed order that mixes the patterns.

    Raises:
        DataError: if there are no phrases for one of them.
    """
    phrases = _phrases()
    of_content, of_style = _find("content", content, phrases.contents), _find("style", style, phrases.styles)
    patterns = [pattern for pattern in _patterns(of_content, of_style, phrases.subjects) if pattern]
    first = [canonical_sentence(content, style), *(pattern[0] for pattern in patterns)]
    rest = [text for pattern in patterns for text in pattern[1:]]
    rest.sort(key=lambda text: sha256(text.encode()).digest())
    return tuple(dict.fromkeys([*first, *rest]))[:MAX_SENTENCES]


def _patterns(content: Content, style: Style, subjects: tuple[str, ...]) -> list[list[str]]:
    """Returns all sentences by pattern, the plainest of each first."""
    subjects = style.subjects or subjects
    endings = [f" {ending}" for ending in (*style.manners, *style.adverbs)]
    if not endings and not style.adjectives:
        endings = [""]  # a plain style
    patterns = [[f"{who} {verb}{ending}" for verb in content.third for who in subjects] for ending in endings]
    patterns += [[f"{verb}{ending}" for verb in content.base] for ending in endings]
    patterns += [[f"{verb}{ending}" for verb in content.gerund] for ending in endings[:2]]
    patterns += [[f"{who} is {verb}{ending}" for who in subjects for verb in content.gerund] for ending in endings[:2]]
    for adjective in style.adjectives:
        who = [with_article(adjective, subject) for subject in subjects if " " in subject]
        patterns.append([f"{someone} {verb}" for verb in content.third for someone in who])
        patterns.append([f"{someone} is {verb}" for verb in content.gerund for someone in who])
        patterns.append([f"{adjective} {verb}" for verb in content.gerund])
    patterns.append([f"{actor} {verb}" for actor in style.actors for verb in content.third])
    return patterns


def with_article(adjective: str, subject: str) -> str:
    """Returns ``an exhausted person`` for ``exhausted`` and ``a person``; ``the figure`` keeps its article."""
    article, noun = subject.split(" ", 1)
    if article != "the":
        article = "an" if adjective[0] in "aeiou" else "a"
    return f"{article} {adjective} {noun}"


def _find(kind: str, name: str, table: Mapping[str, T]) -> T:
    if name not in table:
        raise DataError(f"no phrases for {kind} {name!r}; expected one of {', '.join(table)}")
    return table[name]


@cache
def _phrases() -> Phrases:
    table = json.loads(read_text(shipped("bandai_namco.json")))

    def tuples(lists: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
        return {name: tuple(phrases) for name, phrases in lists.items()}

    return Phrases(
        subjects=tuple(table["subjects"]),
        contents={name: Content(**tuples(forms)) for name, forms in table["contents"].items()},
        styles={name: Style(**tuples(forms)) for name, forms in table["styles"].items()},
        grids={int(n): tuple(Grid(**tuples(grid)) for grid in grids) for n, grids in table["datasets"].items()},
    )
