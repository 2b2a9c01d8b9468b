"""Captions drawn below images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from motionclip.render.scene import Colour

INK, PAPER = (40, 46, 54), (255, 255, 255)
_LETTERS = 0.6  # of a caption's height


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


def _fitting_font(titles: Sequence[str], size: float, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font in which the widest title has room, down to half the size."""
    font = ImageFont.load_default(size)
    widest = max(font.getlength(title) for title in titles)
    return font if widest <= width else ImageFont.load_default(max(size * width / widest, size / 2))


def shortened(title: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
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
