"""How far captions of CMU can be found at all: models beside people, on the clips that several people described.

Queries are the preferred sentences of the `test` clips, in pools of 32 as in `motionclip evaluate`. What answers is a
model's latent of the motion, or, in place of the motion, what other people said of the same clip: the first other
sentence, and the mean of all others, as the text encoder embeds them and as the model does. An encoder that describes a
motion as well as one more person does no better than that.

    python benchmarks/captions.py base runs/paper

Prints the figures and writes benchmarks/results/captions.json. In brackets: intervals of 95 % over the clips.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor

import motionclip
from motionclip.applications.evaluate.clips import Clips, embed_clips
from motionclip.data import Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import load_text_encoder
from motionclip.formats.files import replacing
from motionclip.metrics.retrieval import POOL, cosines, pools, ranks

RESULTS = Path(__file__).parent / "results" / "captions.json"
#: Sentences to embeddings (N, E).
Embed = Callable[[Sequence[str]], Tensor]
RECALLS = (1, 3, 10)
LEAST_FRAMES, RESAMPLES = 21, 10_000


@dataclass(frozen=True)
class Described:
    """The clips that at least two sentences describe.

    Attributes:
        clips: all clips of the split.
        places: (N,) the described ones among them.
        dealt: (P, 32) pools of places in ``places``.
    """

    clips: Clips
    places: Tensor
    dealt: Tensor

    @classmethod
    def of(cls, clips: Clips) -> Described:
        """Those of a split's clips."""
        places = torch.tensor([i for i, segment in enumerate(clips.segments) if len(set(segment.texts)) > 1])
        return cls(clips, places, pools(clips.number[places].tolist()))

    def others(self, place: int) -> list[str]:
        """What other people said of a clip."""
        first, *rest = self.clips.segments[place].texts
        return [text for text in rest if text != first]


def hits(queries: Tensor, answers: Tensor, dealt: Tensor) -> Tensor:
    """Share (N, K) of its pools in which each query's own answer is among the first k, for the K of RECALLS."""
    found, seen = torch.zeros(len(queries), len(RECALLS)), torch.zeros(len(queries), 1)
    own = torch.eye(POOL, dtype=torch.bool)
    for pool in dealt:
        rank = ranks(cosines(queries[pool], answers[pool]), own)
        found[pool] += (rank[:, None] <= torch.tensor(RECALLS)).float()
        seen[pool] += 1
    return 100 * found[seen[:, 0] > 0] / seen[seen > 0, None]


def interval(values: Tensor) -> list[float]:
    """Mean of values (N,) and its bootstrap interval of 95 %."""
    generator = torch.Generator().manual_seed(0)
    means = values[torch.randint(len(values), (RESAMPLES, len(values)), generator=generator)].mean(dim=1)
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975])).tolist()
    return [round(figure, 1) for figure in (values.mean().item(), low, high)]


def by_people(name: str, embed: Embed, described: Described) -> dict[str, Tensor]:
    """Hits of other people's sentences, as ``name`` embeds them."""
    queries = embed([described.clips.texts[place] for place in described.places])
    others = [embed(described.others(int(place))) for place in described.places]
    answers = {
        f"{name}: one other person's sentence": torch.stack([said[0] for said in others]),
        f"{name}: the mean of all others": torch.stack([said.mean(dim=0) for said in others]),
    }
    return {row: hits(queries, rows, described.dealt) for row, rows in answers.items()}


def by_model(name: str, windows: WindowSet, described: Described) -> dict[str, Tensor]:
    """Hits of a model's joint embeddings, and of other people's sentences, as it embeds them."""
    model = motionclip.load(name)
    clips = Clips(windows, described.clips.dataset, model.config.max_frames)
    queries = model.embed_words([clips.texts[place] for place in described.places])
    motions = hits(queries, embed_clips(model, clips)[described.places], described.dealt)
    return {f"{name}: the motion": motions} | by_people(name, model.embed_words, described)


def report(found: Mapping[str, Tensor]) -> dict[str, dict[str, list[float]]]:
    """Print and return recall with intervals, by what answers."""
    table = {
        name: {f"R@{k}": interval(share) for k, share in zip(RECALLS, rows.T, strict=True)}
        for name, rows in found.items()
    }
    for name, row in table.items():
        figures = "  ".join(f"{k} {mean:.1f} [{low:.1f}, {high:.1f}] %" for k, (mean, low, high) in row.items())
        print(f"{name:40s} {figures}")
    return table


def main(
    models: Annotated[tuple[str, ...], tyro.conf.Positional],
    /,
    data: Path = Path(".stores/cmu"),
    split: str = "test",
    out: Path = RESULTS,
) -> None:
    """Captions found by models and by people."""
    windows = WindowSet([Store.open(data)], split, {}, LEAST_FRAMES)
    described = Described.of(Clips(windows, "cmu", 1))
    print(f"{len(described.places)} clips that several people described, {len(described.dealt)} pools")
    found = by_people("minilm", load_text_encoder("minilm").encode_texts, described)
    for name in models:
        found |= by_model(name, windows, described)
    with replacing(out) as half:
        half.write_text(json.dumps(report(found), indent=1) + "\n")


if __name__ == "__main__":
    tyro.cli(main)
