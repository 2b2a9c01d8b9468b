"""`motionclip render`: motion files become a film, or one picture of several moments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from motionclip.cli.console import say, track
from motionclip.cli.options import MotionFiles, optional, read_motions
from motionclip.errors import FormatError
from motionclip.io import FORMATS, check_writable

_STILL = ".png"
_FILMS = " ".join(known.suffix for known in FORMATS if known.is_film)
#: Frames per second of a film, at most, if --fps is not given: more are not seen.
_MAX_FPS = 60.0
_DEFAULT_MOMENTS = 8


def render(
    files: MotionFiles,
    /,
    *,
    out: Annotated[
        Path, arg(metavar="FILE", help=f"A film ({_FILMS}), or a .png of several moments; the older, the fainter.")
    ] = Path("motion.mp4"),
    style: Literal["mesh", "skeleton"] = "mesh",
    body: Annotated[Path | None, optional(Path, "FILE", default="a body without a licence")] = None,
    view: Literal["side-by-side", "single"] = "side-by-side",
    titles: Annotated[
        tuple[str, ...], arg(metavar="TEXT ...", help_behavior_hint="(default: the files' names, if there are several)")
    ] = (),
    strobe: Annotated[int | None, optional(int, "N", default=f"{_DEFAULT_MOMENTS}")] = None,
    camera: Literal["follow", "still"] = "follow",
    apart: Annotated[float, arg(metavar="METRES")] = 1.0,
    width: Annotated[int | None, optional(int, "PIXELS", default="512 for a film, 1024 for a .png")] = None,
    height: Annotated[int, arg(metavar="PIXELS")] = 512,
    fps: Annotated[float | None, optional(float, "FPS", default="the first file's, 60 (.gif: 50) at most")] = None,
) -> None:
    """Draw motion files as a film, or as a picture of several moments.

    docs/pictures.md shows examples.

    Args:
        style: A skinned body, or balls and bars for its joints and bones.
        body: The .npz or .pkl of an SMPL, SMPL-H or SMPL-X model, for the style mesh.
        view: Several files beside each other, or as bodies in a single scene.
        titles: A caption for each file.
        strobe: Number of moments that a .png shows.
        camera: Moves with the bodies of a film, or stands still and sees their whole paths.
        apart: Metres between the places where the bodies of a single view start; 0 to draw them into one another.
        width: Width of the picture of each file.
        height: The same for its height, without the caption.
        fps: Frames per second of a film.
    """
    from motionclip.body import load_body
    from motionclip.formats.files import replacing
    from motionclip.render import make_film, stick_figure
    from motionclip.render import strobe as draw_moments
    from motionclip.render.video import FASTEST, check_film, write_film

    suffix = out.suffix.lower()
    check_writable(out)
    if suffix != _STILL:
        check_film(out)
        if strobe is not None:
            raise FormatError(out, "--strobe was given", "a .png file")
    elif fps is not None:
        raise FormatError(out, "--fps was given", "a film: .mp4, .gif or .webp")
    elif view == "single" and len(files) > 1:
        raise FormatError(out, f"moments of {len(files)} files in a single view", "--view side-by-side, or a film")
    if body is not None and style == "skeleton":
        raise FormatError(body, "--body was given with --style skeleton", "the style mesh")
    motions = read_motions(files)
    captions = titles or (tuple(file.stem for file in files) if len(files) > 1 else ())
    drawn = stick_figure() if style == "skeleton" else load_body(body)
    if suffix == _STILL:
        size = (1024 if width is None else width, height)
        moments = _DEFAULT_MOMENTS if strobe is None else strobe
        picture = draw_moments(motions, captions, moments=moments, size=size, body=drawn)
        with replacing(out) as path:
            picture.save(path, format="PNG", optimize=True)
        say(out)
        return
    rate = min(motions[0].fps, _MAX_FPS, FASTEST[suffix]) if fps is None else fps
    size = (512 if width is None else width, height)
    film = make_film(motions, captions, size=size, fps=rate, view=view, body=drawn, camera=camera, apart=apart)
    with track("rendering") as progress:
        write_film(film, out, progress)
    say(f"{out}: {film.count} frames of {film.size[0]} x {film.size[1]} at {film.fps:g} frames/s")
