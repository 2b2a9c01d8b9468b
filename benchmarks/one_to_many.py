"""One text, one motion or many: ways to get from a text to a latent, side by side, on the `val` split.

    python benchmarks/one_to_many.py

- `own point`: the text's own latent, as the paper decodes it;
- `own point with noise`: the same with Gaussian noise on the sphere, the plainest probabilistic latent;
- `mean of the prior`: the mean of 32 draws, one motion for each text;
- `prior`, at three strengths of guidance: one draw.

Prints the figures and writes benchmarks/results/one_to_many.json.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from torch import Tensor
from torch.nn import functional as F

import motionclip
from motionclip.applications.evaluate.clips import Clips, embed_motions, encode_clips, evenly
from motionclip.applications.evaluate.generation import EvaluatorFigures, EvaluatorMetrics
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.metrics.distribution import multimodality
from motionclip.metrics.evaluator import SHIPPED, Evaluator, load_evaluator
from motionclip.metrics.physics import Physics, physics
from val_split import STORES, described, time_of, write_rows

OUT = Path(__file__).parent / "results" / "one_to_many.json"
CLIPS, SENTENCES, SEEDS, SECONDS = 100, 30, 10, 4.0
NOISE, DRAWS = 0.3, 32
#: Latents (N, D) for the latents (N, D) of texts, for motions of a length in seconds, by a seed.
Way = Callable[[motionclip.MotionCLIP, Tensor, float, int], Tensor]


def own_point(model: motionclip.MotionCLIP, texts: Tensor, seconds: float, seed: int) -> Tensor:
    """The text's own latent."""
    return texts


def shaken_point(model: motionclip.MotionCLIP, texts: Tensor, seconds: float, seed: int) -> Tensor:
    """The same with noise of a third of its length."""
    noise = torch.randn(texts.shape[1], generator=torch.Generator().manual_seed(seed))
    return F.normalize(texts + NOISE * F.normalize(noise, dim=0), dim=1)


def prior_mean(model: motionclip.MotionCLIP, texts: Tensor, seconds: float, seed: int) -> Tensor:
    """The mean of draws, always the same ones."""
    draws = model.sample(texts, seconds, guidance=1.5, seed=0, draws=DRAWS)
    return F.normalize(draws.unflatten(0, (-1, DRAWS)).mean(dim=1), dim=1)


def drawn(guidance: float) -> Way:
    """A draw from the prior."""

    def way(model: motionclip.MotionCLIP, texts: Tensor, seconds: float, seed: int) -> Tensor:
        return model.sample(texts, seconds, guidance=guidance, seed=seed)

    return way


WAYS: dict[str, Way] = {
    "own point": own_point,
    "own point with noise": shaken_point,
    "mean of the prior": prior_mean,
    "prior, guidance 1": drawn(1.0),
    "prior, guidance 1.5": drawn(1.5),
    "prior, guidance 3": drawn(3.0),
}


@dataclass(frozen=True)
class Row:
    """Figures of a way on one data set.

    Attributes:
        dataset: whose clips give the texts and lengths.
        way: how a latent was found; ``recorded`` for the clips themselves.
        cosine: mean cosine of the latent and its text's.
        judged: by the independent evaluator.
        physics: of feet and joints.
        multimodality: mean distance of embeddings of motions for one text.
    """

    dataset: str
    way: str
    cosine: float
    judged: EvaluatorFigures
    physics: Physics
    multimodality: float | None


def main(data: tuple[Path, ...] = STORES, model: str = "base") -> None:
    """Figures of the data sets of some stores."""
    network, evaluator = motionclip.load(model), load_evaluator(SHIPPED)
    windows = WindowSet([Store.open(path) for path in data], "val", {}, 21)
    rows: list[Row] = []
    for dataset in described(windows):
        for row in dataset_rows(network, evaluator, Clips(windows, dataset, network.config.max_frames)):
            print(row, flush=True)
            rows.append(row)
    write_rows(rows, OUT)


@torch.inference_mode()
def dataset_rows(model: motionclip.MotionCLIP, evaluator: Evaluator, clips: Clips) -> Iterator[Row]:
    """The recordings, then each way."""
    chosen = evenly(len(clips), CLIPS)
    recorded = clips.motions(chosen, model.config.fps)
    judge = EvaluatorMetrics(evaluator, clips, chosen, recorded)
    texts = model.embed_text([clips.texts[clip] for clip in chosen])
    near = (encode_clips(model, clips)[chosen] * texts).sum(dim=1).mean().item()
    yield Row(clips.dataset, "recorded", near, judge(recorded), physics(recorded), None)
    for name, way in WAYS.items():
        latents = torch.cat(
            [
                way(model, text[None], time_of(clip), seed)
                for seed, text, clip in zip(chosen, texts, recorded, strict=True)
            ]
        )
        motions = [model.decode(latent[None], time_of(clip))[0] for latent, clip in zip(latents, recorded, strict=True)]
        yield Row(
            clips.dataset,
            name,
            (latents * texts).sum(dim=1).mean().item(),
            judge(motions),
            physics(motions),
            spread(model, evaluator, clips, way),
        )


def spread(model: motionclip.MotionCLIP, evaluator: Evaluator, clips: Clips, way: Way) -> float:
    """Mean distance of motions for one text, by several seeds."""
    texts = model.embed_text([clips.sentences[place] for place in evenly(len(clips.sentences), SENTENCES)])
    made = [model.decode(way(model, texts, SECONDS, seed), SECONDS) for seed in range(SEEDS)]
    return multimodality(torch.stack([embed_motions(evaluator, motions) for motions in made], dim=1))


if __name__ == "__main__":
    tyro.cli(main)
