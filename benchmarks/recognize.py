"""Recognition on Bandai-Namco 2: temperature and thresholds from `val`, figures of `test`.

Labels are the 70 sentences of contents and styles (`bandai`), and the ten contents in bare words ("walk", "raise the
right hand") in the templates of `labels_of`. For "none of these" each content in turn is left out of the labels: its
clips should be refused, all others kept. CMU's clips that are said to walk or run show what bare words do on the
recordings of another studio. For the timeline, takes are put one behind another into sequences of five.

    python benchmarks/recognize.py

Prints the figures and writes benchmarks/results/recognize.json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from torch import Tensor
from torch.nn.functional import cross_entropy

import motionclip
from motionclip.applications.caption import caption
from motionclip.applications.recognize import (
    HOP,
    TEMPERATURE,
    TEMPLATES,
    WINDOW,
    LabelSet,
    embed_labels,
    label_set,
    labels_of,
    recognize,
    with_none,
)
from motionclip.applications.windows import embed_windows
from motionclip.data import Store, canonical_sentences
from motionclip.formats.files import replacing
from motionclip.metrics.retrieval import cosines
from motionclip.motion import Motion, heading, turn

RESULTS = Path(__file__).parent / "results" / "recognize.json"
TEMPERATURES = (0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1)
WINDOWS = (1.0, 1.5, 2.0, 3.0, 4.0)
KEPT, THRESHOLDS = 0.95, (0.2, 0.3, 0.4, 0.5)
TAKES, SEQUENCES = 5, 40
BINS = 10

#: Bare words for the contents of data set 2.
WORDS = {
    "raise-up-both-hands": "raise both hands",
    "raise-up-left-hand": "raise the left hand",
    "raise-up-right-hand": "raise the right hand",
    "run": "run",
    "walk": "walk",
    "walk-turn-left": "walk and turn left",
    "walk-turn-right": "walk and turn right",
    "wave-both-hands": "wave both hands",
    "wave-left-hand": "wave the left hand",
    "wave-right-hand": "wave the right hand",
}


@dataclass(frozen=True)
class Clips:
    """Clips of a split and their windows.

    Attributes:
        motions: the clips.
        owner: (N,) the clip of each window.
        embeddings: (N, J) of all windows.
        contents: of each clip.
        sentences: canonical sentence of each clip.
    """

    motions: list[Motion]
    owner: Tensor
    embeddings: Tensor
    contents: list[str]
    sentences: list[str]


def clips_of(model: motionclip.MotionCLIP, store: Store, numbers: Sequence[int], window: float = WINDOW) -> Clips:
    """Some clips of a store, with their windows."""
    motions = [store.motion(number) for number in numbers]
    windows = embed_windows(model, motions, window, HOP)
    owner = torch.repeat_interleave(torch.arange(len(motions)), torch.tensor([len(own.embeddings) for own in windows]))
    entries = [store.entries[number] for number in numbers]
    return Clips(
        motions,
        owner,
        torch.cat([own.embeddings for own in windows]),
        [entry.category or "" for entry in entries],
        [entry.captions[0].text if entry.captions else "" for entry in entries],
    )


def by_clip(clips: Clips, similarity: Tensor, none_below: float, temperature: float = TEMPERATURE) -> Tensor:
    """Confidences (C, L + 1) of clips from cosines (N, L) of their windows, as `recognize` averages them."""
    chance = (with_none(similarity, none_below) / temperature).softmax(dim=1)
    total = torch.zeros(len(clips.motions), chance.shape[1]).index_add(0, clips.owner, chance)
    return total / torch.bincount(clips.owner)[:, None]


def accuracy(clips: Clips, similarity: Tensor, truth: Tensor) -> dict[str, float]:
    """Share of clips with the right label, and how far confidence is from that share, in percent; always a label."""
    chance, answer = by_clip(clips, similarity, -1.0)[:, :-1].max(dim=1)
    right = (answer == truth).float()
    bins = (chance * BINS).long().clamp(max=BINS - 1)
    gaps = [(chance[bins == b].mean() - right[bins == b].mean()).abs() * (bins == b).sum() for b in bins.unique()]
    return {
        "clips": len(right),
        "right": percent(right),
        "mean_confidence": percent(chance),
        "calibration_error": round(100 * float(torch.stack(gaps).sum()) / len(right), 2),
    }


def percent(values: Tensor) -> float:
    """The mean of values, in percent."""
    return round(100 * values.float().mean().item(), 2)


def left_out(clips: Clips, similarity: Tensor, contents: Sequence[str], none_below: float) -> dict[str, Any]:
    """Each content left out of the labels in turn: which clips are kept, and which are answered by "none".

    Args:
        clips: N windows of C clips.
        similarity: (N, L) with all labels.
        contents: the content of each label.
        none_below: the threshold.
    """
    kept, refused = [], {}
    for content in sorted(set(contents)):
        rest = torch.tensor([name != content for name in contents])
        none = by_clip(clips, similarity[:, rest], none_below).argmax(dim=1) == rest.sum()
        own = torch.tensor([name == content for name in clips.contents])
        kept.append(~none[~own])
        refused[content] = none[own]
    return {
        "none_below": none_below,
        "kept": percent(torch.cat(kept)),
        "refused": percent(torch.cat(list(refused.values()))),
        "refused_by_content": {name: percent(values) for name, values in refused.items()},
    }


def threshold(clips: Clips, similarity: Tensor, contents: Sequence[str]) -> float:
    """The highest threshold, in steps of 0.01, with which the stated share of clips is kept."""
    kept = [step for step in range(100) if left_out(clips, similarity, contents, step / 100)["kept"] >= 100 * KEPT]
    return max(kept) / 100


def walkers(model: motionclip.MotionCLIP, store: Store, split: str) -> Clips:
    """CMU's clips of which every caption says that they walk or run."""
    walk = re.compile(r"walk|jog|\brun|stroll")
    told = [
        number
        for number in store.split(split)
        if store.entries[number].captions and all(walk.search(c.text) for c in store.entries[number].captions)
    ]
    return clips_of(model, store, told)


