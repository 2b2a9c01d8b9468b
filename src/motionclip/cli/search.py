"""`motionclip search`: motions of a library by text, by a motion, or by both."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

import motionclip
from motionclip.cli.console import plain, say, track, write_json, write_sheet
from motionclip.cli.options import READABLE, JsonFile, Model, Picture, check_picture, read_source
from motionclip.errors import MotionClipError

#: Unreadable files that are named.
_MAX_UNREADABLE = 20


def search(
    queries: Annotated[
        tuple[str, ...],
        Positional,
        arg(
            metavar="QUERY [QUERY ...]",
            help=f"Text in quotes, or a motion file ({READABLE}); several together describe one motion.",
            help_behavior_hint="(required)",
        ),
    ],
    /,
    *,
    library: Annotated[Path, arg(metavar="DIR")],
    top: Annotated[int, arg(metavar="N")] = 10,
    least: Annotated[float, arg(metavar="COSINE")] = -1.0,
    out: Picture = None,
    json_file: JsonFile = None,
    options: Model,
) -> None:
    """Find the stretches of a library of motions that fit a text, a motion, or both.

    The first search in a library reads all of it; later ones read what has changed.

    Args:
        library: Folder with motion files in it or below, or a store made by `motionclip prepare`.
        top: Number of hits to show.
        least: Leave out hits with a lower cosine. Text reaches 0.4 to 0.9, a motion much like the given one 0.8.
        out: Also draw the hits.
    """
    from rich.table import Table

    from motionclip.applications.search.search import read_hits

    if not queries:
        raise MotionClipError('nothing to search for; expected text in quotes, such as "a person walks", or a file')
    check_picture(out)
    sources, model = [read_source(query) for query in queries], options.load(many=True)
    with track("reading the library") as progress:
        index = motionclip.index_library(model, library, progress=progress)
    hits = motionclip.search(model, index, sources, top=top, least=least)
    say(f"{library}: {len(index)} windows of {len(index.files)} files")
    say(*(f"cannot be read: {file.problem}" for file in index.unreadable[:_MAX_UNREADABLE]))
    if len(index.unreadable) > _MAX_UNREADABLE:
        say(f"and {len(index.unreadable) - _MAX_UNREADABLE} more")
    if hits:
        table = Table("file")
        for name in ("from", "to", "cosine"):
            table.add_column(name, justify="right")
        for hit in hits:
            table.add_row(plain(hit.file), f"{hit.start:.1f} s", f"{hit.end:.1f} s", f"{hit.cosine:.3f}")
        say(table)
    else:
        say("nothing found")
    if json_file is not None:
        listed = [asdict(hit) for hit in hits]
        write_json({"queries": queries, "library": str(library), "hits": listed}, json_file)
        say(json_file)
    if out is not None and hits:
        titles = [f"{hit.cosine:.2f}  {hit.file}, {hit.start:.1f} to {hit.end:.1f} s" for hit in hits]
        write_sheet(read_hits(index, hits), titles, out)
        say(out)
