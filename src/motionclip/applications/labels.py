"""Sets of labels, each label in several sentences: what recognition chooses from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.data.babel_recognition import babel_actions
from motionclip.data.bandai_namco import canonical_sentences, sentences
from motionclip.errors import DataError
from motionclip.model.pipeline import MotionCLIP

#: Sentences that a bare label is put into; their directions are averaged. A label says what is done and not how, so
#: several ways of doing it are named: that costs 0.3 points of accuracy on ``val``, and tells a little better what fits
#: no label (benchmarks/recognize.py).
TEMPLATES = (
    "{label}",
    "a person is {label}",
    "an exhausted person is {label}",
    "an old person is {label}",
    "a young woman is {label}",
    "a proud person is {label}",
)

#: Cosine below which nothing fits (benchmarks/recognize.py). The sentences of Bandai-Namco say content and style: the
#: threshold keeps 95 % of ``val`` clips. Bare words are for any recordings, and those of another studio come less near
#: to them than what is left out comes on the training data's own: their threshold only refuses what is far from all.
BANDAI_NONE_BELOW = 0.51
WORDS_NONE_BELOW = 0.1

#: Sentences of each label of Bandai-Namco: the canonical one and one of each of the first patterns.
_SENTENCES = 8


@dataclass(frozen=True)
class LabelSet:
    """Labels to choose from.

    Attributes:
        names: how the labels are shown; distinct.
        sentences: for each label the sentences that mean it, at least one.
        none_below: cosine of motion and label below which no label fits.
    """

    names: tuple[str, ...]
    sentences: tuple[tuple[str, ...], ...]
    none_below: float

    def without(self, names: Sequence[str]) -> LabelSet:
        """The set without some of its labels."""
        kept = [number for number, name in enumerate(self.names) if name not in names]
        return LabelSet(
            tuple(self.names[number] for number in kept),
            tuple(self.sentences[number] for number in kept),
            self.none_below,
        )


def label_set(name: str | Path) -> LabelSet:
    """A set by its name, or from a file.

    Args:
        name: ``babel60`` and ``babel120``, the actions of BABEL; ``bandai``, the 70 contents in styles of
            Bandai-Namco's data set 2; or a text file in UTF-8 with one label a line.

    Raises:
        DataError: if there is no such set or file, or the file has no labels or one twice.
    """
    if name in ("babel60", "babel120"):
        return labels_of(babel_actions(int(str(name).removeprefix("babel"))))
    if name == "bandai":
        table = canonical_sentences(2)
        said = tuple(sentences(content, style)[:_SENTENCES] for content, style, _ in table)
        return LabelSet(tuple(sentence for _, _, sentence in table), said, BANDAI_NONE_BELOW)
    return labels_of(read_lines(Path(name), "one label a line, or one of the sets babel60, babel120 and bandai"))


def labels_of(words: Sequence[str], *, templates: Sequence[str] = TEMPLATES) -> LabelSet:
    """Labels from bare words, such as "walking" or "throw".

    Args:
        words: one or more labels.
        templates: sentences with ``{label}`` in them, over which a label is averaged.

    Raises:
        DataError: if there is no label, one is blank or twice there, or a template has no place for it.
    """
    names = tuple(" ".join(word.split()) for word in words)
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or not all(names) or twice:
        what = f"labels twice: {', '.join(twice)}" if twice else "no label, or a blank one"
        raise DataError(f"{what}; expected one or more distinct labels")
    if not templates or not all("{label}" in template for template in templates):
        raise DataError(f"templates {', '.join(templates) or '(none)'}; expected sentences with {{label}} in each")
    said = tuple(tuple(template.replace("{label}", name) for template in templates) for name in names)
    return LabelSet(names, said, WORDS_NONE_BELOW)


def embed_labels(model: MotionCLIP, labels: LabelSet) -> Tensor:
    """Unit directions (L, D) of labels, each the mean of those of its sentences; on the CPU.

    Raises:
        TextError: if a sentence cannot be encoded.
    """
    texts = [text for said in labels.sentences for text in said]
    directions = normalize(model.embed_text(texts).float().cpu(), dim=-1)
    parts = directions.split([len(said) for said in labels.sentences])
    return normalize(torch.stack([part.mean(dim=0) for part in parts]), dim=-1)


def read_lines(path: Path, expected: str) -> list[str]:
    """The lines of a text file that are not blank, without blanks around them.

    Raises:
        DataError: if it cannot be read, or has none.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}); expected a text file in UTF-8 with {expected}") from error
    if not any(lines):
        raise DataError(f"{path} has no words; expected {expected}")
    return [line for line in lines if line]
