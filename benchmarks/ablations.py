"""Each idea of preset `base` in and out: short runs that differ from it in one thing, measured on `val`.

    python benchmarks/ablations.py

A run has 25,600 windows, 800 steps of 32, and no prior. Takes a quarter of an hour for each on one core; a run that
was stopped goes on, one that is finished is not repeated. Prints the figures and writes
benchmarks/results/ablations.json and the learning curves, docs/pictures/ablations.png.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import tyro
from matplotlib.figure import Figure

import motionclip
from curves import Curve, read
from motionclip.applications.evaluate.clips import CHUNK, Clips, embed_clips, encode_clips, evenly
from motionclip.applications.evaluate.reconstruction import measure_reconstruction
from motionclip.applications.evaluate.retrieval import measure_recognition, measure_retrieval
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import CachedEncoder, load_text_encoder
from motionclip.formats.files import replacing
from motionclip.metrics.physics import physics
from motionclip.training.config import TrainConfig, preset
from motionclip.training.trainer import train
from val_split import STORES, described, write_rows

OUT = Path(__file__).parent / "results" / "ablations.json"
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "ablations.png"
#: What every run has of its own: short, and with a look at `val` every 100 steps.
SHORT = (
    "--autoencoder.batch-size 32 --autoencoder.steps 800 --autoencoder.warmup 100 --head.steps 0 --prior.steps 0 "
    "--validate-every 100 --save-every 100"
)
ACROSS, LIMITS = 6, (5, 150)  # pictures beside each other, and the millimetres that they show
LINEAR = "motionclip.model.network.PCAAutoencoder"


@dataclass(frozen=True)
class Variant:
    """One thing that is changed: flags of `motionclip train`, or functions of the network, by their dotted names."""

    flags: str = ""
    instead: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def config(self, base: TrainConfig) -> TrainConfig:
        """The run's configuration."""
        return tyro.cli(
            TrainConfig, default=tyro.cli(TrainConfig, default=base, args=SHORT.split()), args=self.flags.split()
        )

    def patched(self) -> ExitStack:
        """The network with the variant's functions in the place of its own."""
        stack = ExitStack()
        for name, function in self.instead.items():
            stack.enter_context(mock.patch(name, function))
        return stack


