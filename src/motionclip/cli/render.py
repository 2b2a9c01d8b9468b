"""`motionclip render`: motion files become a film, or one picture of several moments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.motion import Motion


from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from motionclip.body import Body
    from motionclip.motion import Motion


# A picture of a motion and of what was made of it, side by side.


#: Seconds of a row.
_ROW = 4.0
#: Rows of a picture, at most: a minute and a half.
_MOST_ROWS = 24


def draw_comparison(given: Motion, made: Motion, picture: Path) -> None:
    """A sheet of film strips: given on the left and made on the right, a row for every four seconds."""
    from motionclip.cli.console import write_sheet
    from motionclip.motion import crop

    last = min(given.duration, made.duration)
    rows = [(n * _ROW, min((n + 1) * _ROW, last)) for n in range(_MOST_ROWS) if n * _ROW < last - 1 / made.fps]
    strips = [crop(motion, start, end) for start, end in rows for motion in (given, made)]
    titles = [f"{which}, {start:g} to {end:.4g} s" for start, end in rows for which in ("given", "made")]
    write_sheet(strips, titles, picture, cell=(440, 144))


_STILL = ".png"
_SWIFT = 60.0  # frames per second: more are not seen


def render(
    files: Annotated[tuple[Path, ...], tyro.conf.Positional],
    /,
    out: Path = Path("motion.mp4"),
    style: Literal["mesh", "skeleton"] = "mesh",
    view: Literal["side-by-side", "single"] = "side-by-side",
    titles: tuple[str, ...] | None = None,
    strobe: int | None = None,
    camera: Literal["follow", "still"] = "follow",
    apart: float = 1.0,
    width: int | None = None,
    height: int = 512,
    fps: float | None = None,
) -> None:
    """Draw motion files as a film, or as a picture of several moments; docs/pictures.md shows them.

    Args:
        files: .bvh, .amc or .npz files (ours or AMASS), one or more.
        out: an .mp4, .gif or .webp file for a film; a .png for several moments in one picture, the older, the fainter.
        style: a skinned body, or balls and bars for its joints and bones.
        view: several files beside each other, or as bodies in a single scene.
        titles: a caption for each file; the files' names if there are several and none are given.
        strobe: how many moments a .png shows; 8 if not given.
        camera: moves with the bodies of a film, or stands still and sees their whole paths.
        apart: metres between the places where the bodies of a single view start; 0 to see them in one another.
        width: pixels of each picture; 512 for a film, 1024 for a .png if not given.
        height: pixels of each picture, without the caption.
        fps: frames per second of a film; the first file's own rate, 60 (.gif: 50) at most, if not given.
    """
    from motionclip.cli.console import say
    from motionclip.io import read_motion

    _check(files, out, view, strobe, fps)
    shown = titles or (tuple(file.stem for file in files) if len(files) > 1 else ())
    motions = [read_motion(file) for file in files]
    if out.suffix.lower() == _STILL:
        size = (1024 if width is None else width, height)
        _write_still(motions, shown, out, 8 if strobe is None else strobe, size, _body(style))
        say(out)
        return
    from motionclip.cli.console import counted
    from motionclip.render import make_film
    from motionclip.render.video import FASTEST, write_film

    rate = min(motions[0].fps, _SWIFT, FASTEST[out.suffix.lower()]) if fps is None else fps
    size = (512 if width is None else width, height)
    film = make_film(motions, shown, size=size, fps=rate, view=view, body=_body(style), camera=camera, apart=apart)
    with counted("drawing") as progress:
        write_film(film, out, progress)
    say(f"{out}: {film.count} pictures of {film.size[0]} x {film.size[1]} at {film.fps:g} a second")


def _check(files: tuple[Path, ...], out: Path, view: str, strobe: int | None, fps: float | None) -> None:
    """What can be said before a file is read.

    Raises:
        MotionClipError: on no files, or options that do not go together.
        FormatError: if nothing can be written there.
    """
    from motionclip.errors import FormatError, MotionClipError
    from motionclip.io import check_writable
    from motionclip.render.video import check_film

    if not files:
        raise MotionClipError("no motion file; expected one or more, such as walk.bvh")
    check_writable(out)
    if out.suffix.lower() != _STILL:
        check_film(out)
        if strobe is not None:
            raise FormatError(out, "--strobe was given", "a .png file")
    elif fps is not None:
        raise FormatError(out, "--fps was given", "a film: .mp4, .gif or .webp")
    elif view == "single" and len(files) > 1:
        raise FormatError(out, f"moments of {len(files)} files in a single view", "--view side-by-side, or a film")


def _body(style: Literal["mesh", "skeleton"]) -> Body:
    from motionclip.body import default_body
    from motionclip.render import stick_figure

    return stick_figure() if style == "skeleton" else default_body()


def _write_still(
    motions: list[Motion], titles: tuple[str, ...], out: Path, moments: int, size: tuple[int, int], body: Body
) -> None:
    from motionclip.formats.files import replacing
    from motionclip.render import strobe

    picture = strobe(motions, titles, moments=moments, size=size, body=body)
    with replacing(out) as path:
        picture.save(path, format="PNG", optimize=True)
