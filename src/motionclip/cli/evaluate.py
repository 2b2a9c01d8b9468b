"""`motionclip evaluate`: the figures of a model on prepared stores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from rich.table import Table

    from motionclip.applications.evaluate import DatasetFigures
    from motionclip.metrics.retrieval import Retrieval


def evaluate(
    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="STORE")],
    model: str = "base",
    tower_weights: Path | None = None,
    split: Literal["test", "val", "train"] = "test",
    json_file: Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")] = None,
) -> None:
    """Measure reconstruction, retrieval, recognition and feet; docs/evaluation.md defines each figure.

    Args:
        data: stores made by `motionclip prepare`.
        model: a shipped model's name, a model folder, or a run folder.
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
        split: which clips to measure on.
        json_file: where to write all figures.
    """
    from motionclip.applications.evaluate import evaluate as measure
    from motionclip.cli.console import say
    from motionclip.data.store import Store
    from motionclip.formats.files import replacing
    from motionclip.model.pipeline import load

    stores = [Store.open(path) for path in data]
    evaluation = measure(load(model, tower_weights=tower_weights), stores, split, on_stage=say)
    for figures in evaluation.datasets:
        say(_table(figures))
    if json_file is not None:
        values = {"model": model, "data": [str(path) for path in data]} | evaluation.to_dict()
        with replacing(json_file) as path:
            path.write_text(json.dumps(values, indent=2) + "\n")
        say(f"{json_file}")


def _table(figures: DatasetFigures) -> Table:
    from rich.table import Table

    table = Table(title=f"{figures.dataset}: {figures.clips} clips", title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in _rows(figures):
        table.add_row(name, value)
    return table


def _rows(figures: DatasetFigures) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if (made := figures.reconstruction) is not None:
        rows += [
            ("MPJPE, root-aligned", f"{made.mpjpe_mm:.1f} mm"),
            ("orientation error", f"{made.orientation_deg:.2f} deg"),
            ("root path error", f"{made.root_path_cm:.1f} cm"),
        ]
        if made.pca_mpjpe_mm is not None:
            rows.append(("MPJPE of PCA with as many numbers", f"{made.pca_mpjpe_mm:.1f} mm"))
    if figures.text_to_motion is not None and figures.motion_to_text is not None:
        rows += [("text to motion", _ranks(figures.text_to_motion)), ("motion to text", _ranks(figures.motion_to_text))]
    if (recognised := figures.recognition) is not None:
        rows += [
            (f"nearest of {recognised.sentences} sentences right", f"{recognised.sentence:.1f} %"),
            ("its content right", f"{recognised.content:.1f} %"),
            ("its style right", f"{recognised.style:.1f} %"),
        ]
    if (feet := figures.physics) is not None:
        rows += [
            (
                "foot skate, recorded / generated",
                f"{feet.recorded_skate_cm_s:.1f} / {feet.generated_skate_cm_s:.1f} cm/s",
            ),
            (
                "feet below the floor, recorded / generated",
                f"{feet.recorded_penetration_cm:.2f} / {feet.generated_penetration_cm:.2f} cm",
            ),
        ]
    return rows


def _ranks(figures: Retrieval) -> str:
    one, five, ten = figures.recall
    return (
        f"R@1 {one:.1f}  R@5 {five:.1f}  R@10 {ten:.1f} %  median rank {figures.median_rank:g} of {figures.candidates}"
    )
