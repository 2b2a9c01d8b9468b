"""MP4, GIF and WebP: a motion as films, at its own speed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.files import replacing
from motionclip.motion import Motion
from motionclip.progress import ProgressCallback

if TYPE_CHECKING:
    from motionclip.render import Film

FASTEST = {".mp4": 240.0, ".gif": 50.0, ".webp": 240.0}
"""Frames per second by suffix: players of GIF slow down anything shorter than two hundredths of a second."""

_SIZE = {".mp4": 512, ".gif": 256, ".webp": 512}  # pixels of a side
_MOST_PIXELS = 200_000_000  # of all frames: Pillow holds them at once, four bytes each
_COLOURS = 128
_SEEN_FOR_PALETTE = 64  # frames
_H264 = {"crf": "20", "preset": "veryfast"}  # slower presets take longer than drawing does


def write_video(motion: Motion, path: str | Path, progress: ProgressCallback | None = None) -> None:
    """Writes the motion as a film of the default body, at its own rate or the format's fastest.

    Args:
        motion: on any skeleton that can be retargeted to the default body.
        path: ends in .mp4, .gif or .webp; written under a temporary name and renamed.
        progress: told how many images are done, and of how many.

    Raises:
        FormatError: as :func:`write_film`.
    """
    from motionclip.render import make_film

    suffix = check_film(path)
    film = make_film([motion], size=(_SIZE[suffix], _SIZE[suffix]), fps=min(motion.fps, FASTEST[suffix]))
    write_film(film, path, progress)


def check_film(path: str | Path) -> str:
    """Says early whether a film can be written there; gives the suffix in small letters.

    Raises:
        FormatError: for another suffix than .mp4, .gif and .webp, or an .mp4 without the `av` package.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FASTEST:
        raise FormatError(path, "a film cannot be written with this suffix", ".mp4, .gif or .webp")
    if suffix == ".mp4" and find_spec("av") is None:
        expected = "`pip install motionclip[video]`, or a .gif or .webp instead"
        raise FormatError(path, "writing .mp4 needs the `av` package", expected)
    return suffix


def write_film(film: Film, path: str | Path, progress: ProgressCallback | None = None) -> None:
    """Draws a film and writes it; the suffix says which format.

    An .mp4 is H.264. A .gif counts in hundredths of a second, a .webp in thousandths: their frames last one more or
    one less, so that the whole keeps its length.

    Args:
        film: its images are drawn here, one after the other.
        path: ends in .mp4, .gif or .webp; written under a temporary name and renamed.
        progress: told how many images are done, and of how many.

    Raises:
        FormatError: for another suffix, an .mp4 without the `av` package, or a size, a rate or a number of images
            that the format cannot hold.
    """
    suffix = check_film(path)
    _check_fit(film, path, suffix)
    writers = {".mp4": _write_mp4, ".gif": _write_gif, ".webp": _write_webp}
    with replacing(path) as temporary:
        writers[suffix](film, _counted(film, progress), temporary)


def _check_fit(film: Film, path: str | Path, suffix: str) -> None:
    width, height = film.size
    if film.fps > FASTEST[suffix]:
        raise FormatError(path, f"{film.fps:g} frames per second", f"at most {FASTEST[suffix]:g} for {suffix}")
    if suffix == ".mp4":
        if width % 2 or height % 2:
            raise FormatError(path, f"images of {width} x {height} pixels", "even width and height for .mp4")
    elif film.count * width * height > _MOST_PIXELS:
        most = max(1, _MOST_PIXELS // (width * height))
        expected = f"at most {most} of that size for {suffix}: fewer frames per second, smaller images, or .mp4"
        raise FormatError(path, f"{film.count} images of {width} x {height} pixels", expected)


def _counted(film: Film, progress: ProgressCallback | None) -> Iterator[NDArray[np.uint8]]:
    for done, image in enumerate(film.frames, 1):
        yield image
        if progress is not None:
            progress(done, film.count)


def _write_mp4(film: Film, images: Iterator[NDArray[np.uint8]], path: Path) -> None:
    """H.264 in a fast-start MP4, yuv420p, which every player takes."""
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=Fraction(film.fps).limit_denominator(1001), options=_H264)
        stream.width, stream.height = film.size
        stream.pix_fmt = "yuv420p"
        stream.thread_type = "AUTO"  # the next image is drawn while this one is encoded
        for image in images:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode(None))


def _write_gif(film: Film, images: Iterator[NDArray[np.uint8]], path: Path) -> None:
    """An endless GIF with one palette, taken from its first second or two: floor and bodies stay as they are."""
    from PIL import Image

    drawn = [Image.fromarray(image) for _, image in zip(range(_SEEN_FOR_PALETTE), images, strict=False)]
    samples = np.concatenate([np.asarray(drawn[at]) for at in (0, len(drawn) // 2, -1)])
    palette = Image.fromarray(samples).quantize(_COLOURS)

    def reduced(image: Image.Image) -> Image.Image:
        return image.quantize(palette=palette, dither=Image.Dither.NONE)

    frames = [reduced(image) for image in drawn] + [reduced(Image.fromarray(image)) for image in images]
    durations = [int(ticks) * 10 for ticks in frame_ticks(film.count, film.fps, 100)]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)


def _write_webp(film: Film, images: Iterator[NDArray[np.uint8]], path: Path) -> None:
    """An endless animated WebP."""
    from PIL import Image

    first, *others = (Image.fromarray(image) for image in images)
    durations = frame_ticks(film.count, film.fps, 1000).tolist()
    first.save(path, format="WEBP", save_all=True, append_images=others, duration=durations, loop=0, quality=80)


def frame_ticks(count: int, fps: float, per_second: int) -> NDArray[np.int64]:
    """Lengths (count,) of frames in ticks, ``per_second`` of them; the running sum stays within half a tick."""
    ends = np.round(np.arange(1, count + 1) * (per_second / fps)).astype(np.int64)
    return np.diff(ends, prepend=0)
