"""`motionclip caption`: the sentences that are nearest to what is done in motion files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from motionclip.applications.caption import Caption


def caption(
    files: Annotated[tuple[Path, ...], tyro.conf.Positional],
    /,
    sentences: Path | None = None,
    top: int = 5,
    out: Path | None = None,
    json_file: Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")] = None,
    model: str = "base",
    tower_weights: Path | None = None,
) -> None:
    """Show the sentences nearest to each motion, of the whole or of each four seconds of a longer one.

    Args:
        files: .bvh, .amc or .npz files (ours or AMASS).
        sentences: a text file with one sentence a line to choose from; the package's own if not given.
        top: how many sentences to show.
        out: a .png picture of the stretches, each under its nearest sentence.
        json_file: where to write all of them.
        model: a shipped model's name, a model folder, or a run folder.
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
    """
    from motionclip.applications.caption import caption as caption_motions
    from motionclip.applications.labels import read_lines
    from motionclip.cli.console import say
    from motionclip.cli.results import check_picture, write_json, write_sheet
    from motionclip.errors import MotionClipError
    from motionclip.formats import read_motion
    from motionclip.model.pipeline import load
    from motionclip.motion import crop

    if not files:
        raise MotionClipError("no file; expected one or more motion files")
    check_picture(out)
    texts = None if sentences is None else read_lines(sentences, "one sentence a line")
    motions = [read_motion(path) for path in files]
    found = caption_motions(load(model, tower_weights=tower_weights), motions, texts, top=top)
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
