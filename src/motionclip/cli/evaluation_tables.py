"""The figures of an evaluation as tables: on the screen and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from motionclip.applications.evaluate import DatasetFigures, Evaluation
    from motionclip.applications.measures.editing import Edited
    from motionclip.applications.measures.generation import Generation, MotionSet
    from motionclip.applications.measures.interpolation import Interpolation
    from motionclip.applications.measures.reconstruction import Reconstruction
    from motionclip.applications.measures.retrieval import Protocol
    from motionclip.metrics.recognition import Recognition, Share
    from motionclip.metrics.retrieval import Retrieval

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
    """The section for a terminal."""
    from rich.table import Table

    table = Table(title=section.title, title_justify="left")
    for place, name in enumerate(section.header):
        table.add_column(name, justify="right" if place else "left")
    for row in section.rows:
        table.add_row(*row)
    return table


def markdown(evaluation: Evaluation) -> str:
    """All figures as a Markdown text."""
    lines = [f"# Figures on the `{evaluation.split}` split", ""]
    for figures in evaluation.datasets:
        lines += [f"## {figures.dataset}, {figures.clips} clips", ""]
        for section in sections(figures):
            lines += [f"### {section.title}", "", _row(section.header), _row(["---"] * len(section.header))]
            lines += [*(_row(row) for row in section.rows), ""]
    return "\n".join(lines)


def sections(figures: DatasetFigures) -> Iterator[Section]:
    """The tables of one data set, those that it has."""
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


def _row(cells: list[str] | tuple[str, ...]) -> str:
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
