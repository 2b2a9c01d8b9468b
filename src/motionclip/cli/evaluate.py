"""`motionclip evaluate`: the figures of a model on prepared stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

import motionclip
from motionclip.cli.console import say, write_json, write_text
from motionclip.cli.options import JsonFile, Model, Picture, Stores, check_picture, optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table

    from motionclip.applications.evaluate.evaluate import DatasetFigures, Evaluation
    from motionclip.applications.evaluate.generation import Edited, Generation, Interpolation, MotionSet
    from motionclip.applications.evaluate.reconstruction import Reconstruction
    from motionclip.applications.evaluate.retrieval import Protocol
    from motionclip.metrics.recognition import Recognition, Share
    from motionclip.metrics.retrieval import Retrieval

#: Instead of an evaluator's name: measure without one.
_NO_EVALUATOR = "none"


def evaluate(
    *,
    data: Stores,
    evaluator: Annotated[str, arg(metavar="NAME|DIR|none")] = "evaluator",
    split: Literal["test", "val", "train"] = "test",
    json_file: JsonFile = None,
    table: Annotated[Path | None, optional(Path, "FILE.md")] = None,
    plot: Picture = None,
    options: Model,
) -> None:
    """Measure a model on prepared stores.

    Reconstruction, recognition, retrieval, text to motion, editing, interpolation and feet:
    docs/evaluation.md defines each figure. The same command gives the same figures.

    Args:
        evaluator: Network that judges motions: the shipped one, a folder made by `motionclip train-evaluator`, or none.
        split: Clips to measure on.
        table: Also write the figures as Markdown tables.
        plot: Also draw the figures.
    """
    from motionclip.data.store import Store
    from motionclip.metrics.evaluator import load_evaluator

    check_picture(plot)
    stores = [Store.open(path) for path in data]
    judge = None if evaluator == _NO_EVALUATOR else load_evaluator(evaluator)
    if judge is None:
        say("no evaluator: no R-precision, FID, diversity, multimodality or editing; `motionclip train-evaluator`")
    evaluation = motionclip.evaluate(options.load(), stores, split, evaluator=judge, on_stage=say)
    for figures in evaluation.datasets:
        say("", f"{figures.dataset}: {figures.clips} clips", *map(screen_table, sections(figures)))
    values = {"model": options.model, "data": [str(path) for path in data], "evaluator": evaluator}
    if json_file is not None:
        write_json(values | evaluation.to_dict(), json_file)
        say(json_file)
    if table is not None:
        write_text(markdown(evaluation), table)
        say(table)
    if plot is not None:
        write_plot(evaluation, plot)
        say(plot)


# Tables: on the screen and in Markdown.

#: Names and units of the reconstruction figures, by attribute.
_RECONSTRUCTION = {
    "mpjpe_mm": ("MPJPE", "mm"),
    "pa_mpjpe_mm": ("PA-MPJPE", "mm"),
    "orientation_deg": ("orientation error", "deg"),
    "velocity_cm_s": ("velocity error", "cm/s"),
    "acceleration_m_s2": ("acceleration error", "m/s2"),
    "vertex_mm": ("vertex error", "mm"),
    "root_path_cm": ("root path error", "cm"),
    "pca_mpjpe_mm": ("MPJPE of PCA with as many numbers", "mm"),
}


@dataclass(frozen=True)
class Section:
    """A table with a heading."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def screen_table(section: Section) -> Table:
    """Returns a section for a terminal."""
    from rich.table import Table

    table = Table(title=section.title, title_justify="left")
    for column, name in enumerate(section.header):
        table.add_column(name, justify="right" if column else "left")
    for row in section.rows:
        table.add_row(*row)
    return table


def markdown(evaluation: Evaluation) -> str:
    """Returns all figures as Markdown."""
    lines = [f"# Figures on the `{evaluation.split}` split", ""]
    for figures in evaluation.datasets:
        lines += [f"## {figures.dataset}, {figures.clips} clips", ""]
        for section in sections(figures):
            lines += [f"### {section.title}", "", _row(section.header), _row(["---"] * len(section.header))]
            lines += [*(_row(row) for row in section.rows), ""]
    return "\n".join(lines)


