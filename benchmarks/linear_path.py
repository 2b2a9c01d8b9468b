"""What the auto-encoder is worth before it is trained: the linear path alone, on `val` windows of 2, 4 and 6 seconds.

    python benchmarks/linear_path.py

One thing at a time is changed in the model of preset `base`: its layout of channels, what their errors count as, its
instants, its size of latent.
Prints the figures and writes benchmarks/results/linear_path.json.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.metrics.reconstruction import PoseErrors, reconstruction_errors
from motionclip.model.config import ModelConfig
from motionclip.model.features import Batch
from motionclip.model.network import ResidualAutoencoder
from motionclip.training.batches import gather, gather_rows
from motionclip.training.config import TrainConfig, preset
from val_split import STORES, write_rows

RESULTS = Path(__file__).parent / "results" / "linear_path.json"

_SECONDS = (2, 4, 6)
_START_WINDOWS = 768
_TOGETHER = 50


@dataclass(frozen=True)
class Row:
    """Errors of one variant on windows of one length of one data set."""

    variant: str
    dataset: str
    seconds: int
    windows: int
    mpjpe_mm: float
    orientation_deg: float
    root_path_cm: float
    root_height_cm: float


#: A metre of the root as a metre of one joint: metres of error of a unit of positions, rotations, height, velocity.
_ONE_JOINT = (1.0, 0.1, 1.0, 0.2)


def variants(model: ModelConfig) -> dict[str, ModelConfig]:
    """The model and those that differ from it in one thing."""
    changes: dict[str, dict[str, object]] = {
        "base": {},
        "rotations alone": {"layout": "velocity"},
        "16 instants": {"pca_keyframes": 16},
        "32 instants": {"pca_keyframes": 32},
        "latent of 192": {"latent_dim": 192},
        "latent of 768": {"latent_dim": 768},
    }
    return {name: dataclasses.replace(model, **change) for name, change in changes.items()}


def started(
    config: TrainConfig, model: ModelConfig, windows: WindowSet, metres: tuple[float, ...] | None = None
) -> ResidualAutoencoder:
    """An auto-encoder as training starts with it, by default with the metres of its layout."""
    torch.manual_seed(0)
    generator, mirror = torch.Generator().manual_seed(config.seed), config.windows.mirror
    draws = [windows.draw(generator, _START_WINDOWS, round(s * model.fps), mirror) for s in config.windows.seconds]
    network = ResidualAutoencoder(model).eval()
    if metres is not None:
        network.layout = dataclasses.replace(network.layout, metres=metres)
    network.start_from(Batch.padded([gather(windows, draw) for draw in draws]))
    return network


@torch.inference_mode()
def measured(name: str, network: ResidualAutoencoder, windows: WindowSet) -> Iterator[Row]:
    """Rows of a variant."""
    for dataset in sorted({segment.dataset for segment in windows.segments}):
        for seconds in _SECONDS:
            tiles = windows.tiles(round(seconds * network.config.fps), dataset)
            if not len(tiles):
                continue
            batches = [gather_rows(windows, rows) for rows in tiles.split(_TOGETHER)]
            decoded = [network.decode(network.encode(b), b.mask) for b in batches]
            pairs = list(zip(decoded, batches, strict=True))
            errors = PoseErrors.joined([reconstruction_errors(d, b, network.config.fps) for d, b in pairs])
            height = torch.cat([(d.root - b.root)[b.mask][:, 1].abs() for d, b in pairs]).mean() * 100
            values = (errors.mpjpe_mm, errors.orientation_deg, errors.root_path_cm)
            yield Row(name, dataset, seconds, len(tiles), *(value.mean().item() for value in values), height.item())


def main(data: tuple[Path, ...] = STORES) -> None:
    """Measure all variants.

    Args:
        data: stores made by `motionclip prepare`.
    """
    config = preset("base")
    stores = [Store.open(path) for path in data]
    least = round(config.windows.min_seconds * config.model.fps)
    train = WindowSet(stores, "train", dict(config.windows.dataset_weights), least)
    unseen = WindowSet(stores, "val", {}, least)
    networks = {name: started(config, model, train) for name, model in variants(config.model).items()}
    networks["the root as one joint"] = started(config, config.model, train, _ONE_JOINT)
    rows = []
    for name, network in networks.items():
        for row in measured(name, network, unseen):
            print(row, flush=True)
            rows.append(row)
    write_rows(rows, RESULTS)


if __name__ == "__main__":
    tyro.cli(main)
