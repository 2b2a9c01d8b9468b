"""Learning curves of runs side by side: what `motionclip train` measured on `val` while they trained.

    python benchmarks/curves.py base=runs/base "the paper's recipe=runs/paper"

Reads each run folder's metrics.jsonl; writes benchmarks/results/curves.json and docs/pictures/curves.png.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import tyro
from matplotlib.figure import Figure

from motionclip.formats.files import replacing

OUT = Path(__file__).parent / "results" / "curves.json"
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "curves.png"
MEASURES = {"mpjpe_mm": "joints on val, mm, 2-second windows", "sentence_top1": "nearest of 70 sentences right, %"}
COLOURS = ("#2f6db3", "#d9822b", "#3a8f4d", "#8254a3")
Curve = Sequence[Mapping[str, float]]


def read(run: Path) -> Curve:
    """Figures of a run on `val` by windows seen."""
    batch = json.loads((run / "config.json").read_text())["autoencoder"]["batch_size"]
    looks = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [
        {"windows": batch * look["step"]} | {name: look[name] for name in MEASURES if name in look}
        for look in looks
        if look["phase"] == "validation"
    ]


def draw(runs: Mapping[str, Curve], path: Path) -> None:
    """One picture for each measure, all runs in it."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    for axes, (key, label) in zip(figure.subplots(1, len(MEASURES)), MEASURES.items(), strict=True):
        for colour, (name, curve) in zip(COLOURS, runs.items(), strict=False):
            known = [look for look in curve if key in look]
            thousands = [look["windows"] / 1000 for look in known]
            axes.plot(thousands, [look[key] for look in known], color=colour, marker="o", markersize=3, label=name)
        axes.set(xlabel="windows seen, thousands", title=label, yscale="log" if key == "mpjpe_mm" else "linear")
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, format="png", dpi=80)


def main(runs: tyro.conf.Positional[tuple[str, ...]]) -> None:
    """Draw runs.

    Args:
        runs: each a name, `=` and a run folder.
    """
    curves = {name: read(Path(folder)) for name, _, folder in (run.partition("=") for run in runs)}
    with replacing(OUT) as path:
        path.write_text(json.dumps(curves) + "\n")
    with replacing(PICTURE) as path:
        draw(curves, path)


if __name__ == "__main__":
    tyro.cli(main)
