"""`motionclip recognize` and `motionclip caption`: labels and sentences for motion files, and when each applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

import motionclip
from motionclip.cli.console import plain, say, write_json, write_sheet
from motionclip.cli.options import JsonFile, Model, MotionFiles, Picture, check_picture, optional, read_motions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table

    from motionclip.applications.caption import CaptionSpan
    from motionclip.applications.recognize import Recognition
    from motionclip.motion import Motion

Top = Annotated[int, arg(metavar="N")]


def recognize(
    files: MotionFiles,
    /,
    *,
    labels: Annotated[str, arg(metavar="NAME|FILE.txt")] = "babel60",
    top: Top = 5,
    none_below: Annotated[float | None, optional(float, "COSINE", default="the label set's own")] = None,
    out: Picture = None,
    json_file: JsonFile = None,
    options: Model,
) -> None:
    """Name what is done in motion files, and when: the nearest of some labels.

    Motions may have any length; those of more than 3 seconds get a timeline.

    Args:
        labels: Label set: babel60, babel120, bandai, or a text file with one label a line.
        top: Number of guesses to show for each file.
        none_below: Cosine that a label has to reach, or else the answer is "none of these"; -1 always names a label.
        out: Also draw the timelines.
    """
    from motionclip.applications.recognize import label_set

    check_picture(out)
    chosen, motions = label_set(labels), read_motions(files)
    found = motionclip.recognize(options.load(many=True), motions, chosen, top=top, none_below=none_below)
    for path, recognition in zip(files, found, strict=True):
        say(*_tables(path, recognition))
    if json_file is not None:
        values = [{"file": str(path), **asdict(answer)} for path, answer in zip(files, found, strict=True)]
        write_json({"labels": labels, "files": values}, json_file)
        say(json_file)
    if out is not None:
        draw_timelines([path.name for path in files], motions, found, out)
        say(out)


def _tables(path: Path, found: Recognition) -> list[Table]:
    """Returns the table of guesses, and that of the timeline if it has more than one entry."""
    from rich.table import Table

    guesses = Table("label", title=plain(f"{path}: {found.seconds:.1f} s"), title_justify="left")
    guesses.add_column("confidence", justify="right")
    guesses.add_column("cosine", justify="right")
    for guess in found.guesses:
        guesses.add_row(plain(guess.label), f"{100 * guess.confidence:.1f} %", f"{guess.cosine:.2f}")
    if len(found.timeline) == 1:
        return [guesses]
    timeline = Table()
    for name in ("from", "to"):
        timeline.add_column(name, justify="right")
    timeline.add_column("label")
    timeline.add_column("confidence", justify="right")
    for run in found.timeline:
        timeline.add_row(f"{run.start:.1f} s", f"{run.end:.1f} s", plain(run.label), f"{100 * run.confidence:.0f} %")
    return [guesses, timeline]


def caption(
    files: MotionFiles,
    /,
    *,
    sentences: Annotated[Path | None, optional(Path, "FILE.txt", default="the package's own sentences")] = None,
    top: Top = 5,
    out: Picture = None,
    json_file: JsonFile = None,
    options: Model,
) -> None:
    """Describe motion files, each four seconds of longer ones, by the nearest sentences.

    Args:
        sentences: Text file with the sentences to choose from, one a line.
        top: Number of sentences to show.
        out: Also draw each stretch under its nearest sentence.
    """
    from motionclip.applications.recognize import read_lines
    from motionclip.motion import crop

    check_picture(out)
    texts = None if sentences is None else read_lines(sentences, "one sentence a line")
    motions = read_motions(files)
    found = motionclip.caption(options.load(many=True), motions, texts, top=top)
    for path, stretches in zip(files, found, strict=True):
        say(_caption_table(path, stretches))
    if json_file is not None:
        values = [
            {"file": str(path), "stretches": [asdict(stretch) for stretch in stretches]}
            for path, stretches in zip(files, found, strict=True)
        ]
        write_json(values, json_file)
        say(json_file)
    if out is not None:
        shown = [(motion, stretch) for motion, own in zip(motions, found, strict=True) for stretch in own]
        strips = [crop(motion, stretch.start, stretch.end) for motion, stretch in shown]
        titles = [f"{stretch.nearest[0].cosine:.2f}  {stretch.nearest[0].text}" for _, stretch in shown]
        write_sheet(strips, titles, out)
        say(out)


def _caption_table(path: Path, stretches: Sequence[CaptionSpan]) -> Table:
    from rich.table import Table

    table = Table(title=plain(str(path)), title_justify="left")
    for name in ("from", "to"):
        table.add_column(name, justify="right")
    table.add_column("sentence")
    table.add_column("cosine", justify="right")
    for stretch in stretches:
        for number, sentence in enumerate(stretch.nearest):
            times = (f"{stretch.start:.1f} s", f"{stretch.end:.1f} s") if number == 0 else ("", "")
            table.add_row(*times, plain(sentence.text), f"{sentence.cosine:.2f}")
    return table


# The picture of timelines.

_WIDTH, _HEIGHT = 11.0, 1.9  # inches, of the picture and of one motion in it
_POSES, _PIXELS = 10, 150
_NONE_COLOUR = "0.85"
_LETTER = 0.0105  # width of a letter as a share of the axes


def draw_timelines(titles: Sequence[str], motions: Sequence[Motion], found: Sequence[Recognition], path: Path) -> None:
    """Writes a PNG with the poses of each motion above coloured bars, one for each entry of its timeline."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    from motionclip.applications.recognize import NONE
    from motionclip.formats.files import replacing

    labels = dict.fromkeys(run.label for recognition in found for run in recognition.timeline if run.label != NONE)
    order = [*range(0, 20, 2), *range(1, 20, 2)]  # of tab20: the dark shades first, then their pale twins
    colours: dict[str, object] = {label: colormaps["tab20"](order[n % 20]) for n, label in enumerate(labels)}
    colours[NONE] = _NONE_COLOUR
    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(found) + 0.3), layout="constrained")
    rows = figure.subplots(2 * len(found), 1, squeeze=False, height_ratios=[1.0, 0.35] * len(found))[:, 0]
    for number, (title, motion, recognition) in enumerate(zip(titles, motions, found, strict=True)):
        _draw_poses(rows[2 * number], motion, title)
        _draw_timeline(rows[2 * number + 1], recognition, colours)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)


