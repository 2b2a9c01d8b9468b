"""`motionclip search`: motions of a library by words, by a motion, or by both."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from motionclip.applications.search.library import LibraryIndex
    from motionclip.applications.search.search import Hit

#: Unreadable files that are named.
_SHOWN = 20


def search(
    queries: Annotated[tuple[str, ...], tyro.conf.Positional],
    /,
    library: Path,
    top: int = 10,
    least: float = -1.0,
    out: Path | None = None,
    json_file: Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")] = None,
    model: str = "base",
    encoder_weights: Path | None = None,
) -> None:
    """Find the stretches of a library that fit words, a motion file, or, where several are given, all of them together.

    The first search in a library reads all of it; later ones read what has changed.

    Args:
        queries: words in quotes, and .bvh, .amc or .npz files.
        library: a folder with motion files in it or below, or a store made by `motionclip prepare`.
        top: how many to show.
        least: leave out what has a lower cosine; words reach 0.4 to 0.9, motions much like the one given 0.8 and more.
        out: a .png picture of the hits.
        json_file: where to write the hits.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
    """
    from motionclip.applications.search.library import index_library
    from motionclip.applications.search.search import read_hits
    from motionclip.applications.search.search import search as search_index
    from motionclip.cli.console import check_picture, counted, read_sources, say, write_json, write_sheet
    from motionclip.errors import MotionClipError
    from motionclip.model.pipeline import load

    if not queries:
        raise MotionClipError('nothing to search for; expected words in quotes, such as "a person walks", or a file')
    check_picture(out)
    sources, network = read_sources(queries), load(model, encoder_weights=encoder_weights)
    with counted("reading the library", shown=False) as progress:
        index = index_library(network, library, progress=progress)
    hits = search_index(network, index, sources, top=top, least=least)
    say(f"{library}: {len(index)} windows of {len(index.files)} files", *_unreadable(index))
    say(_table(hits) if hits else "nothing found")
    if json_file is not None:
        listed = [asdict(hit) for hit in hits]
        write_json({"queries": queries, "library": str(library), "hits": listed}, json_file)
        say(json_file)
    if out is not None and hits:
        write_sheet(read_hits(index, hits), [_title(hit) for hit in hits], out)
        say(out)


def _title(hit: Hit) -> str:
    return f"{hit.cosine:.2f}  {hit.file}, {hit.start:.1f} to {hit.end:.1f} s"


def _unreadable(index: LibraryIndex) -> list[str]:
    lines = [f"cannot be read: {file.problem}" for file in index.unreadable[:_SHOWN]]
    more = len(index.unreadable) - _SHOWN
    return [*lines, f"and {more} more"] if more > 0 else lines


def _table(hits: Sequence[Hit]) -> Table:
    from rich.table import Table

    table = Table("file")
    for name in ("from", "to", "cosine"):
        table.add_column(name, justify="right")
    for hit in hits:
        table.add_row(hit.file, f"{hit.start:.1f} s", f"{hit.end:.1f} s", f"{hit.cosine:.3f}")
    return table
