"""`motionclip storyboard`: sentences and motions, one after the other, become one motion."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.applications.storyboard import Shot


from typing import TYPE_CHECKING, Annotated

import tyro

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE

if TYPE_CHECKING:
    from motionclip.motion import Motion


# What a storyboard is written as: WHAT:SECONDS, one by one, in a text file or in JSON.


_LISTS = (".txt", ".json")


def read_shots(arguments: Sequence[str]) -> list[Shot]:
    """The shots of arguments: each words or a motion file, with `:SECONDS` behind it or not, or a file of such lines.

    A .txt file has one in each line; blank lines and those that begin with # are left out. A .json file is a list of
    strings of that kind, or of objects with "what" and, if wanted, "seconds". A motion file that a list names is
    relative to the list.

    Raises:
        FormatError: if a file is missing, damaged, or not such a list.
        MotionError: if a length is not positive, or longer than the motion.
    """
    return [shot for argument in arguments for shot in _shots(argument)]


def _shots(argument: str) -> list[Shot]:
    path = Path(argument)
    if path.suffix.lower() not in _LISTS:
        return [_shot(*_split(argument), Path())]
    entries = _lines(path) if path.suffix.lower() == ".txt" else _objects(path)
    return [_shot(what, seconds, path.parent) for what, seconds in entries]


def _shot(what: str, seconds: float | None, folder: Path) -> Shot:
    from motionclip.applications.storyboard import Shot
    from motionclip.cli.console import read_sources
    from motionclip.io import is_motion_file

    is_file = is_motion_file(what)
    (source,) = read_sources([str(folder / what) if is_file else what])
    return Shot(source, seconds)


def _split(text: str) -> tuple[str, float | None]:
    """What stands before the last colon, and the number behind it; all of it, and None, if there is no number."""
    what, colon, number = text.rpartition(":")
    try:
        seconds = float(number)
    except ValueError:
        return text.strip(), None
    return (what.strip(), seconds) if colon and math.isfinite(seconds) else (text.strip(), None)


def _lines(path: Path) -> list[tuple[str, float | None]]:
    lines = [line.strip() for line in _read(path).splitlines()]
    return [_split(line) for line in lines if line and not line.startswith("#")]


def _objects(path: Path) -> list[tuple[str, float | None]]:
    from motionclip.errors import FormatError

    try:
        listed = json.loads(_read(path))
    except json.JSONDecodeError as error:
        raise FormatError(path, f"this is not JSON: {error.msg}", "a list of shots", error.lineno) from error
    if not isinstance(listed, list):
        raise FormatError(path, "this is not a list", 'a list such as ["a person walks:4"]')
    return [_object(path, number, entry) for number, entry in enumerate(listed, 1)]


def _object(path: Path, number: int, entry: object) -> tuple[str, float | None]:
    from motionclip.errors import FormatError

    if isinstance(entry, str):
        return _split(entry)
    what, seconds = (entry.get("what"), entry.get("seconds")) if isinstance(entry, dict) else (None, None)
    known = isinstance(entry, dict) and set(entry) <= {"what", "seconds"}
    if not known or not isinstance(what, str) or not isinstance(seconds, int | float | None) or seconds is True:
        raise FormatError(
            path,
            f"shot {number} is {json.dumps(entry)}",
            '"a person walks:4" or {"what": "a person walks", "seconds": 4}',
        )
    return what, seconds


def _read(path: Path) -> str:
    from motionclip.errors import FormatError
    from motionclip.formats.files import read_bytes

    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, "this is not UTF-8 text", "a list of shots in UTF-8") from error


def storyboard(
    shots: Annotated[tuple[str, ...], tyro.conf.Positional],
    /,
    out: Path = Path("film.bvh"),
    picture: Path | None = None,
    overlap: float | None = None,
    model: str = "base",
    encoder_weights: Path | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> None:
    """Make one continuous motion of a list of sentences and motions with durations, of any length.

    Args:
        shots: "a person walks:4" for four seconds, take.bvh or take.bvh:3, one after the other, or a .txt file with one
            in each line, or a .json list of them.
        out: the file to write, its suffix choosing the format (.bvh .glb .npz .mp4 .gif .png).
        picture: where to write a picture of it (.png), a row for every four seconds.
        overlap: seconds over which one shot goes over into the next; 0.8 if nothing is said.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        seed: another seed gives other motions of the same words.
        guidance: above 1 follows the words more closely, with less variety.
    """
    from motionclip.applications.storyboard import DEFAULT_OVERLAP
    from motionclip.applications.storyboard import storyboard as make
    from motionclip.cli.console import counted, save_motion, say
    from motionclip.io import check_writable
    from motionclip.model.pipeline import load

    check_writable(out)
    listed = read_shots(shots)
    network = load(model, encoder_weights=encoder_weights)
    with counted("pieces") as on_piece:
        film = make(
            network,
            listed,
            overlap=DEFAULT_OVERLAP if overlap is None else overlap,
            seed=seed,
            guidance=guidance,
            on_piece=on_piece,
        )
    save_motion(film, out)
    say(f"{out}: {film.duration:.2f} s")
    if picture is not None:
        _draw(film, picture)
        say(picture)


def _draw(film: Motion, picture: Path) -> None:
    """A sheet of film strips, each of four seconds."""
    from motionclip.cli.console import write_sheet

    frames = round(4 * film.fps)
    starts = range(0, film.num_frames, frames)
    rows = [film.frames(start, min(start + frames, film.num_frames)) for start in starts]
    titles = [f"{start / film.fps:g} to {min(start / film.fps + 4, film.duration):.4g} s" for start in starts]
    write_sheet(rows, titles, picture, columns=1, cell=(700, 144), poses=12)
