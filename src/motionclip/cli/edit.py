"""`motionclip edit`: a motion changed by text, by a style, or with the upper body of another; by a list, too."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

import motionclip
from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.cli.console import progress_bar, save_motion, say, track, write_sheet
from motionclip.cli.constraints import ConstraintOptions, Constraints, errors_in_words
from motionclip.cli.options import (
    READABLE,
    WRITABLE,
    Guidance,
    Model,
    OptionalTextOrFile,
    Seconds,
    Seed,
    optional,
    read_source,
)
from motionclip.cli.retime import Cycles, Retime, RetimeOptions, looped
from motionclip.errors import FormatError, MotionClipError
from motionclip.io import check_writable

if TYPE_CHECKING:
    from motionclip.applications.text_to_motion import Source
    from motionclip.motion import Motion

#: Columns of a list of edits, as the paper's code reads it.
COLUMNS = ("motion_source", "base", "v_start", "v_end")


@dataclass(frozen=True)
class EditRow:
    """One edit of a list: ``base`` - ``minus`` + ``plus``, each a text or a motion.

    Attributes:
        title: The row in words.
    """

    title: str
    base: Source
    minus: Source
    plus: Source


def read_edits(path: Path) -> list[EditRow]:
    """Returns the edits of a CSV file with the columns of :data:`COLUMNS`, UTF-8.

    Where ``motion_source`` is ``text`` the other cells are texts. Where it is ``data``, each is the name of a motion
    file, relative to the list, or the label of one: a text, for which motions are drawn, as no data set is at hand.

    Raises:
        FormatError: on another header, an empty cell, another ``motion_source``, no rows, or no file that can be read.
    """
    from motionclip.formats.files import read_bytes

    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(path, "this is not UTF-8 text", "a CSV file in UTF-8") from error
    reader = csv.reader(lines)
    try:
        if tuple(cell.strip() for cell in next(reader, [])) != COLUMNS:
            raise FormatError(path, f"the header is {lines[0][:200] if lines else ''!r}", ",".join(COLUMNS), 1)
        rows = [_read_row(path, [cell.strip() for cell in cells], reader.line_num) for cells in reader if any(cells)]
    except csv.Error as error:  # a cell of more than 131,072 characters
        raise FormatError(path, str(error), "shorter texts", reader.line_num) from error
    if not rows:
        raise FormatError(path, "no row below the header", "one or more edits")
    return rows


def _read_row(path: Path, cells: list[str], line: int) -> EditRow:
    if len(cells) != len(COLUMNS) or not all(cells):
        raise FormatError(path, f"the row has {sum(map(bool, cells))} filled cells", f"{len(COLUMNS)}", line)
    kind, *texts = cells
    if kind not in ("data", "text"):
        raise FormatError(path, f"motion_source {kind!r}", "data or text", line)
    sources = [read_source(text, path.parent) if kind == "data" else text for text in texts]
    base, start, end = texts
    return EditRow(f"{base} - {start} + {end}", *sources)


def edit(
    base: Annotated[
        str | None,
        Positional,
        optional(
            str,
            "[BASE]",
            f"What is changed: quoted text or a motion file ({READABLE}). So are --minus, --plus, --upper, --lower.",
        ),
    ] = None,
    /,
    *,
    minus: OptionalTextOrFile = None,
    plus: OptionalTextOrFile = None,
    strength: Annotated[float, arg(metavar="SCALE")] = 1.0,
    arithmetic: bool = False,
    style: Annotated[str | None, optional(str, "NAME")] = None,
    upper: OptionalTextOrFile = None,
    lower: OptionalTextOrFile = None,
    batch: Annotated[Path | None, optional(Path, "FILE.csv")] = None,
    out: Annotated[
        Path | None,
        optional(
            Path,
            "FILE|DIR",
            f"File to write; its suffix chooses the format ({WRITABLE}). "
            "For --batch a folder for 1.bvh, 2.bvh, ... and a picture of all, edits.png.",
            "edit.bvh; for --batch edits",
        ),
    ] = None,
    seconds: Seconds = None,
    seed: Seed = 0,
    guidance: Guidance = DEFAULT_GUIDANCE,
    retime: Retime,
    loop: Cycles = 0,
    curves: Annotated[Path | None, optional(Path, "FILE.csv")] = None,
    asked: Constraints,
    options: Model,
) -> None:
    """Change a motion by text, by a style, with the upper body of another, or without words.

    One of: BASE --minus TEXT --plus TEXT; BASE --style NAME; --upper X --lower Y; --batch FILE.csv; or a FILE with any
    of --crop, --reverse, --mirror, --speed, --hold, --then, then --path, --pose and --pin, then --loop.

    Args:
        minus: What is taken away from it: text that says what it does.
        plus: What takes its place.
        strength: 1 for the whole change, more to exaggerate it, less for a hint of it.
        arithmetic: Add and subtract latents, as the paper does, instead of translating BASE from one text to another.
        style: How BASE is to be done: active, elderly, exhausted, feminine, masculine, normal, youthful, angry,
            childish, giant, happy, proud, sad, tired, ..., or other words, such as "like a robot".
        upper: What all above the waist does.
        lower: What the legs do, and where the body goes.
        curves: Also write root path, heading and foot contacts as curves; without words.
        batch: List of edits in the layout of the paper's code: motion_source,base,v_start,v_end.
    """
    without_words = retime.is_asked or loop != 0 or asked.is_asked or curves is not None
    _check_way(base, (minus, plus), style, (upper, lower), batch, strength, without_words)
    target = out or Path("edit.bvh" if batch is None else "edits")
    if batch is None:
        check_writable(target)
        rows = []
    elif target.suffix:
        raise MotionClipError(f"--batch with the one file {target}; give a folder as --out")
    else:
        rows = read_edits(batch)
    given = [None if text is None else read_source(text) for text in (base, minus, plus, upper, lower)]
    whole, less, more, above, below = given
    if without_words:
        motion = _without_words(base, whole, retime, loop, asked, options)
        save_motion(motion, target)
        say(target)
        if curves is not None:
            from motionclip.formats.curve_table import write_curves

            write_curves(motion, curves)
            say(curves)
        return
    model = options.load()
    change = partial(
        motionclip.edit,
        model,
        strength=strength,
        seconds=seconds,
        seed=seed,
        guidance=guidance,
        arithmetic=arithmetic,
    )
    if batch is not None:
        _edit_list(rows, change, target)
        return
    if above is not None and below is not None:
        motion = motionclip.compose(model, above, below, seconds=seconds, seed=seed, guidance=guidance)
    elif whole is not None and style is not None:
        motion = motionclip.restyle(
            model, whole, style, strength=strength, seconds=seconds, seed=seed, guidance=guidance
        )
    else:
        assert whole is not None
        motion = change(whole, minus=less, plus=more)
    save_motion(motion, target)
    say(target)


def _without_words(
    name: str | None, base: Source | None, retime: RetimeOptions, loop: int, asked: ConstraintOptions, options: Model
) -> Motion:
    """Returns a motion in another time, under constraints, as a loop.

    Raises:
        MotionClipError: if the base is no motion, or what is asked of it cannot be done.
    """
    if base is None or isinstance(base, str):
        raise MotionClipError(f"{name!r} is no motion file; expected one where there are no words to change it by")
    motion = retime.apply(base)
    if constraints := asked.read(motion.duration - 1 / motion.fps):
        with track("steps") as on_step:
            directed = motionclip.direct(options.load(), motion, constraints, on_step=on_step)
        say(*errors_in_words(constraints, directed.errors))
        motion = directed.motion
    return looped(motion, loop) if loop else motion


def _check_way(
    base: str | None,
    words: tuple[str | None, str | None],
    style: str | None,
    halves: tuple[str | None, str | None],
    batch: Path | None,
    strength: float,
    without_words: bool,
) -> None:
    """Checks that exactly one way to edit is asked for, with all that it needs.

    Raises:
        MotionClipError: if not.
    """
    ways = [any(word is not None for word in words), style is not None, any(halves), batch is not None, without_words]
    needs_base = ways[0] or ways[1] or without_words
    if sum(ways) != 1 or needs_base != (base is not None) or any(halves) != all(halves):
        raise MotionClipError(
            "expected BASE with --minus and --plus or with --style, or --upper with --lower, or --batch FILE.csv, or a "
            "motion FILE with --crop, --reverse, --mirror, --speed, --hold, --then, --path, --pose, --pin, --loop or "
            "--curves"
        )
    if any(halves) and strength != 1.0:
        raise MotionClipError("--strength with --upper and --lower; joints are taken as they are: leave it out")


def _edit_list(rows: Sequence[EditRow], change: Callable[..., Motion], folder: Path) -> None:
    """Makes the edits of a list, and writes them with a picture of all."""
    motions = []
    with progress_bar() as bar:
        for number, row in bar.track(list(enumerate(rows, 1)), description="edits"):
            motions.append(change(row.base, minus=row.minus, plus=row.plus))
            motionclip.write_motion(motions[-1], folder / f"{number}.bvh")
    titles = [f"{number}: {row.title}" for number, row in enumerate(rows, 1)]
    write_sheet(motions, titles, folder / "edits.png", cell=(480, 144))
    say(f"{folder}: {len(rows)} motions and edits.png")
