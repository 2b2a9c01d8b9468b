"""`motionclip recognize`: what is done in motion files, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from rich.table import Table

    from motionclip.applications.recognize import Recognition


def recognize(
    files: Annotated[tuple[Path, ...], tyro.conf.Positional],
    /,
    labels: str = "babel60",
    top: int = 5,
    none_below: float | None = None,
    out: Path | None = None,
    json_file: Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")] = None,
    model: str = "base",
    tower_weights: Path | None = None,
) -> None:
    """Name the nearest of some labels for each motion, of any length, with a timeline for those of more than 3 seconds.

    Args:
        files: .bvh, .amc or .npz files (ours or AMASS).
        labels: babel60, babel120, bandai, or a text file with one label a line.
        top: how many guesses to show for each file.
        none_below: cosine that a label has to reach, else the answer is "none of these"; -1 always names a label. Each
            set of labels has its own.
        out: a .png picture of the timelines.
        json_file: where to write all answers.
        model: a shipped model's name, a model folder, or a run folder.
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
    """
    from motionclip.applications.labels import label_set
    from motionclip.applications.recognize import recognize as recognize_motions
    from motionclip.cli.console import say
    from motionclip.cli.results import check_picture, write_json
    from motionclip.cli.timeline import draw_timelines
    from motionclip.errors import MotionClipError
    from motionclip.formats import read_motion
    from motionclip.model.pipeline import load

    if not files:
        raise MotionClipError("no file; expected one or more motion files")
    check_picture(out)
    chosen, motions = label_set(labels), [read_motion(path) for path in files]
    found = recognize_motions(load(model, tower_weights=tower_weights), motions, chosen, top=top, none_below=none_below)
    for path, recognition in zip(files, found, strict=True):
        say(*_tables(path, recognition))
    if json_file is not None:
        values = [{"file": str(path), **asdict(answer)} for path, answer in zip(files, found, strict=True)]
        write_json({"labels": labels, "files": values}, json_file)
        say(json_file)
    if out is not None:
        draw_timelines([path.name for path in files], motions, found, out)
        say(out)


def _tables(path: Path, found: Recognition) -> Sequence[Table]:
    from rich.table import Table

    guesses = Table("label", title=f"{path}: {found.seconds:.1f} s", title_justify="left")
    guesses.add_column("confidence", justify="right")
    guesses.add_column("cosine", justify="right")
    for guess in found.guesses:
        guesses.add_row(guess.label, f"{100 * guess.confidence:.1f} %", f"{guess.cosine:.2f}")
    if len(found.timeline) == 1:
        return [guesses]
    runs = Table()
    for name in ("from", "to"):
        runs.add_column(name, justify="right")
    runs.add_column("label")
    runs.add_column("confidence", justify="right")
    for run in found.timeline:
        runs.add_row(f"{run.start:.1f} s", f"{run.end:.1f} s", run.label, f"{100 * run.confidence:.0f} %")
    return [guesses, runs]