def refusals(
    clips: Mapping[str, Clips],
    others: Mapping[str, Clips],
    labels: LabelSet,
    contents: Sequence[str],
    directions: Tensor,
) -> dict[str, object]:
    """What is kept and refused, split by split, with the threshold for `val`, the label set's own, and some between."""
    similar = {part: cosines(own.embeddings, directions) for part, own in clips.items()}
    walking = {part: cosines(own.embeddings, directions) for part, own in others.items()}
    chosen = threshold(clips["val"], similar["val"], contents)
    return {
        part: [
            left_out(clips[part], similar[part], contents, least)
            | {"walkers_of_cmu_kept": kept(others[part], walking[part], least), "walkers": len(others[part].motions)}
            for least in sorted({chosen, labels.none_below, *THRESHOLDS})
        ]
        for part in clips
    }


def kept(clips: Clips, similarity: Tensor, none_below: float) -> float:
    """Share of clips that get a label, in percent."""
    return percent(by_clip(clips, similarity, none_below).argmax(dim=1) < similarity.shape[1])


def sequences(clips: Clips) -> list[tuple[Motion, list[int]]]:
    """Takes one behind another, each going on where and facing as the one before ended; and the frames of each."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(SEQUENCES):
        chosen = torch.randperm(len(clips.motions), generator=generator)[:TAKES].tolist()
        parts = [clips.motions[chosen[0]]]
        for number in chosen[1:]:
            parts.append(following(parts[-1], clips.motions[number]))
        rotations, root = torch.cat([p.rotations for p in parts]), torch.cat([p.root for p in parts])
        owner = [number for number, part in zip(chosen, parts, strict=True) for _ in range(part.num_frames)]
        found.append((Motion(rotations, root, parts[0].fps, parts[0].skeleton), owner))
    return found


def following(before: Motion, motion: Motion) -> Motion:
    """A motion turned and moved to begin where another ends."""
    turned = turn(motion, heading(before)[-1] - heading(motion)[0])
    move = (before.root[-1] - turned.root[0]) * torch.tensor([1.0, 0.0, 1.0])
    return Motion(turned.rotations, turned.root + move, motion.fps, motion.skeleton)


def instants_right(model: motionclip.MotionCLIP, clips: Clips, labels: LabelSet, window: float) -> float:
    """Share of the frames of sequences whose stretch of the timeline has the right label, in percent."""
    made = sequences(clips)
    answers = recognize(model, [motion for motion, _ in made], labels, none_below=-1.0, window=window)
    right = []
    for (motion, owner), answer in zip(made, answers, strict=True):
        for run in answer.timeline:
            frames = range(round(run.start * motion.fps), min(round(run.end * motion.fps), len(owner)))
            right += [clips.sentences[owner[frame]] == run.label for frame in frames]
    return percent(torch.tensor(right))


def main(
    bandai: Path = Path(".stores/bandai_namco"),
    cmu: Path = Path(".stores/cmu"),
    /,
    model: str = "base",
    out: Path = RESULTS,
) -> None:
    """Measure and write the figures.

    Args:
        bandai: store of Bandai-Namco.
        cmu: store of CMU.
        model: name or folder of the model.
        out: file of the figures.
    """
    torch.set_num_threads(1)
    network, stores = motionclip.load(model), (Store.open(bandai), Store.open(cmu))
    numbers = {
        split: [n for n in stores[0].split(split) if stores[0].entries[n].dataset == "bandai_namco_2"]
        for split in ("val", "test")
    }
    split = {name: clips_of(network, stores[0], chosen) for name, chosen in numbers.items()}
    bandai_labels, words = label_set("bandai"), labels_of(list(WORDS.values()))
    sets: dict[str, tuple[LabelSet, list[str]]] = {
        "bandai": (bandai_labels, [content for content, _, _ in canonical_sentences(2)]),
        "words": (words, list(WORDS)),
        "words_one_template": (labels_of(list(WORDS.values()), templates=TEMPLATES[:1]), list(WORDS)),
    }
    others = {name: walkers(network, stores[1], name) for name in numbers}
    options = "" if out == RESULTS else f" --model {model} --out {out}"
    figures: dict[str, object] = {"command": f"python benchmarks/recognize.py{options}"}
    for name, (labels, contents) in sets.items():
        directions = embed_labels(network, labels)
        similar = {part: cosines(clips.embeddings, directions) for part, clips in split.items()}
        truth = {part: truth_of(clips, labels, contents) for part, clips in split.items()}
        loss = {t: cross_entropy(similar["val"] / t, truth["val"][split["val"].owner]).item() for t in TEMPERATURES}
        figures[name] = {
            "val_loss_by_temperature": {temperature: round(value, 4) for temperature, value in loss.items()},
            "always_a_label": {part: accuracy(split[part], similar[part], truth[part]) for part in split},
            "none_of_these": refusals(split, others, labels, contents, directions),
        }
    figures["timeline_instants_right"] = {
        "val": {window: instants_right(network, split["val"], bandai_labels, window) for window in WINDOWS},
        "test": {WINDOW: instants_right(network, split["test"], bandai_labels, WINDOW)},
    }
    figures["caption_right"] = {
        part: percent(
            torch.tensor(
                [
                    found[0].nearest[0].text == sentence
                    for found, sentence in zip(caption(network, clips.motions), clips.sentences, strict=True)
                ]
            )
        )
        for part, clips in split.items()
    }
    with replacing(out) as path:
        path.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def truth_of(clips: Clips, labels: LabelSet, contents: Sequence[str]) -> Tensor:
    """(C,) the right label of each clip: its sentence, or where labels are contents its content."""
    if len(contents) == len(set(contents)):
        return torch.tensor([contents.index(content) for content in clips.contents])
    return torch.tensor([labels.names.index(sentence) for sentence in clips.sentences])


if __name__ == "__main__":
    tyro.cli(main)
