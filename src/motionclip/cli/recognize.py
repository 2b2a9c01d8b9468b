"""`motionclip recognize`: what is done in motion files, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from motionclip.applications.recognize import NONE, Recognition
from motionclip.formats.files import replacing
from motionclip.motion import Motion
from motionclip.render import render_clip_frames

if TYPE_CHECKING:
    from matplotlib.axes import Axes


from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from rich.table import Table

    from motionclip.applications.recognize import Recognition


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from motionclip.applications.caption import Caption


# The picture of what is done when in some motions.


_WIDTH, _HEIGHT = 11.0, 1.9  # inches, of all and of a motion
_POSES, _PIXELS = 10, 150
_NONE_COLOUR = "0.85"
_LETTER = 0.0105  # width of a letter as a share of the axes


def draw_timelines(titles: Sequence[str], motions: Sequence[Motion], found: Sequence[Recognition], path: Path) -> None:
    """Write a picture of each motion's poses above coloured stretches, one for each run of its timeline."""
    from matplotlib.figure import Figure

    labels = list(dict.fromkeys(run.label for recognition in found for run in recognition.timeline))
    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(found) + 0.3), layout="constrained")
    rows = figure.subplots(2 * len(found), 1, squeeze=False, height_ratios=[1.0, 0.35] * len(found))[:, 0]
    colours = _colours(labels)
    for number, (title, motion, recognition) in enumerate(zip(titles, motions, found, strict=True)):
        _draw_poses(rows[2 * number], motion, title)
        _draw_runs(rows[2 * number + 1], recognition, colours)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)


def _colours(labels: Sequence[str]) -> Mapping[str, object]:
    from matplotlib import colormaps

    palette = colormaps["tab20"]
    named = [label for label in labels if label != NONE]
    # dark shades first, then their pale twins
    order = [*range(0, 20, 2), *range(1, 20, 2)]
    return {label: palette(order[number % 20]) for number, label in enumerate(named)} | {NONE: _NONE_COLOUR}


def _draw_poses(axes: Axes, motion: Motion, title: str) -> None:
    """Poses at the middles of equal stretches of time."""
    frames = [int((number + 0.5) / _POSES * motion.num_frames) for number in range(_POSES)]
    for number, picture in enumerate(render_clip_frames(motion, frames, size=_PIXELS)):
        axes.imshow(picture, extent=(number, number + 1, 0, 1), aspect="auto", interpolation="antialiased")
    axes.set(xlim=(0, _POSES), ylim=(0, 1))
    axes.set_title(title, loc="left", fontsize=9)
    axes.axis("off")


def _draw_runs(axes: Axes, found: Recognition, colours: Mapping[str, object]) -> None:
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


def recognize(
    files: Annotated[tuple[Path, ...], tyro.conf.Positional],
    /,
    labels: str = "babel60",
    top: int = 5,
    none_below: float | None = None,
    out: Path | None = None,
    json_file: Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")] = None,
    model: str = "base",
    encoder_weights: Path | None = None,
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
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
    """
    from motionclip.applications.recognize import label_set
    from motionclip.applications.recognize import recognize as recognize_motions
    from motionclip.cli.console import check_picture, say, write_json
    from motionclip.errors import MotionClipError
    from motionclip.io import read_motion
    from motionclip.model.pipeline import load

    if not files:
        raise MotionClipError("no file; expected one or more motion files")
    check_picture(out)
    chosen, motions = label_set(labels), [read_motion(path) for path in files]
    found = recognize_motions(
        load(model, encoder_weights=encoder_weights), motions, chosen, top=top, none_below=none_below
    )
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


# `motionclip caption`: the sentences that are nearest to what is done in motion files.


def caption(
    files: Annotated[tuple[Path, ...], tyro.conf.Positional],
    /,
    sentences: Path | None = None,
    top: int = 5,
    out: Path | None = None,
    json_file: Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")] = None,
    model: str = "base",
    encoder_weights: Path | None = None,
) -> None:
    """Show the sentences nearest to each motion, of the whole or of each four seconds of a longer one.

    Args:
        files: .bvh, .amc or .npz files (ours or AMASS).
        sentences: a text file with one sentence a line to choose from; the package's own if not given.
        top: how many sentences to show.
        out: a .png picture of the stretches, each under its nearest sentence.
        json_file: where to write all of them.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
    """
    from motionclip.applications.caption import caption as caption_motions
    from motionclip.applications.recognize import read_lines
    from motionclip.cli.console import check_picture, say, write_json, write_sheet
    from motionclip.errors import MotionClipError
    from motionclip.io import read_motion
    from motionclip.model.pipeline import load
    from motionclip.motion import crop

    if not files:
        raise MotionClipError("no file; expected one or more motion files")
    check_picture(out)
    texts = None if sentences is None else read_lines(sentences, "one sentence a line")
    motions = [read_motion(path) for path in files]
    found = caption_motions(load(model, encoder_weights=encoder_weights), motions, texts, top=top)
    for path, stretches in zip(files, found, strict=True):
        say(_table(path, stretches))
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


def _table(path: Path, stretches: Sequence[Caption]) -> Table:
    from rich.table import Table

    table = Table(title=str(path), title_justify="left")
    for name in ("from", "to"):
        table.add_column(name, justify="right")
    table.add_column("sentence")
    table.add_column("cosine", justify="right")
    for stretch in stretches:
        for number, sentence in enumerate(stretch.nearest):
            times = (f"{stretch.start:.1f} s", f"{stretch.end:.1f} s") if number == 0 else ("", "")
            table.add_row(*times, sentence.text, f"{sentence.cosine:.2f}")
    return table
