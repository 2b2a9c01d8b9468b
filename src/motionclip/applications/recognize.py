"""Action recognition without training on the labels: the nearest of some labels, how sure that is, and when."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.applications.windows import check_top, embed_windows
from motionclip.data.babel import babel_actions
from motionclip.data.bandai_namco import canonical_sentences, sentences
from motionclip.errors import DataError, ModelError
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

#: The answer where no label fits.
NONE = "none of these"

#: Divides cosines; the likelihood of the right label is best with it on ``val`` (benchmarks/recognize.py). The model
#: was trained with 0.05.
TEMPERATURE = 0.025

#: Seconds of a window, and from one window to the next; on ``val`` two seconds give the best timeline of 1 to 4.
WINDOW, HOP = 2.0, 0.5

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
BANDAI_NONE_BELOW = 0.5
WORDS_NONE_BELOW = 0.25

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
        """Returns the set without some of its labels."""
        kept = [number for number, name in enumerate(self.names) if name not in names]
        return LabelSet(
            tuple(self.names[number] for number in kept),
            tuple(self.sentences[number] for number in kept),
            self.none_below,
        )


def label_set(name: str | Path) -> LabelSet:
    """Returns a set of labels by its name, or from a file.

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
        wordings = tuple(sentences(content, style)[:_SENTENCES] for content, style, _ in table)
        return LabelSet(tuple(sentence for _, _, sentence in table), wordings, BANDAI_NONE_BELOW)
    return labels_of(read_lines(Path(name), "one label a line, or one of the sets babel60, babel120 and bandai"))


def labels_of(words: Sequence[str], *, templates: Sequence[str] = TEMPLATES) -> LabelSet:
    """Returns a set of labels from bare words, such as "walking" or "throw".

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
    wordings = tuple(tuple(template.replace("{label}", name) for template in templates) for name in names)
    return LabelSet(names, wordings, WORDS_NONE_BELOW)


def embed_labels(model: MotionCLIP, labels: LabelSet) -> Tensor:
    """Returns the unit directions (L, J) of labels, each the mean of those of its sentences; on the CPU.

    Raises:
        TextError: if a sentence cannot be encoded.
    """
    texts = [text for wordings in labels.sentences for text in wordings]
    parts = model.embed_words(texts).cpu().split([len(wordings) for wordings in labels.sentences])
    return normalize(torch.stack([part.mean(dim=0) for part in parts]), dim=-1)


def read_lines(path: Path, expected: str) -> list[str]:
    """Returns the lines of a text file that are not blank, without blanks around them; errors say what was expected.

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


@dataclass(frozen=True)
class Guess:
    """A label and how sure it is.

    Attributes:
        label: name of the label, or ``NONE``.
        confidence: its probability among all labels and ``NONE``, averaged over the windows.
        cosine: of motion and label, averaged likewise; for ``NONE`` what a label has to reach.
    """

    label: str
    confidence: float
    cosine: float


@dataclass(frozen=True)
class LabelSpan:
    """A stretch of a motion with one answer: its first and last second, the label, and its mean confidence."""

    start: float
    end: float
    label: str
    confidence: float


@dataclass(frozen=True)
class Recognition:
    """What is done in a motion.

    Attributes:
        seconds: length of the motion.
        guesses: the surest answers of the motion as a whole, best first.
        timeline: what is done when, without gaps.
    """

    seconds: float
    guesses: tuple[Guess, ...]
    timeline: tuple[LabelSpan, ...]

    @property
    def label(self) -> str:
        """The surest answer; ``NONE`` where no label fits."""
        return self.guesses[0].label


def recognize(
    model: MotionCLIP,
    motions: Sequence[Motion],
    labels: LabelSet,
    *,
    top: int = 5,
    none_below: float | None = None,
    temperature: float = TEMPERATURE,
    window: float = WINDOW,
    hop: float = HOP,
) -> list[Recognition]:
    """Returns the nearest labels of each motion, and a timeline.

    Each window's confidence is a soft-max over the cosines of its joint embedding with the labels and one constant:
    with cosines c_l and the threshold t, p_l = exp(c_l / T) / (exp(t / T) + sum_k exp(c_k / T)), and what is missing
    to 1 is that of "none of these". So a window is "none of these" where no cosine reaches t. The motion's confidence
    is the mean over its windows, that of a moment the mean over those that show it.

    Args:
        model: from :func:`motionclip.load`.
        motions: on any human-like skeleton, at any rate, of any length.
        labels: from :func:`label_set` or :func:`labels_of`.
        top: number of guesses.
        none_below: the threshold; the label set's if not given, -1 to always name a label.
        temperature: T; larger is less sure.
        window: seconds that are looked at at once.
        hop: seconds between windows, and of the timeline's steps.

    Raises:
        ModelError: if ``top`` or ``temperature`` is not positive, or windows do not fit the model.
        SkeletonError: if no human body is found in a skeleton.
        TextError: if a label cannot be encoded.
    """
    check_top(top)
    if not temperature > 0:
        raise ModelError(f"temperature {temperature}; expected more than 0")
    least = labels.none_below if none_below is None else none_below
    names, directions = (*labels.names, NONE), embed_labels(model, labels)
    found = []
    for motion, windows in zip(motions, embed_windows(model, motions, window, hop), strict=True):
        similarity = with_none(cosines(windows.embeddings, directions), least)  # (N, L + 1)
        confidence = (similarity / temperature).softmax(dim=1)
        sure, cosine = confidence.mean(dim=0), similarity.mean(dim=0)
        best = sure.topk(min(top, len(names))).indices.tolist()
        guesses = tuple(Guess(names[n], sure[n].item(), cosine[n].item()) for n in best)
        timeline = _timeline(names, windows.spans, confidence, motion.duration, hop)
        found.append(Recognition(motion.duration, guesses, timeline))
    return found


def with_none(similarity: Tensor, none_below: float) -> Tensor:
    """Returns cosines (N, L) of windows and labels with one more column, that of "none of these": (N, L + 1)."""
    return torch.nn.functional.pad(similarity, (0, 1), value=none_below)


def _timeline(
    names: Sequence[str], spans: Tensor, confidence: Tensor, seconds: float, hop: float
) -> tuple[LabelSpan, ...]:
    """Returns the spans of steps of ``hop`` seconds that have one answer.

    The confidence of a step is the mean of that (N, L + 1) of the windows, of spans (N, 2), that show its middle.
    """
    steps = 1 if len(spans) == 1 else max(round(seconds / hop), 1)
    edges = [*(hop * step for step in range(steps)), seconds]
    ends = torch.tensor(edges, dtype=torch.float64)
    middles = ((ends[:-1] + ends[1:]) / 2).clamp(max=spans[-1, 1])[:, None]
    shown = (spans[:, 0] <= middles) & (middles <= spans[:, 1])  # (steps, N)
    sure = shown.float() @ confidence / shown.sum(dim=1, keepdim=True)
    answers = sure.argmax(dim=1).tolist()
    timeline = []
    for answer, group in itertools.groupby(range(len(answers)), key=answers.__getitem__):
        own = list(group)
        timeline.append(LabelSpan(edges[own[0]], edges[own[-1] + 1], names[answer], sure[own, answer].mean().item()))
    return tuple(timeline)
