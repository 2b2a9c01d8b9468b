"""Pictures of single frames of a store: which frames, how they are drawn, ``frames.zip``, and how they are read.

``frames.zip`` holds one PNG per pictured frame, called ``ENTRY/FRAME.png`` by the numbers of the store's entry and of
the frame in it. Its bytes follow from the motions alone, so it is the same however the work was shared.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from motionclip.data.store import FPS, FRAMES, Store, list_pictures
from motionclip.errors import DataError
from motionclip.formats.files import replacing
from motionclip.motion import Motion
from motionclip.render import render_clip_frames
from motionclip.render.clip_frames import SIZE

#: Frames of the two seconds for which pictures are counted: the window of the paper.
WINDOW = round(2 * FPS)

_CHUNK = 64  # pictures drawn at once
_PNG_EFFORT = 3  # of 9: half the time of the usual 6, and no larger


def pictured_frames(num_frames: int, per_window: int) -> list[int]:
    """The frames of a clip that have a picture: evenly spaced, ``WINDOW / per_window`` frames apart or a little less.

    So each run of two seconds has one, and a clip of any length too.

    Raises:
        DataError: if a window cannot have as many pictures.
    """
    if not 1 <= per_window <= WINDOW:
        raise DataError(f"{per_window} pictures for every two seconds; expected 1 to {WINDOW}, a picture a frame")
    count = min(math.ceil(num_frames * per_window / WINDOW), num_frames)
    return [(2 * number + 1) * num_frames // (2 * count) for number in range(count)]


def draw_part(path: Path, motion: Motion | None, per_window: int) -> None:
    """Write the pictures of one clip into a zip file of its own, ``FRAME.png`` each; no pictures without a motion."""
    with replacing(path) as temporary, ZipFile(temporary, "w") as archive:
        if motion is None:
            return
        frames = pictured_frames(motion.num_frames, per_window)
        for frame, picture in zip(frames, _drawn(motion, frames), strict=True):
            png = io.BytesIO()
            Image.fromarray(picture).save(png, "PNG", compress_level=_PNG_EFFORT)
            archive.writestr(f"{frame}.png", png.getvalue())


def _drawn(motion: Motion, frames: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    """The pictures of some frames, a few at a time: those of a long clip would fill the memory."""
    for start in range(0, len(frames), _CHUNK):
        yield from render_clip_frames(motion, frames[start : start + _CHUNK])


def join_parts(folder: Path, parts: Iterable[Path], per_window: int) -> None:
    """Put the pictures of a store's entries, one zip file for each, into its ``frames.zip`` and its manifest."""
    count = 0
    with replacing(folder / FRAMES) as temporary, ZipFile(temporary, "w") as archive:
        for entry, part in enumerate(parts):
            with ZipFile(part) as held:
                for name in held.namelist():
                    archive.writestr(_member(f"{entry}/{name}"), held.read(name))
                    count += 1
    list_pictures(folder, per_window, count, SIZE)


def _member(name: str) -> ZipInfo:
    """A stored member without date, the same on every system."""
    info = ZipInfo(name)
    info.create_system = 3
    return info


def each_picture(store: Store, frames: Iterable[tuple[int, int]]) -> Iterator[NDArray[np.uint8]]:
    """Pictures (H, W, 3) of frames given as (number of the entry, frame in it).

    They are read from ``frames.zip``, or drawn, to the same bytes, where the store holds no pictures.

    Raises:
        DataError: if a picture is missing or damaged.
    """
    if store.pictures is not None:
        yield from _read(store.folder / FRAMES, frames)
        return
    for entry, places in groupby(frames, key=lambda place: place[0]):
        yield from _drawn(store.motion(entry), [frame for _, frame in places])


def _read(path: Path, frames: Iterable[tuple[int, int]]) -> Iterator[NDArray[np.uint8]]:
    try:
        with ZipFile(path) as archive:
            for entry, frame in frames:
                with archive.open(f"{entry}/{frame}.png") as file:
                    yield np.asarray(Image.open(file).convert("RGB"))
    except (BadZipFile, KeyError, OSError) as error:
        raise DataError(f"{path} is damaged ({error}); prepare the store again") from error
