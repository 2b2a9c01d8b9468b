"""The figures of an evaluation as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from motionclip.formats.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from motionclip.applications.evaluate import DatasetFigures, Evaluation

_ORANGE, _BLUE, _GREY = "#d9822b", "#2f6db3", "#9a9a9a"


def write_plot(evaluation: Evaluation, path: Path) -> None:
    """Write a PNG with a row for each data set."""
    from matplotlib.figure import Figure

    rows = len(evaluation.datasets)
    figure = Figure(figsize=(15, 3.6 * rows), layout="constrained")
    grid = figure.subplots(rows, 4, squeeze=False)
    for axes, figures in zip(grid, evaluation.datasets, strict=True):
        for draw, place in zip((_retrieval, _recognition, _generation, _editing), axes, strict=True):
            draw(place, figures)
        axes[0].set_ylabel(figures.dataset)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def _empty(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", color=_GREY)
    axes.set_xticks([])
    axes.set_yticks([])


def _retrieval(axes: Axes, figures: DatasetFigures) -> None:
    from motionclip.metrics.retrieval import RECALLS

    if not figures.retrieval:
        return _empty(axes, "text to motion, R@k")
    for protocol in figures.retrieval:
        line = axes.plot(RECALLS, protocol.text_to_motion.recall, marker="o", markersize=3, label=protocol.name)[0]
        axes.plot(RECALLS, protocol.chance.recall, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(title="text to motion, R@k (dotted: chance)", xticks=RECALLS, xlabel="k", ylim=(0, 103))
    axes.legend(fontsize=8)
    return None


def _recognition(axes: Axes, figures: DatasetFigures) -> None:
    if not figures.recognition:
        return _empty(axes, "recognition, top-1")
    names = [f"{found.labels}\n(of {found.classes})" for found in figures.recognition]
    shares = [found.top1 for found in figures.recognition]
    away = [[share.value - share.low for share in shares], [share.high - share.value for share in shares]]
    axes.bar(names, [share.value for share in shares], yerr=away, color=_BLUE, capsize=3)
    axes.bar(names, [share.chance for share in shares], color=_GREY, label="chance")
    axes.set(title="recognition, top-1 %, 95 % interval", ylim=(0, 103))
    axes.legend(fontsize=8)
    return None


def _generation(axes: Axes, figures: DatasetFigures) -> None:
    if figures.generation is None:
        return _empty(axes, "feet and joints")
    sets = figures.generation.sets
    values = [(each.physics.skate_cm_s, each.physics.penetration_cm, each.physics.jitter_m_s3) for each in sets]
    for place, (each, own) in enumerate(zip(sets, values, strict=True)):
        relative = [value / max(real, 1e-9) for value, real in zip(own, values[0], strict=True)]
        spots = [name + 0.27 * (place - 1) for name in range(3)]
        axes.bar(spots, relative, width=0.25, color=(_GREY, _BLUE, _ORANGE)[place], label=each.kind)
    axes.axhline(1, color="black", linewidth=0.5)
    axes.set_xticks(range(3), ("foot skate", "below floor", "jitter"))
    axes.set(title="relative to the recordings")
    axes.legend(fontsize=8)
    return None


def _editing(axes: Axes, figures: DatasetFigures) -> None:
    if not figures.editing:
        return _empty(axes, "editing, by the classifier")
    ways = [each.way for each in figures.editing]
    bars = {"content kept": [e.content for e in figures.editing], "new style": [e.new_style for e in figures.editing]}
    for place, (name, values) in enumerate(bars.items()):
        spots = [way + 0.4 * place - 0.2 for way in range(len(ways))]
        axes.bar(spots, values, width=0.38, color=(_BLUE, _ORANGE)[place], label=name)
    axes.set_xticks(range(len(ways)), [way.replace(" ", "\n") for way in ways], fontsize=8)
    axes.set(title="editing, % by the classifier", ylim=(0, 118))
    axes.legend(fontsize=8, ncols=2)
    return None
