"""`motionclip storyboard`: sentences and motions, one after the other, become one motion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE

if TYPE_CHECKING:
    from motionclip.motion import Motion


def storyboard(
    shots: Annotated[tuple[str, ...], tyro.conf.Positional],
    /,
    out: Path = Path("film.bvh"),
    picture: Path | None = None,
    overlap: float | None = None,
    model: str = "base",
    tower_weights: Path | None = None,
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
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
        seed: another seed gives other motions of the same words.
        guidance: above 1 follows the words more closely, with less variety.
    """
    from motionclip.applications.storyboard import DEFAULT_OVERLAP
    from motionclip.applications.storyboard import storyboard as make
    from motionclip.cli.console import counted, say
    from motionclip.cli.results import save_motion
    from motionclip.cli.shots import read_shots
    from motionclip.formats import check_writable
    from motionclip.model.pipeline import load

    check_writable(out)
    listed = read_shots(shots)
    network = load(model, tower_weights=tower_weights)
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
    from motionclip.cli.results import write_sheet

    frames = round(4 * film.fps)
    starts = range(0, film.num_frames, frames)
    rows = [film.frames(start, min(start + frames, film.num_frames)) for start in starts]
    titles = [f"{start / film.fps:g} to {min(start / film.fps + 4, film.duration):.4g} s" for start in starts]
    write_sheet(rows, titles, picture, columns=1, cell=(700, 144), poses=12)
