"""`motionclip train-evaluator`: the networks that `motionclip evaluate` judges motions by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro


def train_evaluator(
    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="STORE")],
    out: Path,
    classifier_steps: int | None = None,
    pair_steps: int | None = None,
    seed: int | None = None,
) -> None:
    """Train the evaluator on the `train` split: a few minutes on two cores, so one that is stopped starts anew.

    Args:
        data: stores made by `motionclip prepare`.
        out: the folder to write.
        classifier_steps: steps of the classifier of content and style, instead of the usual number.
        pair_steps: steps of the text-motion pair, instead of the usual number.
        seed: of weights and draws; take another than the model's.
    """
    import dataclasses

    from rich.progress import TaskID

    from motionclip.cli.console import progress_bar, say
    from motionclip.data.store import Store
    from motionclip.metrics.evaluator import save_evaluator
    from motionclip.towers import CachedTower, load_tower
    from motionclip.training.evaluator import EvaluatorSettings
    from motionclip.training.evaluator import train_evaluator as train

    changes = {"classifier_steps": classifier_steps, "pair_steps": pair_steps, "seed": seed}
    settings = dataclasses.replace(
        EvaluatorSettings(), **{name: value for name, value in changes.items() if value is not None}
    )
    stores = [Store.open(path) for path in data]
    with progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def on_step(name: str, step: int, steps: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=steps)
            bar.update(tasks[name], completed=step)

        network = train(stores, CachedTower(load_tower("minilm")), settings, on_step)
    save_evaluator(network, out)
    known = network.config
    say(f"the evaluator is in {out}: {len(known.contents)} contents and {len(known.styles)} styles of {known.dataset}")
