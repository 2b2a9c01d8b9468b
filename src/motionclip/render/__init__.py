"""Pictures of motions, by a rasteriser that needs neither a display nor a graphics card."""

from motionclip.render.films import Film, make_film
from motionclip.render.frames import render_frames
from motionclip.render.portraits import portraits
from motionclip.render.scene import Look
from motionclip.render.sticks import stick_figure
from motionclip.render.strips import contact_sheet, filmstrip
from motionclip.render.strobes import strobe

__all__ = [
    "Film",
    "Look",
    "contact_sheet",
    "filmstrip",
    "make_film",
    "portraits",
    "render_frames",
    "stick_figure",
    "strobe",
]
