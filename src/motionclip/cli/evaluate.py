"""`motionclip evaluate`: the figures of a model on prepared stores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

#: Instead of an evaluator's name: measure without one.
_WITHOUT = "none"


def evaluate(
    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="STORE")],
    model: str = "base",
    tower_weights: Path | None = None,
    evaluator: str = "evaluator",
    split: Literal["test", "val", "train"] = "test",
    json_file: Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")] = None,
    table: Path | None = None,
    plot: Path | None = None,
) -> None:
    """Measure a model: reconstruction, recognition, retrieval, text to motion, editing, interpolation and feet.

    docs/evaluation.md defines each figure. The same command gives the same figures.

    Args:
        data: stores made by `motionclip prepare`.
        model: a shipped model's name, a model folder, or a run folder.
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
        evaluator: judges motions: the shipped one, a folder made by `motionclip train-evaluator`, or `none`.
        split: which clips to measure on.
        json_file: where to write all figures.
        table: where to write them as Markdown tables.
        plot: where to draw them, a .png file.
    """
    from motionclip.applications.evaluate import evaluate as measure
    from motionclip.cli.console import say
    from motionclip.cli.evaluation_plots import write_plot
    from motionclip.cli.evaluation_tables import markdown, screen_table, sections
    from motionclip.cli.results import write_json, write_text
    from motionclip.data.store import Store
    from motionclip.metrics.evaluator import load_evaluator
    from motionclip.model.pipeline import load

    stores = [Store.open(path) for path in data]
    judge = None if evaluator == _WITHOUT else load_evaluator(evaluator)
    if judge is None:
        say("no evaluator: no R-precision, FID, diversity, multimodality or editing; `motionclip train-evaluator`")
    evaluation = measure(load(model, tower_weights=tower_weights), stores, split, evaluator=judge, on_stage=say)
    for figures in evaluation.datasets:
        say("", f"{figures.dataset}: {figures.clips} clips", *map(screen_table, sections(figures)))
    values = {"model": model, "data": [str(path) for path in data], "evaluator": evaluator} | evaluation.to_dict()
    if json_file is not None:
        write_json(values, json_file)
        say(json_file)
    if table is not None:
        write_text(markdown(evaluation), table)
        say(table)
    if plot is not None:
        write_plot(evaluation, plot)
        say(plot)
