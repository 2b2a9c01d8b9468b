"""`motionclip edit`: a motion, changed by words."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from motionclip.errors import FormatError

if TYPE_CHECKING:
    from motionclip.applications.text_to_motion import Source


from typing import TYPE_CHECKING, Annotated

import tyro

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE

if TYPE_CHECKING:
    from motionclip.applications.text_to_motion import Source
    from motionclip.motion import Motion


# The list of edits that the paper's code reads: motion_source,base,v_start,v_end.


COLUMNS = ("motion_source", "base", "v_start", "v_end")


@dataclass(frozen=True)
class EditRow:
    """One edit: ``base`` less ``minus``, with ``plus``.

    Attributes:
        title: the row in words.
        base: words or a motion; so are the others.
        minus: what is taken away.
        plus: what is put in its place.
    """

    title: str
    base: Source
    minus: Source
    plus: Source


def read_edits(path: Path) -> list[EditRow]:
    """The edits of a CSV file with the columns of :data:`COLUMNS`, UTF-8.

    Where ``motion_source`` is ``text`` the other cells are words. Where it is ``data``, each is the name of a motion
    file, relative to the list, or the label of one: words, for which motions are drawn, as no data set is at hand.

    Raises:
        FormatError: on another header, an empty cell, another ``motion_source``, no rows, or no file that can be read.
    """
    from motionclip.formats.files import read_bytes

    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(path, "this is not UTF-8 text", "a CSV file in UTF-8") from error
    reader = csv.reader(lines)
    if tuple(cell.strip() for cell in next(reader, [])) != COLUMNS:
        raise FormatError(path, f"the header is {lines[0] if lines else ''!r}", ",".join(COLUMNS), 1)
    rows = [_row(path, [cell.strip() for cell in cells], reader.line_num) for cells in reader if any(cells)]
    if not rows:
        raise FormatError(path, "no row below the header", "one or more edits")
    return rows


def _row(path: Path, cells: list[str], line: int) -> EditRow:
    if len(cells) != len(COLUMNS) or not all(cells):
        raise FormatError(path, f"the row has {sum(map(bool, cells))} filled cells", f"{len(COLUMNS)}", line)
    kind, base, start, end = cells
    if kind not in ("data", "text"):
        raise FormatError(path, f"motion_source {kind!r}", "data or text", line)
    sources = [_row_source(path.parent, cell) if kind == "data" else cell for cell in (base, start, end)]
    return EditRow(f"{base} - {start} + {end}", *sources)


def _row_source(folder: Path, cell: str) -> Source:
    """The motion of the file that a cell names, or the cell's words."""
    from motionclip.cli.console import read_sources
    from motionclip.io import is_motion_file

    (source,) = read_sources([str(folder / cell) if is_motion_file(cell) else cell])
    return source


_WAYS = "BASE with --minus and --plus or with --style, or --upper with --lower, or --batch FILE.csv"