def _no_scores(path: Any, features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return features.new_zeros(len(features), len(path.variance))


def _no_draft(path: Any, scores: torch.Tensor, lengths: torch.Tensor, frames: int) -> torch.Tensor:
    return scores.new_zeros(len(scores), frames, len(path.metric) // path.nodes)


VARIANTS: dict[str, Variant] = {
    "base": Variant(),
    "latent of 192": Variant("--model.latent-dim 192"),
    "latent of 768": Variant("--model.latent-dim 768"),
    "cosine alone, no contrast": Variant("--losses.contrast 0"),
    "no noise on the latent": Variant("--autoencoder.latent-noise 0"),
    "no linear path": Variant(instead={f"{LINEAR}.encode": _no_scores, f"{LINEAR}.decode": _no_draft}),
    "no mirror images": Variant("--windows.no-mirror"),
    "rotations without places": Variant("--model.layout velocity"),
    "no losses of feet": Variant("--losses.contact 0 --losses.skate 0"),
    "no averaged weights": Variant("--autoencoder.ema 0"),
    "windows of 2 seconds only": Variant("--windows.seconds 2"),
    "like texts are negatives": Variant("--contrast.same-text 1"),
}


@dataclass(frozen=True)
class Row:
    """Figures of a run on one data set of `val`.

    Attributes:
        variant: what is different.
        dataset: whose clips they are.
        mpjpe_mm: of 2-second windows, root at the origin.
        orientation_deg: of the same.
        root_path_cm: of the same.
        sentence_top1: share in percent of clips whose sentence is nearest among all of the data set; None where clips
            have no labels.
        pools_r1: share in percent of sentences whose motion is nearest in pools of 32; None with fewer sentences.
        pools_r10: whose motion is among the nearest ten.
        skate_cm_s: of reconstructed clips.
        jitter_m_s3: of the same.
    """

    variant: str
    dataset: str
    mpjpe_mm: float
    orientation_deg: float
    root_path_cm: float
    sentence_top1: float | None
    pools_r1: float | None
    pools_r10: float | None
    skate_cm_s: float
    jitter_m_s3: float


def main(data: tuple[Path, ...] = STORES, runs: Path = Path("runs/ablations"), only: tuple[str, ...] = ()) -> None:
    """Train and measure.

    Args:
        data: stores made by `motionclip prepare`.
        runs: folder of the runs.
        only: names of variants; all of them unless given.
    """
    stores = [Store.open(path) for path in data]
    rows = [Row(**row) for row in json.loads(OUT.read_text())] if OUT.exists() else []
    for name in only or VARIANTS:
        if any(row.variant == name for row in rows):
            continue
        with VARIANTS[name].patched():
            out = trained(name, stores, runs)
            rows += measured(name, motionclip.load(out), stores)
        print(*(row for row in rows if row.variant == name), sep="\n", flush=True)
        write_rows(rows, OUT)
    with replacing(PICTURE) as path:
        draw_curves({name: read(runs / name) for name in VARIANTS if (runs / name / "metrics.jsonl").exists()}, path)


def trained(name: str, stores: Sequence[Store], runs: Path) -> Path:
    """The model of a variant, trained unless it is there."""
    out = runs / name
    if (out / "model").exists():
        return out / "model"
    config = VARIANTS[name].config(preset("base"))
    return train(config, stores, out, load_text_encoder(config.model.text_encoder), resume=out.exists())


@torch.inference_mode()
def measured(name: str, model: motionclip.MotionCLIP, stores: Sequence[Store]) -> list[Row]:
    """Rows of a variant."""
    windows = WindowSet(stores, "val", {}, 21)
    return [dataset_row(name, model, stores, windows, dataset) for dataset in described(windows)]


def dataset_row(
    name: str, model: motionclip.MotionCLIP, stores: Sequence[Store], windows: WindowSet, dataset: str
) -> Row:
    """Figures of one data set."""
    clips = Clips(windows, dataset, model.config.max_frames)
    latents, embeddings = encode_clips(model, clips), embed_clips(model, clips)
    whole = measure_reconstruction(model, windows, dataset, None)
    assert whole is not None
    sentences = [found for found in measure_recognition(model, clips, embeddings, stores) if found.labels == "sentence"]
    protocols = measure_retrieval(model, clips, embeddings, CachedEncoder(load_text_encoder("minilm")))
    pools = [protocol.text_to_motion for protocol in protocols if protocol.name == "pools of 32"]
    chosen = evenly(len(clips), CHUNK)
    made = [model.decode(latents[clip][None], clips.num_frames(clip) / model.config.fps)[0] for clip in chosen]
    feet = physics(made)
    return Row(
        name,
        dataset,
        whole.mpjpe_mm,
        whole.orientation_deg,
        whole.root_path_cm,
        sentences[0].top1.value if sentences else None,
        pools[0].recall[0] if pools else None,
        pools[0].recall[-1] if pools else None,
        feet.skate_cm_s,
        feet.jitter_m_s3,
    )


def draw_curves(curves: Mapping[str, Curve], path: Path) -> None:
    """Two small pictures for each variant, with the curves of `base` in grey."""
    kinds = ("mpjpe_mm", "joints, mm"), ("sentence_top1", "nearest sentence, %")
    blocks = -(-len(curves) // ACROSS)
    figure = Figure(figsize=(2.4 * ACROSS, 4.6 * blocks), layout="constrained")
    grid = figure.subplots(2 * blocks, ACROSS, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for place, (name, curve) in enumerate(curves.items()):
        block, across = divmod(place, ACROSS)
        for row, (key, label) in enumerate(kinds):
            axes = grid[2 * block + row, across]
            axes.set_visible(True)
            for own, colour in ((curves["base"], "#9a9a9a"), (curve, "#2f6db3")):
                axes.plot([look["windows"] / 1000 for look in own], [look[key] for look in own], color=colour)
            axes.set_ylabel("" if across else label)
        grid[2 * block, across].set(title=name.replace(", ", ",\n"), yscale="log", ylim=LIMITS)
        grid[2 * block + 1, across].set(xlabel="thousand windows", ylim=(0, 100))
    figure.savefig(path, format="png", dpi=70)


if __name__ == "__main__":
    tyro.cli(main)