def sections(figures: DatasetFigures) -> Iterator[Section]:
    """Yields the tables of a data set, those that it has figures for."""
    if figures.reconstruction is not None:
        yield _reconstruction(figures.reconstruction)
    if figures.recognition:
        header = ("labels", "of", "top-1 %", "chance", "top-5 %", "chance", "class mean %", "chance")
        yield Section("Recognition [95 % interval]", header, tuple(_recognition(each) for each in figures.recognition))
    if figures.retrieval:
        yield _retrieval(figures.retrieval)
    if figures.generation is not None:
        yield _generation(figures.generation)
    if figures.editing:
        yield _editing(figures.editing)
    if figures.interpolation is not None:
        yield _interpolation(figures.interpolation)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _tenth(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _reconstruction(made: Reconstruction) -> Section:
    values = {name: getattr(made, name) for name in _RECONSTRUCTION}
    rows = [
        (_RECONSTRUCTION[name][0], f"{value:.2f} {_RECONSTRUCTION[name][1]}")
        for name, value in values.items()
        if value is not None
    ]
    return Section(f"Reconstruction, {made.windows} windows", ("figure", "value"), tuple(rows))


def _recognition(found: Recognition) -> tuple[str, ...]:
    shares = (found.top1, found.top5, found.class_mean)
    return (found.labels, str(found.classes), *(cell for share in shares for cell in _share(share)))


def _share(share: Share) -> tuple[str, str]:
    return f"{share.value:.1f} [{share.low:.1f}, {share.high:.1f}]", f"{share.chance:.1f}"


def _ranks(found: Retrieval) -> tuple[str, ...]:
    return (*(f"{value:.1f}" for value in found.recall), f"{found.median_rank:g}", str(found.candidates))


def _retrieval(protocols: tuple[Protocol, ...]) -> Section:
    rows = [
        (f"{protocol.name}, {way}", *_ranks(found))
        for protocol in protocols
        for way, found in (
            ("text to motion", protocol.text_to_motion),
            ("motion to text", protocol.motion_to_text),
            ("chance", protocol.chance),
        )
    ]
    return Section("Retrieval, %", ("protocol", "R@1", "R@2", "R@3", "R@5", "R@10", "median rank", "of"), tuple(rows))


def _editing(edits: tuple[Edited, ...]) -> Section:
    header = ("edit", "content kept %", "old style %", "new style %", "content and new style %", "joints moved, mm")
    rows = [
        (each.way, *map(_tenth, (each.content, each.old_style, each.new_style, each.both, each.moved_mm)))
        for each in edits
    ]
    return Section("Editing, by the classifier", header, tuple(rows))


def _interpolation(path: Interpolation) -> Section:
    rows = [
        ("largest step over mean step", f"{path.largest_step:.2f}"),
        ("length over distance of the ends", f"{path.detour:.2f}"),
        ("steps towards the end", "-" if path.towards is None else f"{path.towards:.1f} %"),
        ("foot skate of the ends", f"{path.skate_ends_cm_s:.1f} cm/s"),
        ("foot skate between", f"{path.skate_between_cm_s:.1f} cm/s"),
    ]
    return Section(f"Interpolation, {path.pairs} pairs", ("figure", "value"), tuple(rows))


def _generation(made: Generation) -> Section:
    rows = [
        ("foot skate, cm/s", *(f"{each.physics.skate_cm_s:.1f}" for each in made.sets)),
        ("feet below the floor, cm", *(f"{each.physics.penetration_cm:.2f}" for each in made.sets)),
        ("jitter, m/s3", *(f"{each.physics.jitter_m_s3:.0f}" for each in made.sets)),
        *_judged(made.sets),
    ]
    if made.multimodality is not None:
        rows.append(("multimodality", "-", "-", f"{made.multimodality:.3f}"))
    header = ("figure", *(each.kind for each in made.sets))
    return Section(f"Text to motion, {made.clips} clips", header, tuple(rows))


def _judged(sets: tuple[MotionSet, ...]) -> list[tuple[str, ...]]:
    found = [each.judged for each in sets if each.judged is not None]
    if not found:
        return []
    rows = [
        ("FID", *(f"{each.fid:.3f}" for each in found)),
        ("FID of halves", *(f"{each.fid_halves:.3f}" for each in found)),
        ("diversity", *(f"{each.diversity:.3f}" for each in found)),
    ]
    for top in range(3):
        values = (None if each.r_precision is None else each.r_precision[top] for each in found)
        rows.append((f"R-precision top-{top + 1}, %", *map(_tenth, values)))
    rows.append(("content seen by the classifier, %", *(_tenth(each.content) for each in found)))
    rows.append(("style seen by the classifier, %", *(_tenth(each.style) for each in found)))
    return rows


# One picture.

_ORANGE, _BLUE, _GREY = "#d9822b", "#2f6db3", "#9a9a9a"


def write_plot(evaluation: Evaluation, path: Path) -> None:
    """Writes a PNG with a row for each data set."""
    from matplotlib.figure import Figure

    from motionclip.formats.files import replacing

    rows = len(evaluation.datasets)
    figure = Figure(figsize=(15, 3.6 * rows), layout="constrained")
    grid = figure.subplots(rows, 4, squeeze=False)
    for axes, figures in zip(grid, evaluation.datasets, strict=True):
        for draw, place in zip(
            (_plot_retrieval, _plot_recognition, _plot_generation, _plot_editing), axes, strict=True
        ):
            draw(place, figures)
        axes[0].set_ylabel(figures.dataset)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def _empty(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", color=_GREY)
    axes.set_xticks([])
    axes.set_yticks([])


def _plot_retrieval(axes: Axes, figures: DatasetFigures) -> None:
    from motionclip.metrics.retrieval import RECALLS

    if not figures.retrieval:
        return _empty(axes, "text to motion, R@k")
    for protocol in figures.retrieval:
        line = axes.plot(RECALLS, protocol.text_to_motion.recall, marker="o", markersize=3, label=protocol.name)[0]
        axes.plot(RECALLS, protocol.chance.recall, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(title="text to motion, R@k (dotted: chance)", xticks=RECALLS, xlabel="k", ylim=(0, 103))
    axes.legend(fontsize=8)
    return None


def _plot_recognition(axes: Axes, figures: DatasetFigures) -> None:
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


def _plot_generation(axes: Axes, figures: DatasetFigures) -> None:
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


def _plot_editing(axes: Axes, figures: DatasetFigures) -> None:
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