def _draw_poses(axes: Axes, motion: Motion, title: str) -> None:
    """Draws the poses at the middles of equal spans of time."""
    from motionclip.render import render_clip_frames

    frames = [int((number + 0.5) / _POSES * motion.num_frames) for number in range(_POSES)]
    for number, frame in enumerate(render_clip_frames(motion, frames, size=_PIXELS)):
        axes.imshow(frame, extent=(number, number + 1, 0, 1), aspect="auto", interpolation="antialiased")
    axes.set(xlim=(0, _POSES), ylim=(0, 1))
    axes.set_title(title, loc="left", fontsize=9)
    axes.axis("off")


def _draw_timeline(axes: Axes, found: Recognition, colours: Mapping[str, object]) -> None:
    """Draws a bar for each entry, with as much of its label as fits."""
    for run in found.timeline:
        length = run.end - run.start
        axes.barh(0, length, left=run.start, height=1, color=colours[run.label], edgecolor="white")
        letters = int(length / found.seconds / _LETTER)
        text = run.label if len(run.label) <= letters else run.label[: letters - 1] + "…"
        if letters >= 4:
            axes.text(run.start + length / 2, 0, text, ha="center", va="center", fontsize=8)
    axes.set(xlim=(0, found.seconds), ylim=(-0.5, 0.5), yticks=[])
    axes.tick_params(labelsize=8)
    axes.set_xlabel("seconds", fontsize=8)
