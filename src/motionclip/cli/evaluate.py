"""`motionclip evaluate`: the figures of a model on prepared stores."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

import motionclip
from motionclip.cli.console import plain, say, write_json, write_text
from motionclip.cli.options import JsonFile, Model, Picture, Stores, check_picture, optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table

    from motionclip.applications.evaluate.evaluate import DatasetFigures, Evaluation
    from motionclip.applications.evaluate.generation import Edited, Generation, Interpolation, MotionSet
    from motionclip.applications.evaluate.reconstruction import Reconstruction
    from motionclip.applications.evaluate.retrieval import Protocol
    from motionclip.metrics.recognition import Recognition

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
    evaluation = motionclip.evaluate(options.load(many=True), stores, split, evaluator=judge, on_stage=say)
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


@dataclass(frozen=True)
class Section:
    """A table with a heading."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def screen_table(section: Section) -> Table:
    """Returns a section for a terminal."""
    from rich.table import Table

    table = Table(title=plain(section.title), title_justify="left")
    for column, name in enumerate(section.header):
        table.add_column(name, justify="right" if column else "left")
    for row in section.rows:
        table.add_row(*map(plain, row))
    return table


def markdown(evaluation: Evaluation) -> str:
    """Returns all figures as Markdown."""
    lines = [f"# Figures on the `{evaluation.split}` split", ""]
    for figures in evaluation.datasets:
        lines += [f"## {figures.dataset}, {figures.clips} clips", ""]
        for section in sections(figures):
            rows = [section.header, ["---"] * len(section.header), *section.rows]
            lines += [f"### {section.title}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
    return "\n".join(lines)


def sections(figures: DatasetFigures) -> Iterator[Section]:
    """Yields the tables of a data set, those that it has figures for."""
    if figures.reconstruction is not None:
        yield _reconstruction(figures.reconstruction)
    if figures.recognition:
        yield _recognition(figures.recognition)
    if figures.retrieval:
        yield _retrieval(figures.retrieval)
    if figures.generation is not None:
        yield _generation(figures.generation)
    if figures.editing:
        header = ("edit", "content kept %", "old style %", "new style %", "content and new style %", "joints moved, mm")
        edits = [(e.way, e.content, e.old_style, e.new_style, e.both, e.moved_mm) for e in figures.editing]
        yield Section("Editing, by the classifier", header, [(way, *map(_tenth, values)) for way, *values in edits])
    if figures.interpolation is not None:
        yield _interpolation(figures.interpolation)


def _tenth(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _reconstruction(measured: Reconstruction) -> Section:
    units = {
        "mpjpe_mm": ("MPJPE", "mm"),
        "pa_mpjpe_mm": ("PA-MPJPE", "mm"),
        "orientation_deg": ("orientation error", "deg"),
        "velocity_cm_s": ("velocity error", "cm/s"),
        "acceleration_m_s2": ("acceleration error", "m/s2"),
        "vertex_mm": ("vertex error", "mm"),
        "root_path_cm": ("root path error", "cm"),
        "pca_mpjpe_mm": ("MPJPE of PCA with as many numbers", "mm"),
    }
    values = [(name, getattr(measured, attribute), unit) for attribute, (name, unit) in units.items()]
    rows = [(name, f"{value:.2f} {unit}") for name, value, unit in values if value is not None]
    return Section(f"Reconstruction, {measured.windows} windows", ("figure", "value"), rows)


def _recognition(label_sets: Sequence[Recognition]) -> Section:
    header = ("labels", "of", "top-1 %", "chance", "top-5 %", "chance", "class mean %", "chance")
    rows = []
    for found in label_sets:
        shares = (found.top1, found.top5, found.class_mean)
        cells = [(f"{share.value:.1f} [{share.low:.1f}, {share.high:.1f}]", f"{share.chance:.1f}") for share in shares]
        rows.append((found.labels, str(found.classes), *itertools.chain(*cells)))
    return Section("Recognition [95 % interval]", header, rows)


def _retrieval(protocols: Sequence[Protocol]) -> Section:
    rows = []
    for protocol in protocols:
        ways = {"text to motion": protocol.text_to_motion, "motion to text": protocol.motion_to_text}
        for way, found in (ways | {"chance": protocol.chance}).items():
            recall = [f"{value:.1f}" for value in found.recall]
            rows.append((f"{protocol.name}, {way}", *recall, f"{found.median_rank:g}", str(found.candidates)))
    return Section("Retrieval, %", ("protocol", "R@1", "R@2", "R@3", "R@5", "R@10", "median rank", "of"), rows)


def _interpolation(path: Interpolation) -> Section:
    rows = [
        ("largest step over mean step", f"{path.largest_step:.2f}"),
        ("length over distance of the ends", f"{path.detour:.2f}"),
        ("steps towards the end", "-" if path.towards is None else f"{path.towards:.1f} %"),
        ("foot skate of the ends", f"{path.skate_ends_cm_s:.1f} cm/s"),
        ("foot skate between", f"{path.skate_between_cm_s:.1f} cm/s"),
    ]
    return Section(f"Interpolation, {path.pairs} pairs", ("figure", "value"), rows)


def _generation(made: Generation) -> Section:
    rows = [
        ("foot skate, cm/s", *(f"{each.physics.skate_cm_s:.1f}" for each in made.sets)),
        ("feet below the floor, cm", *(f"{each.physics.penetration_cm:.2f}" for each in made.sets)),
        ("jitter, m/s3", *(f"{each.physics.jitter_m_s3:.0f}" for each in made.sets)),
    ]
    judged = [each.judged for each in made.sets if each.judged is not None]
    if judged:
        rows += [
            ("FID", *(f"{each.fid:.3f}" for each in judged)),
            ("FID of halves", *(f"{each.fid_halves:.3f}" for each in judged)),
            ("diversity", *(f"{each.diversity:.3f}" for each in judged)),
        ]
        for top in range(3):
            values = (None if each.r_precision is None else each.r_precision[top] for each in judged)
            rows.append((f"R-precision top-{top + 1}, %", *map(_tenth, values)))
        rows.append(("content seen by the classifier, %", *(_tenth(each.content) for each in judged)))
        rows.append(("style seen by the classifier, %", *(_tenth(each.style) for each in judged)))
    if made.multimodality is not None:
        rows.append(("multimodality", "-", "-", f"{made.multimodality:.3f}"))
    return Section(f"Text to motion, {made.clips} clips", ("figure", *(each.kind for each in made.sets)), rows)


# Plots.

_ORANGE, _BLUE, _GREY = "#d9822b", "#2f6db3", "#9a9a9a"


def write_plot(evaluation: Evaluation, path: Path) -> None:
    """Writes a PNG with a row of plots for each data set."""
    from matplotlib.figure import Figure

    from motionclip.formats.files import replacing

    rows = len(evaluation.datasets)
    figure = Figure(figsize=(15, 3.6 * rows), layout="constrained")
    for axes, figures in zip(figure.subplots(rows, 4, squeeze=False), evaluation.datasets, strict=True):
        _plot_retrieval(axes[0], figures.retrieval)
        _plot_recognition(axes[1], figures.recognition)
        _plot_generation(axes[2], () if figures.generation is None else figures.generation.sets)
        _plot_editing(axes[3], figures.editing)
        axes[0].set_ylabel(figures.dataset)
        for place in axes:
            if place.has_data():
                place.legend(fontsize=8)
            else:
                place.text(0.5, 0.5, "not measured", ha="center", va="center", color=_GREY)
                place.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def _plot_retrieval(axes: Axes, protocols: Sequence[Protocol]) -> None:
    from motionclip.metrics.retrieval import RECALLS

    for protocol in protocols:
        line = axes.plot(RECALLS, protocol.text_to_motion.recall, marker="o", markersize=3, label=protocol.name)[0]
        axes.plot(RECALLS, protocol.chance.recall, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(title="text to motion, R@k (dotted: chance)", xticks=RECALLS, xlabel="k", ylim=(0, 103))


def _plot_recognition(axes: Axes, label_sets: Sequence[Recognition]) -> None:
    axes.set(title="recognition, top-1 %, 95 % interval", ylim=(0, 103))
    if label_sets:
        names = [f"{found.labels}\n(of {found.classes})" for found in label_sets]
        shares = [found.top1 for found in label_sets]
        bounds = [[share.value - share.low for share in shares], [share.high - share.value for share in shares]]
        axes.bar(names, [share.value for share in shares], yerr=bounds, color=_BLUE, capsize=3)
        axes.bar(names, [share.chance for share in shares], color=_GREY, label="chance")


def _plot_generation(axes: Axes, sets: Sequence[MotionSet]) -> None:
    axes.set_title("feet and joints, relative to the recordings")
    values = [(each.physics.skate_cm_s, each.physics.penetration_cm, each.physics.jitter_m_s3) for each in sets]
    for number, (each, own) in enumerate(zip(sets, values, strict=True)):
        relative = [value / max(real, 1e-9) for value, real in zip(own, values[0], strict=True)]
        spots = [name + 0.27 * (number - 1) for name in range(3)]
        axes.bar(spots, relative, width=0.25, color=(_GREY, _BLUE, _ORANGE)[number], label=each.kind)
    if sets:
        axes.axhline(1, color="black", linewidth=0.5)
        axes.set_xticks(range(3), ("foot skate", "below floor", "jitter"))


def _plot_editing(axes: Axes, edits: Sequence[Edited]) -> None:
    axes.set(title="editing, % by the classifier", ylim=(0, 118))
    bars = {"content kept": [each.content for each in edits], "new style": [each.new_style for each in edits]}
    for number, (name, values) in enumerate(bars.items() if edits else ()):
        spots = [way + 0.4 * number - 0.2 for way in range(len(edits))]
        axes.bar(spots, values, width=0.38, color=(_BLUE, _ORANGE)[number], label=name)
    axes.set_xticks(range(len(edits)), [each.way.replace(" ", "\n") for each in edits], fontsize=8)
