"""Captions drawn below images."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from motionclip.render.scene import Colour

INK, PAPER = (40, 46, 54), (255, 255, 255)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_LETTERS = 0.6  # of a caption's height
_NO_CHARACTER = "\U0010ffff"  # every font draws it as it draws what it lacks


def caption_row(
    titles: Sequence[str], width: int, height: int, swatches: Sequence[Colour] | None = None
) -> NDArray[np.uint8]:
    """A row (height, width, 3) of captions, each in the middle of its share of the width.

    Args:
        titles: what stands there; cut short where it is wider than its share.
        width: pixels.
        height: pixels.
        swatches: a colour for each title, shown as a square in front of it.
    """
    titles = drawable(titles)
    row = Image.new("RGB", (width, height), PAPER)
    share, side = width // len(titles), round(height * _LETTERS)
    before = 0 if swatches is None else round(1.5 * side)
    room = share - before - side
    font = _fitting_font(titles, height * _LETTERS, room)
    pen = ImageDraw.Draw(row)
    for number, title in enumerate(titles):
        shown = shortened(title, font, room)
        start = number * share + (share - before - font.getlength(shown)) / 2
        if swatches is not None:
            top = (height - side) // 2
            pen.rectangle((start, top, start + side, top + side), fill=_bytes(swatches[number]))
        pen.text((start + before, height / 2), shown, fill=INK, font=font, anchor="lm")
    return np.asarray(row)


def drawable(titles: Sequence[str]) -> list[str]:
    """The titles; for each that no font here has its number, from 1, and a warning: boxes would tell nothing."""
    return [title if _is_drawable(title) else str(number) for number, title in enumerate(titles, 1)]


def _is_drawable(title: str) -> bool:
    characters = _characters([title])
    if _font_file(characters) is not None or _has(ImageFont.load_default(16), characters):
        return True
    shown = "".join(sorted(characters))[:20]
    message = f"no font here has all of {shown!r}: a number stands there; install one that has, such as Noto Sans CJK"
    warnings.warn(message, stacklevel=4)
    return False


def _fitting_font(titles: Sequence[str], size: float, width: int) -> Font:
    """The font in which the widest title has room, down to half the size."""
    font = font_for(titles, size)
    widest = max(font.getlength(title) for title in titles)
    return font if widest <= width else font_for(titles, max(size * width / widest, size / 2))


def font_for(titles: Sequence[str], size: float) -> Font:
    """A font that has every character of :func:`drawable` titles: Pillow's own, DejaVu Sans, or one of this system.

    Titles for which different fonts are needed get Pillow's own.

    Args:
        titles: what will be drawn.
        size: height in pixels.
    """
    path = _font_file(_characters(titles))
    return ImageFont.load_default(size) if path is None else ImageFont.truetype(path, size)


def _characters(titles: Sequence[str]) -> frozenset[str]:
    return frozenset("".join(titles)) - frozenset(" \n\t")


@cache
def _font_file(characters: frozenset[str]) -> Path | None:
    """The file of a font that has all characters; None for Pillow's own, and where there is no other."""
    if _has(ImageFont.load_default(16), characters):
        return None
    for path in _font_files():
        try:
            if _has(ImageFont.truetype(path, 16), characters):
                return path
        except OSError:  # a kind of font that Pillow does not read
            continue
    return None


def _font_files() -> Iterator[Path]:
    """DejaVu Sans, which matplotlib brings, then the fonts of this system."""
    import matplotlib
    from matplotlib.font_manager import findSystemFonts

    yield Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    yield from sorted(map(Path, findSystemFonts()))


def _has(font: Font, characters: frozenset[str]) -> bool:
    lacking = bytes(font.getmask(_NO_CHARACTER))
    return all(bytes(font.getmask(character)) != lacking for character in characters)


def shortened(title: str, font: Font, width: int) -> str:
    """The title on one line, cut short with dots until it is at most ``width`` pixels wide."""
    title = " ".join(title.split())
    if font.getlength(title) <= width:
        return title
    while title and font.getlength(title + "...") > width:
        title = title[:-1]
    return title.rstrip() + "..."


def _bytes(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in colour)
    return red, green, blue
