"""MP4 and GIF: a motion as moving pictures, at its own speed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.files import replacing
from motionclip.motion import Motion, resample

_VIDEO_SIZE, _GIF_SIZE = 512, 256  # pixels
_GIF_MAX_FPS = 50.0  # players slow down anything shorter than two hundredths of a second
_GIF_COLOURS = 128


def write_video(motion: Motion, path: str | Path) -> None:
    """Writes the motion as a film of the default body; the suffix says which format.

    An .mp4 (H.264) has the motion's own frame rate. A .gif counts in hundredths of a second: its frames
    last one more or one less, so that the whole keeps its length; above 50 fps it is resampled to 50.

    Args:
        motion: on any skeleton that can be retargeted to the default body.
        path: ends in .mp4 or .gif; written under a temporary name and renamed.

    Raises:
        FormatError: for another suffix, or an .mp4 without the `av` package.
    """
    writer = {".mp4": _write_mp4, ".gif": _write_gif}.get(Path(path).suffix.lower())
    if writer is None:
        raise FormatError(path, "a film cannot be written with this suffix", ".mp4 or .gif")
    with replacing(path) as temporary:
        writer(motion, temporary)


def _write_mp4(motion: Motion, path: Path) -> None:
    """H.264 in a fast-start MP4, yuv420p, which every player takes."""
    try:
        import av
    except ImportError as error:
        expected = "`pip install motionclip[video]`, or a .gif instead"
        raise FormatError(path, "writing .mp4 needs the `av` package", expected) from error
    from motionclip.render import each_frame

    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=Fraction(motion.fps).limit_denominator(1001), options={"crf": "20"})
        stream.width = stream.height = _VIDEO_SIZE
        stream.pix_fmt = "yuv420p"
        for picture in each_frame(motion, _VIDEO_SIZE):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))


def _write_gif(motion: Motion, path: Path) -> None:
    """An endless GIF whose palette is taken from its first, middle and last picture."""
    from PIL import Image

    from motionclip.render import render_frames

    motion = resample(motion, min(motion.fps, _GIF_MAX_FPS))
    pictures = render_frames(motion, _GIF_SIZE)
    samples = np.concatenate([pictures[0], pictures[len(pictures) // 2], pictures[-1]])
    palette = Image.fromarray(samples).quantize(_GIF_COLOURS)
    frames = [Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    durations = [int(ticks) * 10 for ticks in gif_ticks(motion.num_frames, motion.fps)]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)


def gif_ticks(count: int, fps: float) -> NDArray[np.int64]:
    """Lengths (count,) of GIF frames in hundredths of a second; the running sum stays within half a tick."""
    ends = np.round(np.arange(1, count + 1) * (100 / fps)).astype(np.int64)
    return np.diff(ends, prepend=0)