def edit(
    base: Annotated[str | None, tyro.conf.Positional] = None,
    /,
    minus: str | None = None,
    plus: str | None = None,
    strength: float = 1.0,
    arithmetic: bool = False,
    style: str | None = None,
    upper: str | None = None,
    lower: str | None = None,
    batch: Path | None = None,
    out: Path | None = None,
    seconds: float | None = None,
    model: str = "base",
    encoder_weights: Path | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> None:
    """Change a motion: BASE --minus TEXT --plus TEXT, BASE --style NAME, --upper X --lower Y, or --batch FILE.csv.

    Wherever words can stand, so can a motion file (.bvh .amc .npz).

    Args:
        base: what is changed.
        minus: what is taken away from it: in words, what it does.
        plus: what is put in its place.
        strength: 1 for all of the change, more to exaggerate, less for a hint.
        arithmetic: add and subtract latents, as the paper does, instead of carrying BASE from words to words.
        style: how BASE is to be done: active, elderly, exhausted, feminine, masculine, normal, youthful, angry,
            childish, giant, happy, proud, sad, tired, ..., or other words, such as "like a robot".
        upper: what all above the waist does, while the legs do --lower.
        lower: what legs and path do.
        batch: edits in the layout of the paper's code: motion_source,base,v_start,v_end.
        out: the file to write, its suffix choosing the format (.bvh .glb .npz .mp4 .gif .png), edit.bvh if nothing is
            said; for --batch a folder, `edits`, for 1.bvh, 2.bvh, ... and a picture, edits.png.
        seconds: length; the given motion's, or 4, if nothing is said.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        seed: another seed gives other motions of the same words.
        guidance: above 1 follows the words more closely, with less variety.
    """
    from motionclip.applications.edit import compose, restyle
    from motionclip.applications.edit import edit as change
    from motionclip.cli.console import save_motion, say
    from motionclip.io import check_writable
    from motionclip.model.pipeline import load

    _check_way(base, (minus, plus), style, (upper, lower), batch, strength)
    if batch is not None:
        _edit_batch(batch, out or Path("edits"), model, encoder_weights, strength, seconds, seed, guidance, arithmetic)
        return
    target = out or Path("edit.bvh")
    check_writable(target)
    whole, less, more, above, below = (_source(text) for text in (base, minus, plus, upper, lower))
    network = load(model, encoder_weights=encoder_weights)
    if above is not None and below is not None:
        motion = compose(network, above, below, seconds=seconds, seed=seed, guidance=guidance)
    elif whole is not None and style is not None:
        motion = restyle(network, whole, style, strength=strength, seconds=seconds, seed=seed, guidance=guidance)
    else:
        assert whole is not None
        motion = change(
            network,
            whole,
            minus=less,
            plus=more,
            strength=strength,
            seconds=seconds,
            seed=seed,
            guidance=guidance,
            arithmetic=arithmetic,
        )
    save_motion(motion, target)
    say(target)


def _check_way(
    base: str | None,
    words: tuple[str | None, str | None],
    style: str | None,
    halves: tuple[str | None, str | None],
    batch: Path | None,
    strength: float,
) -> None:
    """Exactly one way to edit is asked for, and wholly.

    Raises:
        MotionClipError: if not.
    """
    from motionclip.errors import MotionClipError

    ways = [any(word is not None for word in words), style is not None, any(halves), batch is not None]
    needs_base = ways[0] or ways[1]
    if sum(ways) != 1 or needs_base != (base is not None) or any(halves) != all(halves):
        raise MotionClipError(f"expected {_WAYS}")
    if any(halves) and strength != 1.0:
        raise MotionClipError("--strength with --upper and --lower; joints are taken as they are: leave it out")


def _source(text: str | None) -> Source | None:
    """The motion of the file that an argument names, or its words."""
    from motionclip.cli.console import read_sources

    return None if text is None else read_sources([text])[0]


def _edit_batch(
    batch: Path,
    out: Path,
    model: str,
    encoder_weights: Path | None,
    strength: float,
    seconds: float | None,
    seed: int,
    guidance: float,
    arithmetic: bool,
) -> None:
    """Do the edits of a list, with a picture of all."""
    from motionclip.applications.edit import edit as change
    from motionclip.cli.console import progress_bar, save_motion, say, write_sheet
    from motionclip.errors import MotionClipError
    from motionclip.model.pipeline import load

    if out.suffix:
        raise MotionClipError(f"--batch with the one file {out}; give a folder as --out")
    rows = read_edits(batch)
    network = load(model, encoder_weights=encoder_weights)
    motions: list[Motion] = []
    with progress_bar() as bar:
        for number, row in bar.track(list(enumerate(rows, 1)), description="edits"):
            motions.append(
                change(
                    network,
                    row.base,
                    minus=row.minus,
                    plus=row.plus,
                    strength=strength,
                    seconds=seconds,
                    seed=seed,
                    guidance=guidance,
                    arithmetic=arithmetic,
                )
            )
            save_motion(motions[-1], out / f"{number}.bvh")
    titles = [f"{number}: {row.title}" for number, row in enumerate(rows, 1)]
    write_sheet(motions, titles, out / "edits.png", cell=(480, 144))
    say(f"{out}: {len(rows)} motions and edits.png")
